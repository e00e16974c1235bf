"""Compares what charts come to here with what Helm makes of them: ``python tools/check_helm.py HELM CHART [CHART ...]``.

HELM is Helm's program, each CHART a chart's folder. Charts that Helm itself refuses (dependencies that are not there,
values that are required) are counted apart. Texts are held against each other without blanks at their ends, which
Helm cuts; what chance decides (passwords, certificates) and digests of it differ.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from assaymark.formats.helm.chart import render_chart
from assaymark.formats.located_yaml import read_located_yaml


def objects(texts: list[str]) -> dict[tuple[str, ...], Any]:
    """The objects of texts by kind, name and namespace."""
    found = {}
    for text in texts:
        for value in read_located_yaml(text):
            if isinstance(value, dict) and isinstance(value.get("metadata"), dict):
                metadata = value["metadata"]
                key = (str(value.get("kind")), str(metadata.get("name")), str(metadata.get("namespace")))
                found[key] = plain(value)
    return found


def plain(value: Any) -> Any:
    """A value without lines, texts without blanks at their ends."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.strip() if isinstance(value, str) else value


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other}, key=str)
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{place}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for at, (mine, theirs) in pairs for text in differences(mine, theirs, f"{place}[{at}]")]
    return [] if one == other else [place]


def main() -> int:
    """Prints a line for each difference, and the counts."""
    helm, *folders = sys.argv[1:]
    charts = refused = equal = different = 0
    for folder in map(Path, folders):
        files = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                try:
                    files[path.relative_to(folder).as_posix()] = path.read_text()
                except UnicodeDecodeError:
                    continue
        chart = render_chart(files, "")
        asked = [helm, "template", chart.name, str(folder), "--kube-version", "1.34.0"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            refused += 1
            continue
        charts += 1
        theirs = objects(done.stdout.split("\n---\n"))
        ours = objects([one.text for one in chart.rendered.values()])
        for key in sorted({*theirs, *ours}):
            places = differences(theirs.get(key), ours.get(key))
            different += bool(places)
            equal += not places
            if places:
                print(f"{folder.name}: {' '.join(key)}: {', '.join(places)[:200]}")
        for path, reason in chart.failed.items():
            print(f"{folder.name}: {path}: {reason}")
    print(f"{charts} charts, {equal} objects equal, {different} different; {refused} charts refused by Helm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
