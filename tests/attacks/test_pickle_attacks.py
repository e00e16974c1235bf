"""Hostile pickles by class. None may pass; those with an effect must fail, at the offset of the import."""

from __future__ import annotations

import struct

import pytest
from tests.support.asm import (
    BUILD,
    DUP,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_SET,
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
    tensor,
    text,
)

from assaymark.core.report import Confidence, Report, ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

SYSTEM = call("os", "system", text("id"))


def scan(data: bytes, name: str = "model.pkl") -> Report:
    return examine(BytesView(data), name)


LAST = -2  # the opcode before STOP

# What is imported and from which byte, by the rule that must say so.
EFFECTS: dict[str, tuple[bytes, str, int]] = {
    "GLOBAL and REDUCE": (proto(2) + SYSTEM + STOP, "pickle-dangerous-global", 2),
    "posix.system": (proto(2) + call("posix", "system", text("id")) + STOP, "pickle-dangerous-global", 2),
    "STACK_GLOBAL": (proto(4) + text("os") + text("system") + STACK_GLOBAL + text("id") + TUPLE1 + REDUCE + STOP, "pickle-dangerous-global", 14),
    "in a frame": (proto(4) + frame(SYSTEM + STOP), "pickle-dangerous-global", 11),
    "a frame that is longer than the stream, which pickle.py ignores": (proto(4) + frame(SYSTEM + STOP, 1 << 40), "pickle-dangerous-global", 11),
    "INST": (MARK + text("id") + b"ios\nsystem\n" + STOP, "pickle-dangerous-global", 5),
    "OBJ": (MARK + glob("os", "system") + text("id") + OBJ + STOP, "pickle-dangerous-global", 1),
    "NEWOBJ": (proto(2) + glob("subprocess", "Popen") + text("id") + TUPLE1 + NEWOBJ + STOP, "pickle-dangerous-global", 2),
    "NEWOBJ_EX": (proto(4) + glob("subprocess", "Popen") + text("id") + TUPLE1 + EMPTY_DICT + NEWOBJ_EX + STOP, "pickle-dangerous-global", 2),
    "a name that the end of the file cuts off, for pickle.py": (b"cantigravity\nxx", "pickle-dangerous-global", 0),
    "a module that the end of the file cuts off, for pickle.py": (b"cantigravity~", "pickle-dangerous-global", 0),
    "an import alone": (proto(2) + glob("antigravity", "x") + STOP, "pickle-dangerous-global", 2),
    "Python 2 names": (b"c__builtin__\neval\n(S'1'\ntR.", "pickle-dangerous-global", 0),
    "Python 2 modules": (proto(2) + call("commands", "getoutput", text("id")) + STOP, "pickle-dangerous-global", 2),
    "a dotted name through a trusted module": (proto(4) + text("torch") + text("serialization.os.system") + STACK_GLOBAL + text("id") + TUPLE1 + REDUCE + STOP, "pickle-dangerous-global", 34),
    "a dotted name through a permitted class": (proto(4) + text("collections") + text("OrderedDict.__init__.__globals__") + STACK_GLOBAL + STOP, "pickle-dangerous-global", 49),
    "a module re-exported by another": (proto(2) + glob("torch.utils", "os.system") + STOP, "pickle-dangerous-global", 2),
    "names from the memo": (proto(4) + text("os") + MEMOIZE + text("system") + MEMOIZE + get(0) + get(1) + STACK_GLOBAL + text("id") + TUPLE1 + REDUCE + STOP, "pickle-dangerous-global", 20),
    "names that are duplicated": (proto(4) + text("pty") + text("spawn") + STACK_GLOBAL + DUP + POP + text("sh") + TUPLE1 + REDUCE + STOP, "pickle-dangerous-global", 14),
    "names computed on the stack": (proto(4) + call("_codecs", "encode", text("os"), text("latin1")) + text("system") + STACK_GLOBAL + text("id") + TUPLE1 + REDUCE + STOP, "pickle-unknown-global", 41),
    "names in eight bits, which depend on the loader's encoding": (proto(4) + old_text("os") + old_text("system") + STACK_GLOBAL + text("id") + TUPLE1 + REDUCE + STOP, "pickle-dangerous-global", 14),
    "after STOP": (proto(2) + NONE + STOP + proto(2) + SYSTEM + STOP, "pickle-dangerous-global", 6),
    "in the third of several pickles": ((proto(2) + NONE + STOP) * 2 + proto(2) + SYSTEM + STOP, "pickle-dangerous-global", 10),
    "in a broken trailing pickle": (proto(2) + NONE + STOP + SYSTEM + b"\xff", "pickle-dangerous-global", 4),
    "a stream that breaks after the effect": (proto(2) + SYSTEM + b"\xff\xff", "pickle-dangerous-global", 2),
    "a stream that is cut off after the effect": (proto(2) + SYSTEM, "pickle-dangerous-global", 2),
    "a stream that ends within an opcode": (proto(2) + SYSTEM + b"X\xff\xff", "pickle-dangerous-global", 2),
    "a memo slot read before it is set, after the effect": (proto(2) + SYSTEM + get(9) + STOP, "pickle-dangerous-global", 2),
    "a malformed integer before the effect": (b"Iabc\n" + SYSTEM + STOP, "pickle-dangerous-global", 5),
    "an unquoted string before the effect": (b"Sabc\n" + SYSTEM + STOP, "pickle-dangerous-global", 5),
    "an unsupported protocol before the effect": (proto(9) + SYSTEM + STOP, "pickle-dangerous-global", 2),
    "protocol bytes in the middle": (proto(4) + NONE + proto(0) + b"c__builtin__\neval\n" + STOP, "pickle-dangerous-global", 5),
    "hidden by POP": (proto(2) + SYSTEM + POP + NONE + STOP, "pickle-dangerous-global", 2),
    "hidden by POP_MARK": (proto(2) + MARK + SYSTEM + b"1" + NONE + STOP, "pickle-dangerous-global", 3),
    "hidden behind raw data": (proto(3) + b"B" + struct.pack("<I", 100_000) + b"." * 100_000 + SYSTEM + STOP, "pickle-dangerous-global", 100_007),
    "hidden behind a long text": (proto(2) + b"X" + struct.pack("<I", 100_000) + b"." * 100_000 + SYSTEM + STOP, "pickle-dangerous-global", 100_007),
    "hidden behind a long line": (b"V" + b"." * 100_000 + b"\n" + SYSTEM + STOP, "pickle-dangerous-global", 100_002),
    "hidden behind BINBYTES8": (proto(4) + b"\x8e" + struct.pack("<Q", 9) + b"." * 9 + SYSTEM + STOP, "pickle-dangerous-global", 20),
    "hidden behind a BYTEARRAY8": (proto(5) + b"\x96" + struct.pack("<Q", 9) + b"." * 9 + SYSTEM + STOP, "pickle-dangerous-global", 20),
    "hidden behind LONG4": (proto(2) + b"\x8b" + struct.pack("<i", 5000) + b"." * 5000 + SYSTEM + STOP, "pickle-dangerous-global", 5007),
    "octal that C and pickletools read differently": (b"(" + SYSTEM + b"p0\nI010\n0g0\ntR" + STOP, "pickle-dangerous-global", 1),
    "a memo index with a NUL, which C reads to": (SYSTEM + b"p1\0x\ng1\n" + STOP, "pickle-dangerous-global", 0),
    "getattr": (proto(2) + call("builtins", "getattr", NONE, text("x")) + STOP, "pickle-unsafe-use", LAST),
    "operator.attrgetter": (proto(2) + call("operator", "attrgetter", text("x")) + STOP, "pickle-dangerous-global", 2),
    "functools.partial": (proto(2) + call("functools", "partial", NONE) + STOP, "pickle-dangerous-global", 2),
    "importlib": (proto(2) + call("importlib", "import_module", text("x")) + STOP, "pickle-dangerous-global", 2),
    "a pickle in a pickle": (proto(3) + call("pickle", "loads", b"C\x01.") + STOP, "pickle-dangerous-global", 2),
    "torch.load": (proto(2) + call("torch", "load", text("x")) + STOP, "pickle-dangerous-global", 2),
    "torch's own loader of bytes": (proto(3) + call("torch.storage", "_load_from_bytes", b"C" + bytes((len(SYSTEM) + 1,)) + SYSTEM + STOP) + STOP, "pickle-dangerous-global", 0),
    "torch's own loader, of no bytes": (proto(3) + call("torch.storage", "_load_from_bytes", text("x")) + STOP, "pickle-unsafe-use", LAST),
    "numpy.load": (proto(2) + call("numpy", "load", text("x")) + STOP, "pickle-dangerous-global", 2),
    "numpy's runstring": (proto(2) + call("numpy.testing._private.utils", "runstring", text("x"), EMPTY_DICT) + STOP, "pickle-dangerous-global", 2),
    "a socket": (proto(2) + call("socket", "create_connection", NONE) + STOP, "pickle-dangerous-global", 2),
    "ctypes": (proto(2) + call("ctypes", "CDLL", text("x")) + STOP, "pickle-dangerous-global", 2),
    "runpy": (proto(2) + call("runpy", "run_path", text("x")) + STOP, "pickle-dangerous-global", 2),
    "torch rebuilding any type": (proto(2) + call("torch._tensor", "_rebuild_from_type_v2", NONE) + STOP, "pickle-unsafe-use", LAST),
    "an unknown function": (proto(2) + call("acme.models", "restore", NONE) + STOP, "pickle-unknown-global", 2),
    "an unknown class": (proto(2) + glob("acme.models", "Net") + EMPTY_TUPLE + NEWOBJ + EMPTY_DICT + BUILD + STOP, "pickle-unknown-global", 2),
    "copyreg._reconstructor": (b"ccopy_reg\n_reconstructor\n(cacme\nNet\nc__builtin__\nobject\nNtR.", "pickle-unknown-global", 26),
    "BUILD into __setstate__ of an unknown class": (proto(2) + glob("acme", "Net") + NONE + BUILD + STOP, "pickle-unknown-global", 2),
    "an unknown name that is not UTF-8": (proto(2) + b"cacme\xff\nx\n" + STOP, "pickle-unknown-global", 2),
    "an extension code": (proto(2) + b"\x82\x07" + STOP, "pickle-extension", 2),
    "an extension code of four bytes": (proto(2) + b"\x84\x00\x00\x00\x80" + STOP, "pickle-extension", 2),
    "calling a storage class": (proto(2) + call("torch", "FloatStorage", number(1 << 30)) + STOP, "pickle-unsafe-use", LAST),
    "calling a dtype": (proto(2) + call("torch", "float32", NONE) + STOP, "pickle-unsafe-use", LAST),
    "BUILD on a permitted class": (proto(2) + glob("collections", "OrderedDict") + EMPTY_DICT + BUILD + STOP, "pickle-unsafe-use", LAST),
    "BUILD with slots": (proto(2) + call("collections", "OrderedDict") + NONE + EMPTY_DICT + TUPLE2 + BUILD + STOP, "pickle-unsafe-use", LAST),
    "BUILD twice, which may call what the first one set": (proto(2) + call("collections", "OrderedDict") + EMPTY_DICT + BUILD + EMPTY_DICT + BUILD + STOP, "pickle-unsafe-use", LAST),
    "APPEND to something that is no list": (proto(2) + call("collections", "OrderedDict") + NONE + b"a" + STOP, "pickle-unsafe-use", LAST),
    "SETITEM on a class": (proto(2) + glob("collections", "OrderedDict") + NONE + NONE + b"s" + STOP, "pickle-unsafe-use", LAST),
    "ADDITEMS to a tensor": (proto(4) + EMPTY_TUPLE + MARK + NONE + b"\x90" + STOP, "pickle-unsafe-use", 5),
    "another codec": (proto(2) + call("_codecs", "encode", text("x"), text("rot13")) + STOP, "pickle-unsafe-use", LAST),
    "an array allocated by the pickle": (proto(2) + call("numpy._core.multiarray", "_reconstruct", glob("numpy", "ndarray"), MARK + number(1 << 30) + TUPLE, b"U\x01b") + STOP, "pickle-unsafe-use", LAST),
    "an array of another class": (proto(2) + call("numpy._core.multiarray", "_reconstruct", glob("collections", "OrderedDict"), MARK + number(0) + TUPLE, b"U\x01b") + STOP, "pickle-unsafe-use", LAST),
    "a bytearray by size": (proto(2) + call("builtins", "bytearray", number(1 << 30)) + STOP, "pickle-unsafe-use", LAST),
    "a NumPy type whose size is a lie": (proto(2) + call("numpy", "dtype", text("S1"), b"\x89", b"\x88") + MARK + number(3) + text("|") + NONE + NONE + NONE + number(1 << 20) + number(1) + number(0) + TUPLE + BUILD + STOP, "pickle-unsafe-use", LAST),
    "a NumPy type that takes numbers for objects": (proto(2) + call("numpy", "dtype", text("f8"), b"\x89", b"\x88") + MARK + number(3) + text("<") + NONE + NONE + NONE + number(-1) + number(-1) + number(63) + TUPLE + BUILD + STOP, "pickle-unsafe-use", LAST),
    "arguments that are no tuple": (proto(2) + glob("collections", "OrderedDict") + EMPTY_LIST + REDUCE + STOP, "pickle-unsafe-use", LAST),
    "a call of what a call returned": (proto(2) + call("_codecs", "encode", text("x"), text("latin1")) + EMPTY_TUPLE + REDUCE + STOP, "pickle-unsafe-use", LAST),
    "keywords": (proto(4) + glob("collections", "OrderedDict") + EMPTY_TUPLE + EMPTY_DICT + NEWOBJ_EX + STOP, "pickle-unsafe-use", LAST),
    "a tensor without torch's storage": (proto(2) + call("torch._utils", "_rebuild_tensor_v2", NONE, number(0), EMPTY_TUPLE, EMPTY_TUPLE, b"\x89", NONE) + STOP, "pickle-unsafe-use", LAST),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_fails_at_its_offset(name: str) -> None:
    data, rule, offset = EFFECTS[name]
    report = scan(data)
    assert report.outcome() is ScanOutcome.FAIL
    offset = offset if offset >= 0 else len(data) + offset
    found = [(finding.rule, finding.locations[0].offset) for finding in report.findings]
    assert (rule, offset) in found, report.findings


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("file", ["readme.txt", "picture.png", "config.json", "model", "weights.safetensors"])
def test_the_name_hides_nothing(name: str, file: str) -> None:
    data, _, _ = EFFECTS[name]
    assert scan(data, file).outcome() is not ScanOutcome.PASS


BROKEN = {
    "cut off": proto(2) + NONE,
    "an unknown opcode": proto(2) + NONE + b"\xff" + STOP,
    "an empty stack": proto(2) + STOP,
    "a pop below the mark": proto(2) + NONE + MARK + STOP,
    "no mark": proto(2) + TUPLE + STOP,
    "a memo slot read before it is set": proto(2) + get(3) + STOP,
    "a memo index that is no number": b"Nga\n.",
    "an integer that is none": b"Iabc\n.",
    "a float that is none": b"Fabc\n.",
    "text that is not UTF-8": proto(2) + b"X\x01\x00\x00\x00\xff" + STOP,
    "an odd dict": proto(2) + EMPTY_DICT + MARK + NONE + b"u" + STOP,
    "a negative length": proto(2) + b"T\xff\xff\xff\xff" + STOP,
    "more raw data than there is": proto(4) + b"\x8e" + struct.pack("<Q", 1 << 62) + STOP,
    "bytes after STOP": proto(2) + NONE + STOP + b"\0\0\0\0",
    "text after STOP": proto(2) + NONE + STOP + b"hello",
    "an out-of-band buffer": proto(5) + b"\x97" + STOP,
    "no protocol": b"\x80",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_is_no_answer(name: str) -> None:
    report = scan(BROKEN[name])
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert report.skipped[0].reason


def test_a_persistent_id_outside_torch_is_unknown() -> None:
    report = scan(b"Psomething\n.")
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert [(finding.rule, finding.severity) for finding in report.findings] == [
        ("pickle-persistent-id", Severity.MEDIUM)
    ]


def test_the_message_says_where_and_what() -> None:
    (finding,) = scan(proto(2) + SYSTEM + STOP).findings
    assert finding.message.startswith("REDUCE at byte 19 calls os.system, which runs code when the file is loaded")
    assert "imported by GLOBAL at byte 2" in finding.message
    assert (finding.severity, finding.confidence) == (Severity.CRITICAL, Confidence.HIGH)


def test_an_unknown_global_is_called_unknown() -> None:
    (finding,) = scan(proto(2) + call("acme", "f") + STOP).findings
    assert "unknown here, not proven malicious" in finding.message
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.MEDIUM)


def test_both_names_are_reported_when_a_loader_renames() -> None:
    (finding,) = scan(b"c__builtin__\neval\n(S'1'\ntR.").findings
    assert "builtins.eval" in finding.message
    assert "written __builtin__.eval" in finding.message


def test_protocol_3_renames_nothing() -> None:
    (finding,) = scan(proto(3) + call("copy_reg", "_reconstructor") + STOP).findings
    assert "calls copy_reg._reconstructor" in finding.message


def test_a_hostile_name_is_made_printable() -> None:
    (finding,) = scan(proto(2) + b"cacme\x1b[2J\nx\n" + STOP).findings
    assert "\x1b" not in finding.message
    assert "\\x1b" in finding.message


def test_ten_thousand_findings_are_counted() -> None:
    report = scan(proto(2) + b"".join(glob("acme", f"f{n}") + POP for n in range(3000)) + NONE + STOP)
    assert report.outcome() is ScanOutcome.FAIL
    assert len(report.findings) == 1000
    assert any("more" in item.reason for item in report.skipped)


def test_a_long_stream_ends_with_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "assaymark.scanning.examine.Notes",
        lambda path, allow: __import__("assaymark.scanning.notes", fromlist=["Notes"]).Notes(path, opcodes_left=1000),
    )
    report = scan(proto(2) + NONE * 2000 + STOP)
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert "more than 1000 opcodes" in report.skipped[0].reason


def test_tensors_outside_their_storage() -> None:
    from tests.support.asm import torch_zip

    for bad in (
        tensor(size=(5,)),
        tensor(offset=1),
        tensor(size=(2, 2), stride=(4, 1)),
        tensor(size=(1 << 30, 1 << 30), stride=(1, 1)),
    ):
        report = examine(BytesView(torch_zip(proto(2) + bad + STOP, {"0": b"\0" * 16})), "m.pt")
        assert "torch-storage-size" in {finding.rule for finding in report.findings}
    good = examine(BytesView(torch_zip(proto(2) + tensor() + STOP, {"0": b"\0" * 16})), "m.pt")
    assert good.outcome() is ScanOutcome.PASS, good


def test_sets_and_lists_are_plain() -> None:
    data = (
        proto(4)
        + EMPTY_LIST
        + MARK
        + number(1)
        + b"e"
        + put(0)
        + b"0"
        + EMPTY_SET
        + MARK
        + number(1)
        + b"\x90"
        + STOP
    )
    assert scan(data).outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("memo", [b"r\xff\xff\xff\x7f", b"p2147483647\n"])
@pytest.mark.parametrize("name", ["model.pkl", "notes.txt"])
def test_a_memo_slot_that_takes_gigabytes(memo: bytes, name: str) -> None:
    report = scan(NONE + memo + STOP, name)
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("scan-resource", Severity.MEDIUM)
    assert finding.locations[0].offset == 1
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert report.outcome(Severity.MEDIUM) is ScanOutcome.FAIL


def test_memo_slots_that_are_counted_up_are_plain() -> None:
    slots = b"".join(NONE + b"r" + struct.pack("<I", index) + POP for index in range(300))
    assert scan(proto(2) + slots + NONE + STOP).findings == ()
