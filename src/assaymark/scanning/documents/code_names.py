"""What Python source must not reach for unnoticed: reviewed data, by dotted name.

Files are read and written by most training code, and pictures are fetched by most processors, so that these are
dangerous only where they run at import, or together with what is secret.
"""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole modules: processes, sockets, native code, unpickling, code from text.
MODULES: Final = _words(
    "subprocess pty ctypes _ctypes cffi marshal runpy code codeop pickle _pickle cPickle dill cloudpickle "
    "shelve jsonpickle socket _socket socketserver telnetlib ftplib smtplib poplib imaplib nntplib paramiko "
    "pexpect fabric webbrowser posix nt winreg _winapi msvcrt commands popen2 zipimport imp "
    "torch.utils.cpp_extension distutils.spawn pip ensurepip IPython.core.magic asyncio.subprocess "
    "antigravity pdb bdb venv logging.config test.support torch.utils.collect_env "
)
# Harmless members of those.
HARMLESS: Final = _words(
    "pickle.HIGHEST_PROTOCOL pickle.DEFAULT_PROTOCOL pickle.dump pickle.dumps pickle.PickleError "
    "pickle.PicklingError pickle.UnpicklingError pickle.Pickler cloudpickle.dump cloudpickle.dumps dill.dump "
    "dill.dumps socket.gethostname socket.timeout socket.error subprocess.CalledProcessError "
    "subprocess.TimeoutExpired subprocess.SubprocessError subprocess.PIPE subprocess.STDOUT "
    "subprocess.DEVNULL ctypes.c_int ctypes.c_float ctypes.c_long ctypes.c_double ctypes.c_bool "
    "code.InteractiveInterpreter.__doc__ pdb.set_trace "
)
NAMES: Final = _words(
    "os.system os.popen os.popen2 os.popen3 os.popen4 os.fork os.forkpty os.startfile os.posix_spawn "
    "os.posix_spawnp os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe "
    "os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe os.kill "
    "os.killpg os.setuid builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.breakpoint "
    "sys.settrace sys.setprofile sys._getframe sys.modules sys.meta_path sys.path_hooks types.FunctionType "
    "types.CodeType importlib.reload importlib.util.spec_from_loader importlib.machinery.SourceFileLoader "
    "importlib.machinery.ExtensionFileLoader joblib.load numpy.ctypeslib.load_library numpy.f2py "
    "torch.hub.load torch.ops.load_library torch.classes.load_library torch.package.PackageImporter "
    "pandas.read_pickle pandas.eval numexpr.evaluate asyncio.create_subprocess_exec "
    "asyncio.create_subprocess_shell shutil.rmtree multiprocessing.connection.Client "
    "multiprocessing.connection.Listener multiprocessing.managers.BaseManager requests.post requests.put "
    "requests.patch requests.delete httpx.post httpx.put urllib.request.urlretrieve "
    "urllib.request.install_opener http.server.HTTPServer xmlrpc.client.ServerProxy aiohttp.ClientSession "
    "websockets.connect site.addsitedir codecs.lookup gc.get_objects inspect.currentframe.f_globals "
    "platform.popen cloudpickle.load timeit.timeit timeit.repeat timeit.Timer cProfile.run cProfile.runctx "
    "profile.run profile.runctx trace.Trace pydoc.pipepager pydoc.tempfilepager pydoc.locate "
    "pkgutil.resolve_name unittest.mock._importer doctest.script doctest.debug_src "
)
# Reach the network: dangerous at import.
NETWORK: Final = _words(
    "requests.get requests.request requests.Session urllib.request.urlopen urllib.request.Request httpx.get "
    "httpx.Client http.client.HTTPConnection http.client.HTTPSConnection urllib3.PoolManager "
)
# Change files: dangerous at import.
FILES: Final = _words(
    "os.remove os.unlink os.rmdir os.removedirs os.rename os.replace os.chmod os.chown os.symlink os.link "
    "shutil.copy shutil.copyfile shutil.move shutil.copytree shutil.unpack_archive "
)
# Methods of paths that change files, under names that no other type has: dangerous at import.
FILE_METHODS: Final = _words("touch write_text write_bytes symlink_to hardlink_to unlink")
BUILTINS: Final = _words("eval exec compile __import__ breakpoint")
SPECIAL: Final = BUILTINS | {"__builtins__"}
# Attributes that lead from an object to Python's modules.
ATTRIBUTES: Final = _words(
    "__globals__ __builtins__ __subclasses__ __code__ __closure__ f_globals f_builtins gi_frame tb_frame cr_frame"
)
SECRETS: Final = re.compile(
    r"/etc/(?:passwd|shadow|sudoers|crontab|cron\.|ld\.so\.preload)|\.ssh/|id_rsa|\.aws/credentials|authorized_keys"
    r"|\.bashrc|\.bash_profile|\.netrc|\.kube/config|\.docker/config|/proc/self/|169\.254\.169\.254|/dev/tcp/"
    r"|\.pth$|sitecustomize|\.gnupg|Login Data|wallet\.dat"
)


# What other modules have imported, so that it is reached through them: random._os.system.
_THROUGH: Final = frozenset(("os", "subprocess", "importlib", "builtins", "ctypes", "pty", "runpy"))


def is_dangerous_name(name: str) -> bool:
    """Whether ``module.member`` runs code, starts processes, unpickles or opens sockets, or leads to what does."""
    if _is_dangerous(name):
        return True
    parts = name.split(".")
    for place, part in enumerate(parts[1:-1], 1):
        module = part.lstrip("_")
        if module in _THROUGH and _is_dangerous(".".join((module, *parts[place + 1 :]))):
            return True
    return False


def _is_dangerous(name: str) -> bool:
    if name in HARMLESS:
        return False
    if name in NAMES:
        return True
    parts = name.split(".")
    return any(".".join(parts[:count]) in MODULES for count in range(1, len(parts)))
