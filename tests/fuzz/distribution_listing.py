"""Any bytes as the RECORD of a distribution: absolute paths without dots, or none at all."""

from assaymark.recording.distributions import listed_files

SEEDS = [
    b'a/__init__.py,sha256=x,1\n"with, comma.py",,\n../../bin/tool,,\n',
    b'"open quote\n,,\n\xff\xfe,,\r\n\0,,\n',
]


def fuzz(data: bytes) -> None:
    for path in listed_files("/env/site-packages", data):
        assert path.startswith("/")
        assert ".." not in path.split("/")
