"""``fetched``: what a command brings from stores to a disk before it starts a program, as the clouds' tools do.

Sources: AWS CLI reference, ``s3 cp`` and ``s3 sync`` (``--endpoint-url`` asks another service); Cloud Storage,
``gsutil cp`` and ``gcloud storage cp``; AzCopy, ``azcopy copy``; MinIO client, ``mc cp`` (aliases ``s3`` and ``gcs``
are there from the start); Rclone, "Usage" (remotes by ``RCLONE_CONFIG_..._TYPE`` and on the fly, ``:s3:bucket``);
Hugging Face hub, ``huggingface-cli download`` and ``hf download``.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Given, Store
from assaymark.assess.kubernetes.ports import expanded
from assaymark.assess.shell_lines import joined_lines
from assaymark.assess.source.addresses import address, plain, shown
from assaymark.assess.source.started import started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.loads import Words
    from assaymark.core.graph import Because

_TOOLS: Final = frozenset(
    ("aws", "s5cmd", "s3cmd", "gsutil", "gcloud", "azcopy", "mc", "rclone", "huggingface-cli", "hf")
)
_COPIES: Final = frozenset(
    ("cp", "sync", "copy", "rsync", "mirror", "mv", "get", "copyto", "move", "moveto", "download")
)
_TREES: Final = frozenset(("sync", "rsync", "mirror", "copy", "move"))  # which copy what is in a folder
_FOLDERS: Final = frozenset(("-r", "-R", "--recursive", "--recursive=true"))
_TAKES: Final = frozenset(  # options that take a word
    (
        *("--region", "--profile", "--endpoint-url", "--exclude", "--include", "--sse", "--acl", "--storage-class"),
        *("--output", "--project", "--billing-project", "--from-to", "--include-pattern", "--exclude-pattern"),
        *(
            "--config",
            "--transfers",
            "--checkers",
            "--log-level",
            "--numworkers",
            "-j",
            "-x",
            "--cap-mbps",
            "--filter",
        ),
        *("--local-dir", "--revision", "--repo-type", "--token", "--cache-dir", "--impersonate-service-account"),
        *("--cli-read-timeout", "--cli-connect-timeout", "--page-size", "--ca-bundle", "--max-workers", "--account"),
    )
)
_SPEAKS: Final = frozenset(("echo", "printf", ":", "alias", "man", "which", "command"))
_OPERATORS: Final = re.compile(r"[;&|()]+")
_SET: Final = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(\S*)")
_HIDDEN: Final = re.compile(r"\$\{?([A-Za-z_]\w*)|\$\(")
_COMMENT: Final = re.compile(r"^\s*#.*$|\s#\s.*$")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_REMOTE: Final = re.compile(r"(:?)([\w.+@-]+)(?:,[^:]*)?:/?([^/]*)(?:/(.*))?")
_KINDS: Final = {"s3": "s3", "google cloud storage": "gs", "gcs": "gs", "azureblob": "azure"}
_STARTED: Final = 2  # words of ``mc``'s addresses: the alias and the bucket


@dataclass(frozen=True, slots=True)
class Fetched:
    """What of a store lies at a path. ``whole``: what is below the path is of the store, too."""

    path: str
    store: Store
    because: Because
    whole: bool = False
    decides: tuple[str, ...] = ()


def fetched(command: str, variables: Mapping[str, str], because: Because) -> list[Fetched]:
    """What a command brings; not what it brings when its programs have long been started."""
    known, folder = dict(variables), ""
    found: list[Fetched] = []
    after: list[Fetched] = []
    starts = False
    for words in _commands(command):
        said = [expanded(word, known) for word in words]
        for match in (_SET.fullmatch(word) for word in said):
            if match is not None:
                known[match[1]] = match[2]
        if said[:1] == ["cd"] and len(said) > 1:
            folder = posixpath.normpath(posixpath.join(folder, said[1]))
            continue
        after += [replace(one, path=_path(folder, one.path)) for one in _copied(said, known, because)]
        if "$@" in said or started(shlex.join(said)):
            found, after, starts = [*found, *after], [], True
    return found if starts else after


def _path(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _commands(text: str, depth: int = 0) -> Iterator[list[str]]:
    """The words of each command, of those in ``sh -c "..."`` too."""
    for _, line in joined_lines(text):
        lexer = shlex.shlex(_COMMENT.sub("", line), posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split, lexer.commenters = True, ""
        try:
            words = list(lexer)
        except ValueError:
            words = line.split()
        one: list[str] = []
        for word in words:
            if _OPERATORS.fullmatch(word):
                yield one
                one = []
            elif " " in word and one and one[-1].endswith("c") and one[-1].startswith("-") and not depth:
                yield from _commands(word, 1)
            else:
                one.append(word)
        yield one


def _copied(words: list[str], variables: Mapping[str, str], because: Because) -> Iterator[Fetched]:
    """What one command copies from a store."""
    at = next((index for index, word in enumerate(words) if word.rpartition("/")[2] in _TOOLS), None)
    if at is None or _SPEAKS & set(words[:at]):
        return
    tool, rest = words[at].rpartition("/")[2], words[at + 1 :]
    verb = next((index for index, word in enumerate(rest) if word in _COPIES), None)
    if verb is None:
        return
    options, given = _parted([*rest[:verb], *rest[verb + 1 :]])
    given = [one for one in given if one not in ("s3", "storage")] if tool in ("aws", "gcloud") else given
    if tool in ("huggingface-cli", "hf"):
        if given and options.get("--local-dir") and not _COMMIT.fullmatch(options.get("--revision", "")):
            yield Fetched(options["--local-dir"], Store("hub", (given[0],)), because, whole=True)
        return
    endpoint = options.get("--endpoint-url") or variables.get("AWS_ENDPOINT_URL", "")
    elsewhere = tool in ("aws", "s5cmd", "s3cmd") and endpoint and "amazonaws.com" not in endpoint
    if len(given) < 2 or given[-1] == "-" or elsewhere:  # noqa: PLR2004 - from where and where to
        return
    tree = (rest[verb] in _TREES and tool != "azcopy") or bool(_FOLDERS & options.keys())
    for source in given[:-1]:
        for store, decides in _stores(tool, source, variables):
            yield from _placed(store, decides, source, given[-1], because, tree=tree or source.endswith(("*", "/")))


def _parted(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options of a command, and its other words."""
    options: dict[str, str] = {}
    given: list[str] = []
    before = ""
    for word in words:
        if before:
            options[before], before = word, ""
        elif word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            options[word if not value else name] = value
            before = name if not equals and name in _TAKES else ""
        else:
            given.append(word)
    return options, given


def _stores(tool: str, source: str, variables: Mapping[str, str]) -> Iterator[tuple[Store, tuple[str, ...]]]:
    if tool == "mc":
        parts = source.split("/", _STARTED)
        if len(parts) >= _STARTED and parts[1]:
            kind = {"s3": "s3", "gcs": "gs"}.get(parts[0])
            host = variables.get(f"MC_HOST_{parts[0]}", "")
            known = kind or ("s3" if "amazonaws.com" in host else "gs" if "googleapis.com" in host else None)
            if known or not host:
                sure = () if known else (f"{parts[0]}, as mc knows it, is Amazon S3",)
                yield Store(known or "s3", _named(parts[1])), sure
        return
    if tool == "rclone":
        match = _REMOTE.fullmatch(source)
        if match is not None and match[3]:
            told = match[2] if match[1] else variables.get(f"RCLONE_CONFIG_{match[2].upper()}_TYPE", "")
            for kind in (_KINDS.get(told),) if told else ("s3", "gs", "azure"):
                shown_as = {"s3": "Amazon S3", "gs": "Cloud Storage", "azure": "Azure's storage"}.get(kind or "")
                if kind is not None:
                    sure = () if told else (f"{match[2]}, as rclone knows it, is {shown_as}",)
                    yield Store(kind, _named(match[3])), sure
        return
    store = address((source.partition("?")[0] if source.startswith("https://") else source,))
    if store is not None:
        yield Store(store.platform, _named(shown(store.name)), store.within), ()


def _named(name: str) -> Words:
    """A name; one that has a variable of the shell in it is not known."""
    match = _HIDDEN.search(name)
    return (name,) if match is None else (Given("variable", match[1]) if match[1] else None,)


def _placed(
    store: Store, decides: tuple[str, ...], source: str, to: str, because: Because, *, tree: bool
) -> Iterator[Fetched]:
    """Where a copy lies: one file at the path itself or in that folder, a tree below it."""
    if tree:
        yield Fetched(to, store, because, whole=True, decides=decides)
        return
    name = posixpath.basename(plain(_named(source)) or "*")
    if not to.endswith(("/", ".")):
        yield Fetched(to, store, because, decides=decides)
    yield Fetched(posixpath.join(to, name), store, because, decides=decides)


def _may_be(load: str, path: str, *, whole: bool) -> bool:
    """Whether two paths are one if the program runs in another folder than its commands: neither is from the root."""
    if load.startswith("/") or path.startswith("/"):
        return False
    parts = path.split("/")
    ends = ["/".join(parts[index:]) for index in range(1, len(parts))]
    return any(load == end or (whole and load.startswith(f"{end}/")) for end in ends)


def lies(load: Words, found: Fetched, folder: str) -> tuple[str, ...] | None:
    """What decides whether what a program loads was fetched: nothing where both paths show it; None where it was not.

    ``folder``: in which the program and its commands run, where that is known.
    """
    first = load[0] if load and isinstance(load[0], str) else ""
    known, star, _ = first.partition("*")
    path = posixpath.normpath(posixpath.join(folder, found.path))
    base, _, last = path.rpartition("/")
    if "*" in last or "$" in last:
        path, found = base or "/", replace(found, path=base, whole=True)
    start = posixpath.join(folder, known) if known else ""
    below = f"{path.rstrip('/')}/"
    if len(load) == 1 and known and not star:
        start = posixpath.normpath(start)
        inside = start == path or (found.whole and start.startswith(below)) or f"{path}/".startswith(f"{start}/")
        if inside:
            return found.decides
        return (
            (*found.decides, f"{start} is {path} where it runs") if _may_be(start, path, whole=found.whole) else None
        )
    if found.whole and start.startswith(below):
        return found.decides
    if not start or path.startswith(start) or f"{path}/" == start:
        said = "" if shown(load) in ("*", "") else f" ({shown(load)})"
        return (*found.decides, f"what it loads{said} is what was put at {path}")
    return None
