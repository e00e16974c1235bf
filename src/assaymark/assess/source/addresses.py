"""``address``: the store that an address names, as far as its text is known; texts that are put together.

Sources: the documentation of fsspec's file systems (s3fs, gcsfs, adlfs, huggingface_hub); Amazon S3 User Guide,
"Methods for accessing a bucket"; Cloud Storage, "Request endpoints"; Azure, "Use the Azure Data Lake Storage URI";
MLflow, "Artifact stores" and "Model registry" (``models:/``, ``runs:/``, ``mlflow-artifacts:/``).
"""

from __future__ import annotations

import re
from typing import Final

from assaymark.assess.estate.loads import Given, Store, Words

_SCHEMES: Final = {"s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gs", "gcs": "gs"}
_AZURE: Final = frozenset(("abfs", "abfss", "wasb", "wasbs", "az", "adl"))
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+-]*)://(.*)", re.DOTALL)
_MLFLOW: Final = re.compile(r"(?:models|runs|mlflow-artifacts):/")
_HOSTED: Final = re.compile(r"([a-z0-9][a-z0-9.-]*)\.s3(?:[.-][a-z0-9]+)*\.amazonaws\.com(?:\.cn)?")
_OF_S3: Final = re.compile(r"s3(?:[.-][a-z0-9]+)*\.amazonaws\.com(?:\.cn)?")
_GOOGLE: Final = ("storage.googleapis.com", "storage.cloud.google.com")
_ACCOUNT: Final = re.compile(r"([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_ALL: Final = 3  # parts of an address on the hub: owner, name, and what is looked up there


def joined(*texts: Words) -> Words:
    """Texts one after the other, in the fewest parts."""
    found: list[str | Given | None] = []
    for part in (part for text in texts for part in text):
        last = found[-1] if found else ""
        if isinstance(part, str) and isinstance(last, str) and found:
            found[-1] = last + part
        elif part != "" and not (part is None and found and last is None):
            found.append(part)
    return tuple(found)


def until(words: Words, mark: str) -> tuple[Words, Words]:
    """A text before the first ``mark`` that is known in it, and what is behind that."""
    for index, part in enumerate(words):
        if isinstance(part, str) and mark in part:
            before, _, after = part.partition(mark)
            return joined(words[:index], (before,)), joined((after,), words[index + 1 :])
    return words, ()


def split(words: Words) -> list[Words]:
    """The parts of a command between blanks."""
    found: list[Words] = [()]
    for part in words:
        if not isinstance(part, str):
            found[-1] = (*found[-1], part)
            continue
        pieces = re.split(r"\s+", part)
        found[-1] = joined(found[-1], (pieces[0],))
        found += [(one,) if one else () for one in pieces[1:]]
    return [one for one in found if one]


def plain(words: Words) -> str:
    """A text that is known; empty for one of which a part is not."""
    return words[0] if len(words) == 1 and isinstance(words[0], str) else ""


def shown(words: Words) -> str:
    """A text as messages show it."""
    return "".join("*" if one is None else one if isinstance(one, str) else "$" + one.shown for one in words)


def address(words: Words) -> Store | None:
    """The store that a text names by an address; None for a path, or an address that cannot be told to be one."""
    first = words[0] if words else None
    if isinstance(first, Given):
        return Store("address", words)
    if not isinstance(first, str):
        return None
    if _MLFLOW.match(first):
        return Store("mlflow", words)
    match = _SCHEME.fullmatch(first)
    if match is None:
        return None
    scheme, rest = match[1], joined((match[2],), words[1:])
    name, path = until(rest, "/")
    if scheme in _SCHEMES:
        return Store(_SCHEMES[scheme], name) if name else None
    if scheme in _AZURE:
        container, account = until(name, "@")
        return Store("azure", container, until(account, ".")[0])
    if scheme == "hf":
        return _on_hub(rest)
    return _hosted(name, path) if scheme in ("https", "http") else None


def _hosted(host: Words, path: Words) -> Store | None:
    """The store behind an address of the web."""
    said = plain(host)
    if said in ("huggingface.co", "hf.co"):
        return _on_hub(path)
    bucket, rest = until(path, "/")
    if said in _GOOGLE or _OF_S3.fullmatch(said):
        return Store("gs" if said in _GOOGLE else "s3", bucket) if bucket else None
    hosted, account = _HOSTED.fullmatch(said), _ACCOUNT.fullmatch(said)
    if hosted is not None:
        return Store("s3", (hosted[1],))
    del rest
    return Store("azure", bucket, (account[1],)) if account is not None and bucket else None


def _on_hub(path: Words) -> Store | None:
    """A repository of the hub, unless the address names its commit."""
    parts = shown(path).split("/", _ALL + 1)
    if parts[0] in ("models", "datasets", "spaces"):
        parts = parts[1:]
    name = "/".join(parts[:2])
    commit = next((one for one in (*parts[2:], name.rpartition("@")[2]) if _COMMIT.fullmatch(one)), "")
    known = not commit and "*" not in name and "$" not in name and len(parts) > 1
    return Store("hub", (name.partition("@")[0],)) if known else None
