"""Writes the corpus: ``OUT/malicious/<class>/<name>/``, ``OUT/benign/<library>/<name>`` and ``OUT/manifest.json``.

Usage: python -m bench.corpus.generate OUT [--malicious] [--benign]
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.corpus.sample import Sample

MALICIOUS = ("gadgets", "streams", "loaded", "archives", "documents", "graphs")


def write_sample(sample: Sample, root: Path) -> dict[str, str]:
    """Write one malicious sample; its line of the manifest."""
    folder = f"{sample.evasion}/{sample.name}".replace(" ", "-")
    target = root / "malicious" / folder
    for name, data in sample.files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for name, to in sample.links.items():
        (target / name).symlink_to(to)
    first = next(iter(sample.files))
    return {
        "name": f"malicious/{folder}",
        "evasion": sample.evasion,
        "folder": folder,
        "first": first,
        "loader": sample.loader,
        "note": sample.note,
    }


def main() -> int:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--malicious", action="store_true")
    parser.add_argument("--benign", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    path = out / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {"malicious": [], "benign": []}
    if arguments.malicious or not arguments.benign:
        shutil.rmtree(out / "malicious", ignore_errors=True)
        manifest["malicious"] = [
            write_sample(sample, out)
            for module in MALICIOUS
            for sample in importlib.import_module(f"bench.corpus.{module}").samples()
        ]
        names = [line["name"] for line in manifest["malicious"]]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    if arguments.benign or not arguments.malicious:
        shutil.rmtree(out / "benign", ignore_errors=True)
        manifest["benign"] = importlib.import_module("bench.corpus.benign").write(out / "benign")
    path.write_text(json.dumps(manifest, indent=1))
    print(f"{len(manifest['malicious'])} malicious, {len(manifest['benign'])} benign")
    return 0


if __name__ == "__main__":
    sys.exit(main())
