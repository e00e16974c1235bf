"""Examples and architectures with values put in place of others, as nobody would write them: assessed, and patched."""

import random
import re
from datetime import UTC, datetime
from pathlib import Path

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patches.writers import patches_for

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOLDERS = sorted(
    folder
    for pattern in ("rules/*/fail/*", "tests/e2e/architectures/*")
    for folder in ROOT.glob(pattern)
    if folder.is_dir()
)
VALUE = re.compile(r'"[^"\n]*"|(?<=[:=\[,(] )[\w.\-/*]+|\[[^\[\]\n]*\]|\{[^{}\n]*\}')
OTHERS = [
    *(
        '"²"',
        '"٣"',
        '"' + "9" * 5000 + '"',
        "9" * 5000,
        "99999999999999999999",
        "1e999",
        "-1e999",
        "-1",
        "1.5",
        "0x1F",
    ),
    *(".inf", ".nan", "NaN", "Infinity", "true", "null", "~", "2001-01-01", "[]", "{}", "[[]]", "[{}]", "[null]"),
    *('{"a": 1}', "[1, 2]", '["*", "x"]', '""', '"*"', '":"', '"/"', '"//"', '"arn:"', '"arn:aws:iam::²:root"'),
    *('"a:b:c:d:e:f:g"', '"${"', '"${x}"', '"{{"', '"[x("', '"%zz"', '{"Ref": "X"}', '{"Fn::GetAtt": [1]}'),
]
TOKENS = [b"\x00", b"\x01", b"\xff"]
SEEDS = [index.to_bytes(2, "big") for index in range(0, 2000, 7)]


def fuzz(data: bytes) -> None:
    """The bytes choose the example, and which of its values become which others."""
    chance = random.Random(data)  # noqa: S311 - the same bytes are the same case
    folder = chance.choice(FOLDERS)
    files = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes()
        try:
            changed = text.decode("utf-8")
        except UnicodeDecodeError:
            files.append(source_file(str(path.relative_to(folder)), text))
            continue
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            if found := list(VALUE.finditer(changed)):
                match = chance.choice(found)
                changed = changed[: match.start()] + chance.choice(OTHERS) + changed[match.end() :]
        files.append(source_file(str(path.relative_to(folder)), changed.encode("utf-8")))
    report = assess(files, NOW)
    for finding in report.findings:
        patches_for(finding, report.inputs, report.estates)
