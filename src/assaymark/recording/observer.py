"""The other end of the filter: lets each call go on, and remembers which file it named.

It informs and proves nothing: a program can change the path after it was read here (seccomp_unotify(2) says why that
cannot be helped), or read through descriptors that were passed to it, io_uring or 32-bit calls.
"""

from __future__ import annotations

import ctypes
import os
import platform
import select
import struct
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import RECORD_MAX_PATHS
from assaymark.recording.filter import MACHINES

if TYPE_CHECKING:
    from collections.abc import Sequence

# ioctl(2) numbers of linux/seccomp.h, alike on both machines.
_RECEIVE: Final = ctypes.c_ulong(0xC0502100)
_SEND: Final = ctypes.c_ulong(0xC0182101)
_SET_FLAGS: Final = ctypes.c_ulong(0x40082104)
_SYNCHRONOUS: Final = ctypes.c_ulong(1)  # Linux 6.6: wake the other side on this processor, in half the time
_CONTINUE: Final = 1
# struct seccomp_notif: id, pid, flags, then seccomp_data: nr, arch, instruction pointer, six arguments.
_NOTICE: Final = struct.Struct("=QIIiIQ6Q")
_ANSWER: Final = struct.Struct("=QqiI")
_PATH_BYTES: Final = 4096  # PATH_MAX
_AT_FDCWD: Final = -100
_FLAGS: Final = struct.Struct("=Q")
_OVER: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL
_MOVES: Final = ("chdir", "fchdir")
_FORGET: Final = (*_MOVES, "execve", "execveat")
_ASK_EVERY: Final = 256
_WRITE_ONLY: Final = 1
_ACCESS: Final = 3


# What these name depends on who asks: it must be asked on behalf of the task, while it lives.
_MAGIC: Final = (b"/proc/", b"/dev/fd/", b"/dev/std")
_STREAMS: Final = {b"/dev/stdin": b"fd/0", b"/dev/stdout": b"fd/1", b"/dev/stderr": b"fd/2"}


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Observer:
    """Answers one listener. ``inside`` are real paths of what was declared: opening one is only ticked off."""

    def __init__(self, listener: int, inside: Sequence[bytes]) -> None:
        self.paths: dict[bytes, None] = {}
        self.opened: set[int] = set()
        self.more = 0  # distinct paths (or repeats of those) that did not fit
        self.unread = 0  # calls whose path could not be read
        self.listener = listener
        self._inside = [(place, place + b"/") for place in inside]
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._notice = ctypes.create_string_buffer(_NOTICE.size)
        self._answer = ctypes.create_string_buffer(_ANSWER.size)
        self._text = ctypes.create_string_buffer(_PATH_BYTES + 1)
        self._here = (_Vector * 1)(_Vector(ctypes.addressof(self._text), _PATH_BYTES))
        self._there = (_Vector * 2)()
        self._calls = {number: name for name, (number, _) in MACHINES[platform.machine()][3].items()}
        self._folders: dict[int, bytes] = {}  # the current folder of a task, until anybody changes theirs
        self._uses = 0
        self._ioctl = self._libc.ioctl
        self._ioctl(listener, _SET_FLAGS, _SYNCHRONOUS)

    def answer(self, event: int) -> bool:
        """Let one call go on, after poll(2) said ``event``; False when nobody is left who could make one."""
        if event & _OVER:
            return False
        ctypes.memset(self._notice, 0, _NOTICE.size)
        if self._ioctl(self.listener, _RECEIVE, self._notice) < 0:
            return True  # whoever asked was killed meanwhile
        call = _NOTICE.unpack_from(self._notice)
        try:
            self._note(call)
        finally:
            _ANSWER.pack_into(self._answer, 0, call[0], 0, 0, _CONTINUE)
            self._ioctl(self.listener, _SEND, self._answer)
        return True

    def _note(self, call: tuple[int, ...]) -> None:
        task, arguments = call[1], call[6:]
        name = self._calls.get(call[3], "")
        if name in _FORGET:
            self._folders.clear()
            if name in _MOVES:
                return
        if name == "openat2" and self._writes_only(task, arguments[2]):
            return
        at, address = (
            (_AT_FDCWD, arguments[0])
            if name in ("open", "execve")
            else (ctypes.c_int(arguments[0] & 0xFFFFFFFF).value, arguments[1])
        )
        path = self._read(task, address)
        if path is None:
            self.unread += 1
            return
        if not path.startswith(b"/"):
            try:
                base = self._folder(task) if at == _AT_FDCWD else os.readlink(b"/proc/%d/fd/%d" % (task, at))  # noqa: PTH115 - bytes
                path = base + b"/" + path if path else base
            except OSError:
                self.unread += 1
                return
        self._keep(_of_task(path, task) if path.startswith(_MAGIC) else path)

    def _folder(self, task: int) -> bytes:
        """The current folder of a task. Asked for anew now and then: the id may be another's by now."""
        self._uses += 1
        if self._uses % _ASK_EVERY == 0:
            self._folders.clear()
        folder = self._folders.get(task)
        if folder is None:
            folder = self._folders[task] = os.readlink(b"/proc/%d/cwd" % task)  # noqa: PTH115 - bytes
        return folder

    def _keep(self, path: bytes) -> None:
        if path in self.paths:
            return
        if b"/../" not in path:
            for number, (place, below) in enumerate(self._inside):
                if path == place or path.startswith(below):
                    self.opened.add(number)
                    return
        if len(self.paths) < RECORD_MAX_PATHS:
            self.paths[path] = None
        else:
            self.more += 1

    def _writes_only(self, task: int, address: int) -> bool:
        found = self._copy(task, address, _FLAGS.size)
        return found >= _FLAGS.size and int(_FLAGS.unpack_from(self._text)[0]) & _ACCESS == _WRITE_ONLY

    def _read(self, task: int, address: int) -> bytes | None:
        """The text at an address of another process: up to its end, or to the end of what can be read."""
        found = self._copy(task, address, _PATH_BYTES)
        if found <= 0:
            return None
        self._text[found] = b"\0"
        return self._text.value

    def _copy(self, task: int, address: int, size: int) -> int:
        # In two pieces, the second from the next page on: where that is not there, the first is still copied.
        first = min(size, _PATH_BYTES - address % _PATH_BYTES)
        self._there[0].base, self._there[0].length = address, first
        self._there[1].base, self._there[1].length = address + first, size - first
        return int(self._libc.process_vm_readv(task, self._here, 1, self._there, 2, 0))


def _of_task(path: bytes, task: int) -> bytes:
    """The file that a path such as ``/proc/self/fd/3`` or ``/dev/stdin`` is for a task, where it is one."""
    own = _STREAMS.get(path)
    if path.startswith(b"/dev/fd/"):
        own = b"fd/" + path.removeprefix(b"/dev/fd/")
    for name in (b"/proc/self/", b"/proc/thread-self/"):
        if path.startswith(name):
            own = path.removeprefix(name)
    return os.path.realpath(b"/proc/%d/%b" % (task, own) if own is not None else path)
