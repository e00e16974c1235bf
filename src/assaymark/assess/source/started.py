"""``started``: the Python modules that a command starts, as it names them.

Sources: the command lines of Uvicorn, Gunicorn, Hypercorn, Daphne, Granian, Waitress, uWSGI, Flask, FastAPI,
BentoML, Ray Serve, Streamlit and Python itself.
"""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.ports import expanded, left_open, said_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SERVERS: Final = frozenset(
    ("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "robyn")
)
_OF_A_FILE: Final = frozenset(("fastapi", "streamlit", "bentoml", "serve"))
_RUNS: Final = frozenset(("run", "dev", "serve", "serve-http", "serve-grpc"))
_USUAL: Final = {
    **dict.fromkeys(("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "fastapi", "serve"), 8000),
    "flask": 5000,
    "waitress-serve": 8080,
    "streamlit": 8501,
    "bentoml": 3000,
    "robyn": 8080,
}
_NAMED_BY: Final = {  # the variables that servers take their port from
    "uvicorn": "UVICORN_PORT",
    "gunicorn": "PORT",
    "granian": "GRANIAN_PORT",
    "fastapi": "PORT",
    "flask": "FLASK_RUN_PORT",
    "streamlit": "STREAMLIT_SERVER_PORT",
    "bentoml": "BENTOML_PORT",
}
_SWITCHES: Final = frozenset(  # options that take no value
    (
        *("--reload", "--factory", "--preload", "--daemon", "-D", "--proxy-headers", "--no-proxy-headers", "--call"),
        *(
            "--access-log",
            "--no-access-log",
            "--use-colors",
            "--no-use-colors",
            "--no-server-header",
            "-R",
            "--debug",
        ),
        *("--capture-output", "--reuse-port", "--enable-stdio-inheritance", "--master", "--enable-threads", "-M"),
        *("--die-on-term", "--vacuum", "--need-app", "--lazy-apps", "--log-access", "--print-config"),
    )
)
_MODULE: Final = re.compile(r"[A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*(?:\(.*\))?)?")
_FILE: Final = re.compile(r"[\w./-]+\.py")
# What starts a program in several processes, in an environment or on a cluster.
_LAUNCHERS: Final = frozenset(
    (
        *("torchrun", "accelerate", "deepspeed", "horovodrun", "spark-submit", "papermill", "ipython", "colossalai"),
        *("coverage", "debugpy", "opentelemetry-instrument", "ddtrace-run"),
    )
)
_LAUNCHES: Final = re.compile(
    r"torch\.distributed\.(?:run|launch)|accelerate\.commands\.launch|deepspeed\.launcher\.\w+|coverage|debugpy|pdb|cProfile"
)
_PROGRAM: Final = re.compile(r"[\w./-]+\.(?:py|ipynb)|s3[an]?://[\w./-]+\.py|gs://[\w./-]+\.py|dbfs:/[\w./-]+\.py")
_PYTHON: Final = re.compile(r"(?:.*/)?(?:python|pypy)[\d.]*")
_COMMENT: Final = re.compile(r"(?m)^[ \t]*#.*$|[ \t]#[^\n'\"]*$")
_TAKES_ONE: Final = frozenset(("-W", "-X", "--check-hash-based-pycs"))  # options of Python that take a word
_OPERATORS: Final = frozenset(("&&", "||", ";", "|", "&"))


def started(command: str) -> list[str]:
    """Paths without ``.py`` that end as the started modules' do: ``app/main`` for ``uvicorn app.main:app``.

    Variables that a module is named by (FLASK_APP) stand before the command, as a shell would have them.
    """
    found: list[str] = []
    for words in _commands(command):
        for name in _started(words):
            path = name.partition(":")[0]
            if path.endswith(".ipynb"):
                path = path.removeprefix("./")  # notebooks keep their ending: a module may be called alike
            elif _FILE.fullmatch(path):
                path = path.removesuffix(".py").removeprefix("./")
            else:
                path = path.replace(".", "/")
            path = path.lstrip("/")
            if path and path not in found:
                found.append(path)
    return found


def listening(command: str, variables: Mapping[str, str], declared: frozenset[int]) -> frozenset[int]:
    """The ports that a command listens on: as it is told, else the usual ones and those that are declared.

    Args:
        command: what is started.
        variables: its environment, which a command may name and servers look for their port in.
        declared: what is said elsewhere to be listened on.

    Returns:
        The ports; none where nobody knows.
    """
    words = expanded(command, variables)
    told, usual = said_ports(words), _usual(words, variables)
    if told:
        return told
    if usual is None or left_open(words):
        return frozenset()
    return declared if declared & usual else declared | usual


def _usual(command: str, variables: Mapping[str, str]) -> frozenset[int] | None:
    """The ports that servers listen on when the command tells them none; None where a variable leaves it open."""
    names = {word.rpartition("/")[2] for words in _commands(command) for word in words}
    found = set()
    for name, port in _USUAL.items():
        if name in names:
            given = variables.get(_NAMED_BY.get(name, ""), "")
            if given and not (given.isdecimal() and len(given) < 6):  # noqa: PLR2004 - no port is longer
                return None
            found.add(int(given) if given else port)
    return frozenset(found)


def _commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a line; of ``sh -c "..."`` those of what it is given."""
    lines = _COMMENT.sub("", text.replace("\\\n", " ")).replace("\n", " ; ")
    try:
        words = shlex.split(lines)
    except ValueError:
        words = lines.split()
    one: list[str] = []
    for word in words:
        if word in _OPERATORS:
            yield one
            one = []
            continue
        if " " in word and one and one[-1].endswith("c"):  # sh -c, bash -lc
            yield from _commands(word)
        one.append(word)
    yield one


def _started(words: list[str]) -> Iterator[str]:
    names = [word.rpartition("/")[2] for word in words]
    for index, name in enumerate(names):
        rest = words[index + 1 :]
        if name in _SERVERS:
            yield from _application(rest)
            return
        if name == "flask" and "run" in rest:
            yield _option(words, ("--app", "-A", "FLASK_APP")) or "app"
            return
        if name in _OF_A_FILE and rest and rest[0] in _RUNS:
            yield from (
                word for word in rest[1:] if _FILE.fullmatch(word) or (":" in word and _MODULE.fullmatch(word))
            )
            return
        if _PYTHON.fullmatch(words[index]):
            if "-m" in _own_options(rest):
                after = rest[rest.index("-m") + 1 :]
                if after and after[0] in (*_SERVERS, *_OF_A_FILE, "flask"):
                    yield from _started([*words[:index], *after])
                elif after and _LAUNCHES.fullmatch(after[0]):
                    yield from _launched(after[1:])
                else:
                    yield from after[:1]
                return
            yield from [word for word in rest if _FILE.fullmatch(word)][:1]
            return
        if name in _LAUNCHERS and rest:
            yield from _launched(rest)
            return
    if words and _FILE.fullmatch(words[0]):  # a file that may be run by itself
        yield words[0]


def _launched(words: list[str]) -> Iterator[str]:
    """The program that a launcher is told: a file, or a module behind ``-m`` or ``--module``."""
    file = next((word for word in words if _PROGRAM.fullmatch(word)), "")
    if file:
        yield file.rpartition(":/")[2].lstrip("/").partition("/")[2] if "://" in file else file
        return
    yield from [after for one, after in pairwise(words) if one in ("-m", "--module")][:1]


def _application(words: list[str]) -> Iterator[str]:
    """The application that a server is told to run: ``module:object``, or a module alone (Gunicorn, uWSGI)."""
    given = _option(words, ("--module", "-w", "--wsgi-file", "--wsgi"))
    if given and (":" in given or "." in given) and not given.replace(".", "").isdigit():
        yield given
        return
    values = {
        at for at, one in enumerate(words, 1) if one.startswith("-") and "=" not in one and one not in _SWITCHES
    }
    plain = [word for at, word in enumerate(words) if at not in values and _MODULE.fullmatch(word)] or [
        word for word in words if not word.startswith("-") and _MODULE.fullmatch(word)
    ]
    with_object = [word for word in plain if ":" in word]
    dotted = [word for word in plain if "." in word and not word.startswith("uvicorn.")]
    yield from (with_object or dotted or plain[-1:])[:1]


def _option(words: list[str], names: tuple[str, ...]) -> str:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else (words[index + 1] if index + 1 < len(words) else "")
    return ""


def _own_options(words: list[str]) -> list[str]:
    """The options of Python itself, which stand before the program; those behind it are the program's."""
    found: list[str] = []
    for word in words:
        if not word.startswith("-") and (not found or found[-1] not in _TAKES_ONE):
            break
        found.append(word)
        if word == "-m":
            break
    return found
