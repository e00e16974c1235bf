"""Examples of the rules on containers and programs."""

from __future__ import annotations

import io
import tarfile
import zlib

from tests.support.asm import STOP, call, proto

PICKLE = proto(2) + call("collections", "OrderedDict") + STOP


def tar(*members: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    """A tar archive of files, and of whatever headers are given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    """A symbolic link."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
WASM = b"\x00asm\x01\0\0\0"
PLAIN = tar(("weights/notes.txt", b"text"))
EXAMPLES: dict[str, dict[str, bytes]] = {
    "archive-ambiguous": {
        "fail/twice.tar": tar(("a.txt", b"one"), ("a.txt", b"two")),
        "fail/behind.tar": PLAIN + b"nobody lists this".ljust(512, b"\0"),
        "pass/plain.tar": PLAIN,
    },
    "archive-unsafe-path": {
        "fail/up.tar": tar(("../start.txt", b"text")),
        "fail/link.tar": tar(link("weights", "/etc")),
        "pass/plain.tar": PLAIN,
    },
    "trailing-data": {
        "fail/behind.pkl": zlib.compress(PICKLE) + b"nobody reads this",
        "pass/plain.pkl": zlib.compress(PICKLE),
    },
    "native-code": {
        "fail/library.so": ELF,
        "fail/module.bin": WASM,
        "pass/plain.tar": PLAIN,
    },
    "name-mismatch": {
        "fail/weights.safetensors": PICKLE,
        "pass/weights.pkl": PICKLE,
    },
}
