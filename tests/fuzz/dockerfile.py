"""Any bytes as a Dockerfile: an InputError, or instructions whose lines are those of the text, in order."""

from assaymark.core.errors import InputError
from assaymark.formats.dockerfile import read_dockerfile

SEEDS = [
    b"# escape=`\nFROM a AS b\nRUN one `\n two\n",
    b'FROM --platform=x a\nRUN <<EOF\npip install x\nEOF\nCMD ["x"]\n',
]


def fuzz(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        found = read_dockerfile(text)
    except InputError:
        return
    lines = [number for one in found for number, _ in one.parts]
    assert lines == sorted(lines)
    assert not lines or lines[-1] <= text.count("\n") + 1
