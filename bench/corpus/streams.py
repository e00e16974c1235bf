"""Pickles that hide what they do by how the stream is written."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.asm import (
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_TUPLE,
    MARK,
    MEMOIZE,
    NEWOBJ,
    NEWOBJ_EX,
    NONE,
    OBJ,
    POP,
    REDUCE,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    call,
    frame,
    get,
    glob,
    number,
    old_text,
    proto,
    put,
)

from bench.corpus.gadgets import EXEC, INNER, SHELL, T, again, blob, dotted, items, pairs, whole
from bench.corpus.sample import CODE, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN = TUPLE1 + REDUCE
_LINE = CODE.replace("\n", " ")
_SIMPLE = call("types", "SimpleNamespace")
_SLOTTED = T("decimal") + T("Context") + STACK_GLOBAL


def _long(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


OPCODES = {
    "INST": MARK + T(CODE) + b"ibuiltins\nexec\n" + STOP,
    "OBJ": MARK + glob("builtins", "exec") + T(CODE) + OBJ + STOP,
    "NEWOBJ_EX": whole(T("subprocess") + T("Popen") + STACK_GLOBAL + EMPTY_TUPLE + EMPTY_DICT + NEWOBJ_EX + POP + EXEC),
    "STACK_GLOBAL": whole(T("os") + T("system") + STACK_GLOBAL + T(SHELL) + _RUN),
    "protocol 0 in ASCII": b"c__builtin__\nexec\n(V" + _LINE.encode() + b"\ntR.",
    "protocol 0 with quotes": b"c__builtin__\nexec\n(S" + repr(_LINE).encode() + b"\ntR.",
    "protocol 0 with escapes": b'c__builtin__\nexec\n(S"' + "".join(f"\\x{ord(c):02x}" for c in _LINE).encode() + b'"\ntR.',
    "protocol 0 with raw unicode escapes": b"c__builtin__\nexec\n(V" + "".join(f"\\u{ord(c):04x}" for c in _LINE).encode() + b"\ntR.",
    "protocol 0 that looks like words": b"cbuiltins\nexec\n(V" + _LINE.encode() + b"\ntR0(dp0\n.",
    "protocol 1": b"c__builtin__\nexec\nq\x00(X" + struct.pack("<I", len(CODE)) + CODE.encode() + b"tR.",
    "names written with UTF-8": whole(T("builtins") + T("exec") + STACK_GLOBAL + T(CODE + "#\u00fc\u2603") + _RUN),
    "BINUNICODE8 names": whole(b"\x8d" + struct.pack("<Q", 2) + b"os" + b"\x8d" + struct.pack("<Q", 6) + b"system" + STACK_GLOBAL + T(SHELL) + _RUN),
    "no protocol": EXEC + STOP,
    "protocol in the middle": proto(4) + NONE + POP + proto(2) + EXEC + STOP,
    "highest protocol and GLOBAL": proto(5) + EXEC + STOP,
    "Python 2 module names": proto(2) + call("__builtin__", "eval", T(CODE)) + STOP,
    "Python 2 renamed class": proto(2) + call("UserDict", "UserDict") + POP + EXEC + STOP,
    "a renamed module of Python 2 (commands)": proto(2) + call("commands", "getoutput", T(SHELL)) + STOP,
    "a renamed module of Python 2 (StringIO)": proto(2) + dotted("cPickle", "loads", blob(INNER)) + STOP,
    "names in eight bits": proto(2) + glob("builtins", "exec") + old_text(CODE) + _RUN + STOP,
}  # fmt: skip

EFFECT_FIRST = {
    "breaks after the effect": proto(2) + EXEC + b"\xff\xff",
    "cut off after the effect": proto(2) + EXEC,
    "ends within an opcode": proto(2) + EXEC + b"X\xff\xff",
    "underflow after the effect": proto(2) + EXEC + POP + POP + POP + POP,
    "a memo slot that is not set": proto(2) + EXEC + get(9) + STOP,
    "a malformed integer after": proto(2) + EXEC + b"Iabc\n" + STOP,
    "no STOP and text after": proto(2) + EXEC + b"\n\nthis is a text\n",
    "an unknown class after": proto(2) + EXEC + glob("no_such_module", "x") + STOP,
    "hidden by POP": proto(2) + EXEC + POP + NONE + STOP,
    "hidden by POP_MARK": proto(2) + MARK + EXEC + b"1" + NONE + STOP,
    "dropped in a list": whole(items(EXEC, EXEC) + POP + items(number(1))),
    "the key of a dict": whole(pairs(T("weights"), items(number(1)), T("x"), EXEC)),
    "deep in a tuple": whole(MARK + MARK + MARK + EXEC + TUPLE + TUPLE + TUPLE),
    "an invalid protocol": EXEC + POP + proto(9) + STOP,
}  # fmt: skip

AFTER_STOP = {
    "a second pickle": proto(2) + NONE + STOP + proto(2) + EXEC + STOP,
    "a third pickle": (proto(4) + EMPTY_DICT + STOP) * 2 + proto(2) + EXEC + STOP,
    "a broken second pickle": proto(2) + NONE + STOP + proto(2) + EXEC + b"\xff",
    "a second pickle of protocol 0": proto(2) + NONE + STOP + b"c__builtin__\nexec\n(V" + _LINE.encode() + b"\ntR.",
}

RAW = {
    "behind BINBYTES": proto(3) + _long(b"." * 100_000) + POP + EXEC + STOP,
    "behind BINUNICODE": proto(2) + b"X" + struct.pack("<I", 100_000) + b"." * 100_000 + EXEC + STOP,
    "behind BINBYTES8": proto(4) + b"\x8e" + struct.pack("<Q", 9) + b"." * 9 + EXEC + STOP,
    "behind BYTEARRAY8": proto(5) + b"\x96" + struct.pack("<Q", 9) + b"." * 9 + EXEC + STOP,
    "behind a long line": b"V" + b"." * 100_000 + b"\n" + EXEC + STOP,
    "behind LONG4": proto(2) + b"\x8b" + struct.pack("<i", 5000) + b"." * 5000 + EXEC + STOP,
    "behind 3 MB of bytes": proto(3) + _long(b"\0" * 3_000_000) + POP + EXEC + STOP,
    "behind 100,000 opcodes": proto(4) + (NONE + POP) * 100_000 + EXEC + STOP,
    "behind 1,000,000 opcodes": proto(4) + (NONE + POP) * 1_000_000 + EXEC + STOP,
    "within a pickle in a byte string": whole(call("pickle", "loads", blob(whole(call("pickle", "loads", blob(INNER)))))),
}  # fmt: skip

FRAMES = {
    "in a frame": proto(4) + frame(EXEC + STOP),
    "two frames": proto(4) + frame(NONE + POP) + frame(EXEC + STOP),
    "a frame longer than the file (pickle.py)": proto(4) + frame(EXEC + STOP, 1 << 30),
    "a frame of no bytes": proto(4) + frame(b"") + EXEC + STOP,
    "a frame that ends within an opcode": proto(4) + frame(T(CODE)[:4], 4) + T(CODE)[4:] + POP + EXEC + STOP,
    # C drops what it read ahead; the two readers go on at different bytes.
    "a frame that splits a text": proto(4) + frame(b"\x8c\x05", 2) + b"aaaaa" + POP + EXEC + STOP,
}

MEMO = {
    "names from the memo": whole(T("os") + MEMOIZE + T("system") + MEMOIZE + POP + POP + get(0) + get(1) + STACK_GLOBAL + T(SHELL) + _RUN),
    "a function from the memo": proto(2) + glob("builtins", "exec") + put(0) + POP + NONE + POP + get(0) + T(CODE) + _RUN + STOP,
    "a slot that is set twice": proto(2) + T("harmless") + put(0) + POP + glob("builtins", "exec") + put(0) + POP + get(0) + T(CODE) + _RUN + STOP,
    "a slot of a large number": proto(2) + glob("builtins", "exec") + b"r" + struct.pack("<I", 100_000) + POP + b"j" + struct.pack("<I", 100_000) + T(CODE) + _RUN + STOP,
    "a slot written in decimal": glob("builtins", "exec") + b"p7\n0g7\n(" + T(CODE) + b"tR.",
    "a slot in octal, which pickletools reads else": MARK + T(CODE) + b"p10\n0cbuiltins\nexec\np8\n0g8\n(g10\ntR.",
    "an integer in octal": whole(b"I010\n" + POP + EXEC),
    "an integer with blanks": b"I 10\n0" + EXEC + STOP,
    "a long with L": b"L10L\n0" + EXEC + STOP,
    "a memo that MEMOIZE numbers": whole(NONE + MEMOIZE + POP + T("builtins") + MEMOIZE + POP + get(1) + T("exec") + STACK_GLOBAL + T(CODE) + _RUN),
    "names that are duplicated": whole(T("builtins") + DUP + POP + T("exec") + STACK_GLOBAL + DUP + POP + T(CODE) + _RUN),
    "a list that changes after it is kept": whole(b"]" + MEMOIZE + EXEC + b"a" + POP + get(0)),
}  # fmt: skip

NAMES = {
    "computed by str.join": whole(
        call("builtins", "str", T("builtins")) + T("exec") + STACK_GLOBAL + T(CODE) + _RUN
    ),
    "computed by _codecs.encode": whole(
        call("_codecs", "decode", call("_codecs", "encode", T("bf"), T("rot13")), T("latin1")) + POP + EXEC
    ),
    "computed by bytes.decode": whole(dotted("builtins", "bytes.decode", blob(b"os")) + T("system") + STACK_GLOBAL + T(SHELL) + _RUN),
    "computed by str.replace": whole(dotted("builtins", "str.replace", T("oXs"), T("X"), T("")) + T("system") + STACK_GLOBAL + T(SHELL) + _RUN),
    "dotted through collections": whole(again(dotted("collections", "_sys.modules.get", T("posix")) + b"0" + T("collections") + T("abc.sys.modules.get") + STACK_GLOBAL, T("os")) + b"0" + EXEC),
    "dotted through torch's module": whole(dotted("torch._utils", "sys.modules.get", T("os")) + b"0" + dotted("torch.serialization", "os.system", T(SHELL))),
    "dotted through numpy": whole(dotted("numpy._core.multiarray", "functools.partial", glob("os", "system"), T(SHELL)) + MEMOIZE + EMPTY_TUPLE + REDUCE),
    "dotted through sklearn": whole(dotted("sklearn.utils", "_chunking.warnings.sys.modules.get", T("os")) + b"0" + dotted("sklearn.externals._packaging.version", "itertools.starmap", glob("builtins", "exec"), items(T(CODE) + TUPLE1)) + MEMOIZE + POP + call("builtins", "list", get(0))),
    "dotted through joblib": whole(dotted("joblib.numpy_pickle_utils", "pickle.loads", blob(INNER))),
    "dotted through pandas": whole(dotted("pandas.compat.pickle_compat", "pickle.loads", blob(INNER))),
    "the globals of a function": whole(again(again(dotted("collections", "namedtuple.__globals__.get", T("_sys")) + b"0" + glob("builtins", "getattr"), dotted("collections", "_sys.modules.get", T("os")), T("system")), T(SHELL))),
    "the builtins of a method": whole(again(dotted("collections", "namedtuple.__builtins__.get", T("exec")), T(CODE))),
    "subclasses": whole(again(call("builtins", "getattr", glob("builtins", "object"), T("__subclasses__"))) + POP + EXEC),
    "a class through getattr": whole(again(call("builtins", "getattr", call("builtins", "__import__", T("os")), T("system")), T(SHELL))),
}  # fmt: skip

BUILDS = {
    "BUILD into __setstate__": proto(2) + glob("types", "SimpleNamespace") + b")R" + EMPTY_DICT + MARK + T("__setstate__") + glob("builtins", "exec") + b"u" + BUILD + T(CODE) + BUILD + STOP,
    "BUILD into __setstate__ of an OrderedDict": proto(2) + glob("collections", "OrderedDict") + b")R" + NONE + EMPTY_DICT + MARK + T("__setstate__") + glob("builtins", "exec") + b"u" + TUPLE2 + BUILD + T(CODE) + BUILD + STOP,
    "setattr of a class through slots": whole(
        T("collections") + T("UserDict") + STACK_GLOBAL + NONE + pairs(T("__setstate__"), glob("builtins", "exec")) + TUPLE2 + BUILD
        + POP + T("collections") + T("UserDict") + STACK_GLOBAL + EMPTY_TUPLE + NEWOBJ + MEMOIZE + POP + EXEC
    ),
    "setattr of a module": whole(
        call("importlib", "import_module", T("json")) + NONE + pairs(T("loads"), glob("builtins", "exec")) + TUPLE2 + BUILD + POP
        + call("json", "loads", T(CODE))
    ),
    "a partial's state": whole(
        T("functools") + T("partial") + STACK_GLOBAL + glob("builtins", "print") + TUPLE1 + NEWOBJ
        + MARK + glob("builtins", "exec") + T(CODE) + TUPLE1 + EMPTY_DICT + NONE + TUPLE + BUILD + EMPTY_TUPLE + REDUCE
    ),
    "an OrderedDict that a class changes": whole(
        call("collections", "OrderedDict") + NONE + pairs(T("__class__"), glob("collections", "UserDict")) + TUPLE2 + POP + POP + EXEC
    ),
    "a defaultdict's factory through SETITEM": whole(
        dotted("collections", "defaultdict.__getitem__", call("collections", "defaultdict", call("functools", "partial", glob("os", "system"), T(SHELL))), T("x"))
    ),
    "append of an object": whole(
        call("types", "SimpleNamespace") + pairs(T("append"), glob("builtins", "exec")) + BUILD + T(CODE) + b"a"
    ),
    "extend of an object": whole(
        call("types", "SimpleNamespace") + pairs(T("append"), glob("builtins", "exec")) + BUILD + MARK + T(CODE) + T(CODE) + b"e"
    ),
    "add of an object": whole(
        call("types", "SimpleNamespace") + pairs(T("add"), glob("builtins", "exec")) + BUILD + MARK + T(CODE) + b"\x90"
    ),
}  # fmt: skip

EXTENSIONS = {
    "a code that the stream registers": whole(
        call("copyreg", "add_extension", T("builtins"), T("exec"), number(7)) + POP + b"\x82\x07" + T(CODE) + _RUN
    ),
    "a code of four bytes": whole(
        call("copyreg", "add_extension", T("os"), T("system"), number(70_000)) + POP + b"\x84" + struct.pack("<i", 70_000) + T(SHELL) + _RUN
    ),
    "Python 2's copy_reg": proto(2)
    + call("copy_reg", "add_extension", T("builtins"), T("exec"), number(9)) + POP + b"\x83\x09\x00" + T(CODE) + _RUN + STOP,
}  # fmt: skip


def samples() -> list[Sample]:
    """Each stream as a file."""
    return list(_samples())


def _samples() -> Iterator[Sample]:
    for evasion, table in (
        ("stream-opcodes", OPCODES),
        ("stream-broken", EFFECT_FIRST),
        ("stream-after-stop", AFTER_STOP),
        ("stream-raw-data", RAW),
        ("stream-frames", FRAMES),
        ("stream-memo", MEMO),
        ("stream-names", NAMES),
        ("stream-build", BUILDS),
        ("stream-extensions", EXTENSIONS),
    ):
        for name, data in table.items():
            slug = name.replace(" ", "-").replace("'", "").replace(",", "").replace("/", "-")
            loader = "pickles" if evasion == "stream-after-stop" else "pickle"
            yield single(evasion, f"{slug}.pkl", data, loader)
    yield single("name", "weights.txt", INNER, "pickle", "a pickle under the name of a text")
    yield single("name", "no-extension", INNER, "pickle")
    yield single("name", "picture.png", INNER, "pickle")
    yield single("name", "README.md", proto(0)[:0] + OPCODES["protocol 0 in ASCII"], "pickle")
    yield single("name", "model.dat", INNER, "pickle")
    yield single("name", "config.json", OPCODES["protocol 0 in ASCII"], "pickle")
    yield single("name", "model.pkl.bak", INNER, "pickle")
    yield single("name", "model.safetensors", INNER, "pickle")
    yield single("name", "model.npy", INNER, "numpy")
