"""Globals that are known to run code, reach files, processes or the network, or to make other code reachable.

This list decides nothing about what passes: whatever is not in the table of permits is refused. It only tells
known danger from the merely unknown, so a hole in it costs a word in a message. Families are whole modules
with everything below them; one is also found inside a dotted path through another module
(``torch.serialization`` and ``os.system``).
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FAMILIES: Final = _words(
    # processes and the system
    "os posix nt subprocess _posixsubprocess pty commands popen2 multiprocessing.util _thread winreg _winapi msvcrt "
    "distutils setuptools pip ensurepip venv site sitecustomize usercustomize psutil pexpect fabric paramiko "
    "antigravity webbrowser idlelib turtledemo "
    # code
    "sys runpy importlib _frozen_importlib _frozen_importlib_external imp _imp pkgutil zipimport code codeop "
    "compileall py_compile pdb bdb timeit trace profile cProfile doctest unittest pydoc lib2to3 ctypes _ctypes cffi "
    "inspect gc operator _operator marshal jinja2 mako IPython ipykernel pytest _pytest nose numexpr sympy fire "
    "pandas.core.computation logging.config "
    # unpickling
    "pickle _pickle cPickle shelve dbm dill cloudpickle jsonpickle yaml ruamel "
    # network
    "socket _socket socketserver ssl _ssl http urllib urllib2 urllib3 httplib requests httpx aiohttp ftplib smtplib "
    "poplib imaplib nntplib telnetlib xmlrpc asyncore asynchat websockets wsgiref cgi "
    # files
    "shutil tempfile glob fileinput linecache mmap zipfile tarfile sqlite3 _sqlite3 fsspec "
    # libraries that load models, and their ways to run code
    "joblib.numpy_pickle joblib.parallel joblib.memory numpy.f2py numpy.testing numpy.distutils numpy.ctypeslib "
    "numpy.lib.npyio numpy.lib._npyio_impl torch.hub torch.jit torch.package torch.serialization "
    "torch.multiprocessing torch.utils.cpp_extension torch.utils.data.datapipes torch.utils.bottleneck "
    "torch.utils.collect_env torch._inductor torch._dynamo torch.ops torch.classes torch.utils.model_zoo "
    "transformers.dynamic_module_utils"
)

# Members of modules that hold harmless things too.
_NAMES: Final = _words(
    "codecs.open io.open io.open_code io.FileIO _io.open _io.open_code _io.FileIO _pyio.open _pyio.FileIO "
    "functools.partial functools.reduce functools.partialmethod functools.singledispatch functools.cached_property "
    "types.FunctionType types.CodeType types.MethodType types.LambdaType types.ModuleType types.new_class "
    "types.DynamicClassAttribute weakref.finalize atexit.register signal.signal threading.Thread threading.Timer "
    "multiprocessing.Process asyncio.run asyncio.create_subprocess_exec asyncio.create_subprocess_shell "
    "concurrent.futures.ProcessPoolExecutor platform.popen platform._syscmd_file pathlib.Path.write_text "
    "pathlib.Path.write_bytes pathlib.Path.unlink typing.get_type_hints uuid._popen uuid._get_command_stdout "
    "joblib.load numpy.load numpy.save numpy.savetxt numpy.loadtxt numpy.fromfile numpy.memmap numpy.genfromtxt "
    "torch.load torch.save torch.compile torch.storage._load_from_bytes torch._utils._import_dotted_name "
    "torch._tensor._rebuild_from_type_v2 pandas.read_pickle pandas.io.pickle pandas.eval "
    "keras.models.load_model tensorflow.keras.models.load_model tensorflow.io.write_file"
)

# Builtins that only make or look at values. The rest of the module is dangerous: eval, exec, compile, open, getattr.
_HARMLESS_BUILTINS: Final = _words(
    "bool int float complex str bytes bytearray list tuple dict set frozenset slice range object Ellipsis "
    "NotImplemented NoneType memoryview enumerate zip reversed abs len min max sum round repr ascii chr ord bin hex "
    "oct pow divmod hash id sorted isinstance issubclass callable type super property"
)

# Attributes that lead from any object to everything else.
_ESCAPES: Final = _words(
    "__globals__ __builtins__ __subclasses__ __bases__ __mro__ __getattribute__ __import__ __code__ __loader__"
)


def is_dangerous(module: str, name: str) -> bool:
    """Whether ``module.name`` is in, or leads through, something known to be dangerous."""
    attributes = name.split(".")[:16]
    if not _ESCAPES.isdisjoint(attributes):
        return True
    if module in ("builtins", "__builtin__", "__builtins__"):
        head = attributes[0]
        return head not in _HARMLESS_BUILTINS and not head.endswith(("Error", "Exception", "Warning"))
    parts = module.split(".")[:16] + attributes
    if _matches(parts):
        return True
    # A module reached as an attribute, and something of it: torch.serialization + os.system, but not numpy + trace.
    first = len(parts) - len(attributes)
    return any(_matches(parts[start:]) for start in range(max(first, 1), len(parts) - 1))


def _matches(parts: list[str]) -> bool:
    prefix = parts[0]
    if prefix in _FAMILIES:
        return True
    for part in parts[1:]:
        prefix = f"{prefix}.{part}"
        if prefix in _FAMILIES or prefix in _NAMES:
            return True
    return False
