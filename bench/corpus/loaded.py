"""Files of joblib, NumPy, torch and pandas that run something when their own loaders open them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from tests.support.asm import (
    EMPTY_DICT,
    MARK,
    NONE,
    POP,
    REDUCE,
    STOP,
    TUPLE,
    call,
    glob,
    make_zip,
    number,
    proto,
    tensor,
    text,
    torch_zip,
    zip_entry,
)

from bench.corpus.gadgets import EXEC, INNER, T, blob, items, pairs, whole
from bench.corpus.sample import CODE, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = proto(2) + EXEC + STOP


class Runs:
    """What executes when it is unpickled."""

    def __reduce__(self) -> object:
        """Runs the payload."""
        return exec, (CODE,)


def npy(body: bytes, shape: str = "(1,)", descr: str = "'|O'", version: int = 1) -> bytes:
    """An array file with ``body`` behind its header."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    width = 2 if version == 1 else 4
    length = -(len(header) + 7 + width + 1 + 1) % 64 + len(header) + 1
    header = header.ljust(length - 1) + "\n"
    return b"\x93NUMPY" + bytes((version, 0)) + len(header).to_bytes(width, "little") + header.encode() + body


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A plain zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def joblib_file(value: object, **options: object) -> bytes:
    """What joblib writes."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


def torch_file(value: object, **options: object) -> bytes:
    """What torch writes."""
    import torch

    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def compressions() -> dict[str, bytes]:
    """The payload in each compression that joblib or pandas open by content or name."""
    return {
        "model.pkl.gz": gzip.compress(INNER),
        "model.pkl.bz2": bz2.compress(INNER),
        "model.pkl.xz": lzma.compress(INNER),
        "model.pkl.lzma": lzma.compress(INNER, lzma.FORMAT_ALONE),
        "model.pkl.z": zlib.compress(INNER),
        "two-members.gz": gzip.compress(proto(2)) + gzip.compress(EXEC + STOP),
        "gzip-with-a-name.gz": b"\x1f\x8b\x08\x08\0\0\0\0\0\x03picture.png\0" + gzip.compress(INNER)[10:],
    }  # fmt: skip


def _joblib() -> Iterator[Sample]:
    import numpy as np

    for name, data in compressions().items():
        yield single("joblib-compressed", name, data, "joblib")
    yield single("joblib-compressed", "compressed.joblib", zlib.compress(INNER), "joblib", "no name says so")
    yield single(
        "joblib-compressed",
        "old-ZF.joblib",
        b"ZF" + hex(len(INNER)).ljust(19).encode() + zlib.compress(INNER),
        "joblib",
    )
    yield single("joblib-compressed", "real.joblib", joblib_file([Runs(), np.arange(5.0)], compress=3), "joblib")
    yield single("joblib-arrays", "object-in-array.joblib", joblib_file(np.array([Runs()], dtype=object)), "joblib")
    yield single("joblib-arrays", "object-behind-arrays.joblib", joblib_file([np.arange(1000.0), Runs()]), "joblib")
    yield single(
        "joblib-arrays", "object-in-dict.joblib", joblib_file({"a": np.zeros((3, 4)), "b": {"c": Runs()}}), "joblib"
    )
    payload = call("builtins", "exec", text(CODE)) + STOP
    data = joblib_file(np.zeros(64), protocol=4)
    start = data.index(b"ub\x03\xff\xff\xff") + 2 if b"ub\x03\xff\xff\xff" in data else -1
    if start > 0:
        hybrid = data[:start] + b"N" + payload.ljust(ord("N"), b"\xff") + data[start + 4 :]
        yield single(
            "joblib-arrays",
            "raw-data-is-opcodes.joblib",
            hybrid,
            "pickle",
            "joblib.load sees an array, pickle.load runs",
        )
    wrapper = joblib_file(np.array([1, None], dtype=object))
    inner = wrapper.index(b"\x80", 2)
    yield single("joblib-arrays", "pickle-instead-of-array.joblib", wrapper[:inner] + INNER + wrapper[-1:], "joblib")
    yield single("joblib-arrays", "protocol-0.joblib", joblib_file(Runs(), protocol=0), "joblib")


def _numpy() -> Iterator[Sample]:
    yield single("numpy", "objects.npy", npy(INNER), "numpy")
    yield single("numpy", "objects-2.npy", npy(INNER, version=2), "numpy")
    yield single("numpy", "objects-3.npy", npy(INNER, version=3), "numpy")
    yield single("numpy", "structured.npy", npy(INNER, descr="[('a', '<f4'), ('b', '|O')]"), "numpy")
    yield single("numpy", "nested-dtype.npy", npy(INNER, descr="[('a', [('b', '|O', (2,))])]"), "numpy")
    yield single("numpy", "no-elements.npy", npy(INNER, shape="(0,)"), "numpy")
    yield single("numpy", "scalar.npy", npy(INNER, shape="()"), "numpy")
    yield single("numpy", "pickle.npy", INNER, "numpy", "numpy.load unpickles what has no magic")
    yield single(
        "numpy",
        "odd-header.npy",
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", 60)
        + b"{'shape':(1,),'fortran_order':True,'descr':'O'}".ljust(60)
        + INNER,
        "numpy",
    )
    for name, members, method in (
        ("member.npz", {"a.npy": npy(INNER)}, zipfile.ZIP_STORED),
        ("deflated.npz", {"a.npy": npy(INNER)}, zipfile.ZIP_DEFLATED),
        ("member-without-npy.npz", {"weights": npy(INNER)}, zipfile.ZIP_STORED),
        (
            "member-named-txt.npz",
            {"arr_0.npy": npy(b"\0" * 8, descr="'<f8'"), "notes.txt": npy(INNER)},
            zipfile.ZIP_STORED,
        ),
        ("second-member.npz", {"a.npy": npy(b"\0" * 8, descr="'<f8'"), "b.npy": npy(INNER)}, zipfile.ZIP_STORED),
        ("bzip2.npz", {"a.npy": npy(INNER)}, zipfile.ZIP_BZIP2),
        ("lzma.npz", {"a.npy": npy(INNER)}, zipfile.ZIP_LZMA),
    ):
        yield single("numpy", name, zipped(members, method), "numpy")


def _torch() -> Iterator[Sample]:
    import torch

    yield single("torch-zip", "object.pt", torch_file({"w": torch.zeros(2), "x": Runs()}), "torch")
    yield single("torch-zip", "by-hand.pt", torch_zip(TWO), "torch")
    yield single(
        "torch-zip", "with-tensor.pt", torch_zip(proto(2) + tensor() + POP + EXEC + STOP, {"0": b"\0" * 16}), "torch"
    )
    base = {"version": b"3\n", "byteorder": b"little"}
    for root in ("model", "a b", "x/y"):
        slug = root.replace(" ", "-").replace("/", "-")
        yield single(
            "torch-zip",
            f"root-{slug}.pt",
            zipped({f"{root}/data.pkl": TWO, **{f"{root}/{k}": v for k, v in base.items()}}),
            "torch",
        )
    yield single("torch-zip", "under-bin.bin", torch_zip(TWO), "torch")
    yield single(
        "torch-zip",
        "deflated.pt",
        zipped({"archive/data.pkl": TWO, "archive/version": b"3\n"}, zipfile.ZIP_DEFLATED),
        "torch",
    )
    good = proto(2) + EMPTY_DICT + STOP
    entry = zip_entry
    version = entry(b"archive/version", b"3\n")
    wrong = entry(b"archive/data.pkl", TWO, crc=0, local_crc=0)
    yield single(
        "zip-two-readings",
        "wrong-checksum.pt",
        make_zip([wrong, version]),
        "torch",
        "torch does not check it; zipfile refuses",
    )
    yield single(
        "zip-two-readings",
        "local-name.pt",
        make_zip([entry(b"archive/data.pkl", TWO, local_name=b"archive/data.txt"), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "duplicate-first.pt",
        make_zip([entry(b"archive/data.pkl", TWO), entry(b"archive/data.pkl", good), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "duplicate-last.pt",
        make_zip([entry(b"archive/data.pkl", good), entry(b"archive/data.pkl", TWO), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "duplicate-case.pt",
        make_zip([entry(b"archive/DATA.PKL", good), entry(b"archive/data.pkl", TWO), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "suffix.pt",
        make_zip([entry(b"archive/data.pkl", TWO), version], tail=b"\0" * 100),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "comment.pt",
        make_zip([entry(b"archive/data.pkl", TWO), version], comment=b"PK\x05\x06" + b"\0" * 18),
        "torch",
    )
    yield single(
        "zip-two-readings", "gap.pt", make_zip([entry(b"archive/data.pkl", TWO), version], gap=b"x" * 50), "torch"
    )
    first = make_zip([entry(b"archive/data.pkl", good), version])
    yield single(
        "zip-two-readings",
        "two-archives.pt",
        first + make_zip([entry(b"archive/data.pkl", TWO), version], prefix=b""),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "prefix-pickle.pkl",
        TWO + make_zip([entry(b"archive/data.pkl", good), version], prefix=b""),
        "pickle",
    )
    yield single(
        "zip-two-readings",
        "folder-flag.pt",
        make_zip([entry(b"archive/data.pkl", TWO, external=0x10), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "data-in-directory-name.pt",
        make_zip([entry(b"archive/data.pkl", TWO), entry(b"archive/data.pkl/", b""), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "backslash.pt",
        make_zip([entry(b"archive\\data.pkl", good), entry(b"archive/data.pkl", TWO), version]),
        "torch",
    )
    yield single(
        "zip-two-readings",
        "nul-in-name.pt",
        make_zip([entry(b"archive/data.pkl\0.txt", TWO), entry(b"archive/data.pkl", TWO), version]),
        "torch",
    )
    legacy = torch_file({"w": torch.zeros(2), "x": Runs()}, _use_new_zipfile_serialization=False)
    yield single("torch-legacy", "object.pt", legacy, "torch")
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    yield single("torch-legacy", "fourth-pickle.pt", magic + TWO + pickle.dumps([], 2), "torch")
    yield single(
        "torch-legacy",
        "third-pickle.pt",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2)
        + pickle.dumps(1001, 2)
        + TWO
        + pickle.dumps({}, 2)
        + pickle.dumps([], 2),
        "torch",
    )
    yield single("torch-legacy", "fifth-pickle.pt", magic + pickle.dumps({}, 2) + TWO, "torch")
    yield single("torch-legacy", "first-pickle.pt", TWO, "torch")
    yield single(
        "torch-legacy",
        "protocol-0.pt",
        pickle.dumps(0x1950A86A20F9469CFC6C, 0)
        + pickle.dumps(1001, 0)
        + pickle.dumps({}, 0)
        + b"c__builtin__\nexec\n(V"
        + CODE.encode()
        + b"\ntR.",
        "torch",
    )
    evil_pid = MARK + text("storage") + EXEC + text("0") + text("cpu") + number(4) + TUPLE + b"Q"
    yield single(
        "torch-persistent", "call-in-id.pt", torch_zip(proto(2) + evil_pid + STOP, {"0": b"\0" * 16}), "torch"
    )
    yield single(
        "torch-persistent",
        "type-is-function.pt",
        torch_zip(
            proto(2)
            + MARK
            + text("storage")
            + glob("os", "system")
            + text("0")
            + text("cpu")
            + number(4)
            + TUPLE
            + b"Q"
            + POP
            + EXEC
            + STOP,
            {"0": b"\0" * 16},
        ),
        "torch",
    )
    for name, members in {
        "tar.pt": {"sys_info": pickle.dumps({"protocol_version": 1000, "little_endian": True, "type_sizes": {}}), "storages": pickle.dumps(0), "tensors": pickle.dumps(0), "pickle": TWO},
        "tar-in-storages.pt": {"sys_info": pickle.dumps({"protocol_version": 1000}), "storages": TWO, "tensors": pickle.dumps(0), "pickle": pickle.dumps({})},
    }.items():  # fmt: skip
        yield single("torch-tar", name, tarred(members), "torch")
    bound = call("torch._utils", "_rebuild_tensor", call("builtins", "exec", T(CODE)))
    yield single("torch-zip", "in-arguments.pt", torch_zip(proto(2) + bound + STOP), "torch")
    hooks = (
        glob("torch._utils", "_rebuild_parameter_with_state")
        + MARK
        + tensor()
        + b"\x88"
        + call("collections", "OrderedDict")
        + pairs(T("__setstate__"), glob("builtins", "exec"))
        + TUPLE
        + REDUCE
        + T(CODE)
        + b"b"
    )
    yield single("torch-zip", "state-of-parameter.pt", torch_zip(proto(2) + hooks + STOP, {"0": b"\0" * 16}), "torch")
    yield single("torch-zip", "unpicklable-name.ckpt", torch_zip(TWO), "torch")
    yield single(
        "torch-zip",
        "load-from-bytes.pt",
        torch_zip(proto(2) + call("torch.storage", "_load_from_bytes", blob(torch_zip(TWO))) + STOP),
        "torch",
    )
    linear = torch.nn.Linear(2, 2)
    linear.forward = Runs()  # type: ignore[assignment,method-assign]
    yield single("torch-zip", "module-with-forward.pt", torch_file(linear), "torch")
    from bench.corpus import torch_graphs

    yield from torch_graphs.samples()


def _pandas() -> Iterator[Sample]:
    yield single("pandas", "frame.pkl", whole(EXEC), "pandas")
    for name, data in compressions().items():
        if name.endswith((".pkl.gz", ".pkl.bz2", ".pkl.xz")):
            yield single("pandas", name, data, "pandas")
    yield single("pandas", "frame.pkl.zip", zipped({"frame.pkl": INNER}), "pandas")
    yield single("pandas", "frame.pkl.tar.gz", gzip.compress(tarred({"frame.pkl": INNER})), "pandas")
    yield single(
        "pandas",
        "renamed-class.pkl",
        proto(2) + glob("pandas.core.arrays", "SparseArray") + POP + EXEC + STOP,
        "pandas",
    )


def tarred(members: dict[str, bytes], **kinds: bytes) -> bytes:
    """A plain tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.type = kinds.get(name, tarfile.REGTYPE)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _others() -> Iterator[Sample]:
    import cloudpickle
    import dill

    yield single("dill-cloudpickle", "function.pkl", cloudpickle.dumps(Runs()), "pickle")
    yield single("dill-cloudpickle", "lambda.pkl", cloudpickle.dumps(_Later(lambda: exec(CODE))), "pickle")
    yield single("dill-cloudpickle", "object.dill", dill.dumps(Runs()), "dill")
    yield single("dill-cloudpickle", "by-value.pkl", _by_value(), "pickle", "as stable-baselines saves policies")


class _Later:
    """A function that its own unpickling calls."""

    def __init__(self, function: object) -> None:
        self.function = function

    def __reduce__(self) -> object:
        return self.function, ()


def _by_value() -> bytes:
    import base64

    import cloudpickle

    def hidden() -> None:
        open("marker", "w").close()

    stream = cloudpickle.dumps(_Later(hidden))
    return pickle.dumps(items and _Loads(base64.b64encode(stream)))


class _Loads:
    """What loads bytes that are encoded."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> object:
        return eval, (f"__import__('pickle').loads(__import__('base64').b64decode({self.data!r}))",)


def samples() -> list[Sample]:
    """Files of the libraries' own loaders."""
    return [*_joblib(), *_numpy(), *_torch(), *_pandas(), *_others(), *_nothing()]


def _nothing() -> Iterator[Sample]:
    yield single("joblib-arrays", "none-then-run.joblib", proto(4) + NONE + POP + EXEC + STOP, "joblib")
