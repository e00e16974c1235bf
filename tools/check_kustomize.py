"""Compares what kustomizations come to here with what kustomize makes of them.

``python tools/check_kustomize.py KUSTOMIZE DIR [DIR ...]``: KUSTOMIZE is the command that builds a folder
(``"kustomize build"``, ``"kubectl kustomize"``), each DIR a folder with kustomizations somewhere below it. Those that
kustomize itself refuses (remote bases, fields that it has no longer) are counted apart. The digests that it puts
behind names of generated objects are taken away before objects are held against each other.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from check_helm import differences, plain

from assaymark.assess.files import source_file
from assaymark.assess.inputs import Inputs
from assaymark.assess.kubernetes.overlays import Overlays
from assaymark.core.errors import InputError
from assaymark.formats.kustomize.build import Builder
from assaymark.formats.located_yaml import read_located_yaml

_DIGEST = "[bcdfghkmt2456789]{10}"


def objects(values: list[Any]) -> dict[tuple[str, ...], Any]:
    """Objects by kind, name and namespace."""
    found = {}
    for value in values:
        if isinstance(value, dict) and isinstance(value.get("metadata"), dict):
            metadata = value["metadata"]
            for name in ("annotations", "labels"):
                if metadata.get(name) == {}:
                    del metadata[name]  # as kustomize does
            for name, text in (value.get("binaryData") or {}).items():
                value["binaryData"][name] = "".join(text.split())
            key = (str(value.get("apiVersion")), str(value.get("kind")), str(metadata.get("name")))
            found[*key, str(metadata.get("namespace"))] = plain(value)
    return found


def copied(value: Any) -> Any:
    """A value of its own."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def main() -> int:
    """Prints a line for each difference, and the counts."""
    command, *folders = sys.argv[1:]
    built = refused = equal = different = failed = 0
    for root in map(Path, folders):
        files = [
            source_file(path.relative_to(root).as_posix(), path.read_bytes())
            for path in sorted(root.rglob("*"))
            if path.is_file() and ".git" not in path.parts
        ]
        inputs = Inputs(files)
        overlays = Overlays(inputs)
        folders_ = sorted(
            path.rpartition("/")[0]
            for path in (file.path for file in files)
            if path.rpartition("/")[2] in ("kustomization.yaml", "kustomization.yml", "Kustomization")
        )
        for folder in dict.fromkeys(folders_):
            asked = [*command.split(), str(root / folder)]
            done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
            try:
                own = Builder(overlays).build(folder)
            except InputError as error:
                print(f"{folder}: {error.message}")
                failed += 1
                continue
            if done.returncode:
                refused += 1
                continue
            built += 1
            text = done.stdout
            for one in own:
                if one.generated:
                    name = re.escape(one.id.name)
                    text = re.sub(rf"(?<![\w.-]){name}-{_DIGEST}(?![\w.-])", one.id.name, text)
            theirs = objects(read_located_yaml(text))
            ours = objects([copied(one.value) for one in own])
            for key in sorted({*theirs, *ours}):
                places = differences(theirs.get(key), ours.get(key))
                different += bool(places)
                equal += not places
                if places:
                    print(f"{folder}: {' '.join(key)}: {', '.join(places)[:300]}")
    print(
        f"{built} kustomizations, {equal} objects equal, {different} different; {refused} refused by kustomize,"
        f" {failed} not built here"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
