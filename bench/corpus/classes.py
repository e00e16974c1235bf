"""The classes of evasion: what each is, and where it comes from."""

from __future__ import annotations

from typing import Final

_HIDE = "The Art of Hide and Seek (2025)"
_BALL = "PickleBall (CCS 2025)"

# id: (what it is, source)
CLASSES: Final[dict[str, tuple[str, str]]] = {
    "pickle-plain": ("REDUCE of a function that runs code: what every scanner knows", _BALL),
    "gadget-stdlib": ("functions of the standard library that run code and stand on no list", f"{_HIDE}; picklescan's and fickling's advisories of 2025"),
    "gadget-files": ("functions that write, move or read files, without running anything", _HIDE),
    "gadget-numpy": ("NumPy's own functions that evaluate, unpickle or write", "picklescan's advisories (numpy.f2py, numpy.testing)"),
    "gadget-libraries": ("the same in torch, pandas, scipy, scikit-learn, joblib, dill, sympy and their kin", f"{_HIDE}; CVE-2025-1716 and its kin"),
    "stream-opcodes": ("INST, OBJ, NEWOBJ_EX, protocol 0 with escapes, Python 2's names", "CPython's pickle; own"),
    "stream-broken": ("a stream that breaks after its effect, so that a strict parser stops", "nullifAI, ReversingLabs (2025)"),
    "stream-after-stop": ("a second pickle behind the first", "own; stacked pickles, fickling"),
    "stream-raw-data": ("the effect lies behind much raw data, or many opcodes", "own"),
    "stream-frames": ("frames that readers take differently", "own: C drops what it read ahead"),
    "stream-memo": ("names and functions out of the memo, by indices that readers count differently", "own; pickletools reads octal"),
    "stream-names": ("names that are computed, or go through a module that is trusted", f"{_HIDE}; CVE-2025-1945 and its kin"),
    "stream-build": ("BUILD, SETITEMS and APPENDS into attributes that are called later", "own; copyreg's protocol"),
    "stream-extensions": ("codes of copyreg instead of names", "own; PEP 307"),
    "name": ("a name that promises something else", "CVE-2025-1889"),
    "joblib-compressed": ("compressed pickles, which joblib opens by content", _HIDE),
    "joblib-arrays": ("objects among raw arrays; raw data that is opcodes for another reader", "own"),
    "numpy": ("arrays of objects in .npy and .npz, in members of any name and compression", _HIDE),
    "torch-zip": ("torch's zip archive, with the pickle in odd places", _BALL),
    "torch-legacy": ("torch's format before 1.6: five pickles and raw storages", _HIDE),
    "torch-persistent": ("calls within persistent ids", "own"),
    "torch-tar": ("torch's oldest format, a tar archive of pickles", _HIDE),
    "torch-script": ("TorchScript whose operators write files", "torch's documentation"),
    "torch-export": (".pt2 archives with pickled samples or weights", "own"),
    "torch-package": ("packages that bring Python source", _HIDE),
    "zip-two-readings": ("zip archives that two readers read differently", "CVE-2025-10155 to 10157; own"),
    "pandas": ("read_pickle through its compressions", _HIDE),
    "dill-cloudpickle": ("functions by value", _BALL),
    "nested": ("archives within archives", _HIDE),
    "archive-path": ("members that land outside of the folder", "CVE-2007-4559, CVE-2025-11001"),
    "native": ("programs and libraries beside or instead of weights", "llamafile; own"),
    "template": ("chat templates that reach Python's modules", "CVE-2024-34359"),
    "remote-code": ("configurations that name code to import", "transformers' trust_remote_code; _HIDE".replace("_HIDE", _HIDE)),
    "yaml": ("tags that construct Python objects", "CVE-2020-14343"),
    "config-target": ("_target_, class_path and their kin", "CVE-2025-23304 (NeMo), Hydra"),
    "mlflow": ("MLflow's loader_module and python_model", "CVE-2024-37052 and its kin"),
    "python-code": ("source that acts when it is imported", "own"),
    "path-file": ("path files that Python runs at start", "CPython's site"),
    "script": ("shell and PowerShell scripts", "own"),
    "skops": ("nodes that name functions, methods and operators", "CVE-2025-54412, CVE-2025-54413"),
    "two-readings": ("files that are two things, or say a thing twice", "own; safetensors' audit"),
    "keras-code": ("Lambda layers, wrapped torch modules", "CVE-2024-3660, CVE-2025-49655"),
    "keras-injection": ("any module and function through Keras' configuration", "CVE-2025-1550, CVE-2025-8747"),
    "keras-file": ("layers that read files", "CVE-2025-12058"),
    "hdf5-external": ("links, storage and datasets in other files", "HDF5's specification"),
    "tensorflow": ("operators that read or write files", "TensorFlow's SECURITY.md"),
    "onnx": ("external data elsewhere, operators of other domains", "CVE-2024-27318, CVE-2025-51480"),
    "gguf-template": ("chat templates in GGUF", "CVE-2024-34359"),
    "gguf-malformed": ("counts and offsets out of bounds", "CVE-2024-21836 and its kin"),
    "r-code": ("promises and closures in R's data", "CVE-2024-27322"),
    "xml": ("entities and extensions", "CWE-611"),
    "paddle": ("Paddle's weights are a pickle", "CVE-2024-0521 and its kin"),
}  # fmt: skip
