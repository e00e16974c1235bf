"""Programs and libraries in a model: weights need none, and whoever opens or loads one runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.scanning.content import Content

_MACH_O: Final = frozenset((b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"))
_PE_OFFSET: Final = 0x3C
_OLDEST_JAVA: Final = 45  # the major version of class files begins there; universal binaries hold few architectures
_APE: Final = (b"MZqFpD=", b"jartsr=", b"APEDBG=")


def native_code(view: View) -> str:
    """What kind of program ``view`` is, by its header; empty when it is none."""
    head = view.read(0, 64)
    if head.startswith(b"\x7fELF") and head[4:5] in (b"\x01", b"\x02"):
        return "an ELF program or library"
    if head[:4] in _MACH_O:
        return "a Mach-O program or library"
    if head.startswith(_APE):
        return "an Actually Portable Executable, as llamafile is"
    if head.startswith(b"MZ") and len(head) == 64:  # noqa: PLR2004 - the DOS header
        at = int.from_bytes(head[_PE_OFFSET : _PE_OFFSET + 4], "little")
        if view.read(at, 4) == b"PE\0\0":
            return "a Windows program or library"
    if head.startswith(b"\xca\xfe\xba\xbe") and len(head) >= 8:  # noqa: PLR2004
        return "a Java class" if int.from_bytes(head[6:8], "big") >= _OLDEST_JAVA else "a Mach-O program or library"
    if head.startswith(b"\x00asm") and head[4:8] in (b"\x01\0\0\0", b"\x0d\0\x01\0"):
        return "a WebAssembly module"
    return ""


def scan(content: Content) -> None:
    """A finding, and all there is to say: what a program does is not examined."""
    what = native_code(content.view)
    content.notes.finding("native-code", f"the file is {what}", member=content.member, offset=0)
    content.notes.saw("program", content.member)
