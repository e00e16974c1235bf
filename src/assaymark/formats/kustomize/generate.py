"""``generated``: the ConfigMaps and Secrets that a kustomization makes of literals and files.

Source: kustomize's documentation of "configMapGenerator", "secretGenerator" and "generatorOptions". The digest that
kustomize puts behind their names is left out, of names and of what refers to them alike.
"""

from __future__ import annotations

import posixpath
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Data = Callable[[str], bytes | None]
    At = Callable[[str, int], int]

_KINDS: Final = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
GENERATORS: Final = tuple(_KINDS)


def generated(field: str, entry: Map, general: Map | None, folder: str, data: Data, at: At) -> Map:
    """The object that an item of a generator comes to. ``general``: ``generatorOptions``.

    Raises:
        InputError: ``kustomize-patch``: a file is not there.
    """
    kind, line = _KINDS[field], entry.line
    found = Map(line)
    found.put("apiVersion", "v1", line)
    found.put("kind", kind, line)
    found.put("metadata", _metadata(entry, general), line)
    if kind == "Secret":
        found.put("type", entry.get("type") or "Opaque", entry.at("type"))
    texts, binary = Map(line), Map(line)
    for name, content, where in _contents(entry, folder, data, at):
        if kind == "Secret":
            texts.put(name, b64encode(content).decode(), where)
            continue
        try:
            texts.put(name, content.decode(), where)
        except UnicodeDecodeError:
            binary.put(name, b64encode(content).decode(), where)
    for name, values in (("data", texts), ("binaryData", binary)):
        if values or (kind == "Secret" and name == "data"):
            found.put(name, values, line)
    return found


def _metadata(entry: Map, general: Map | None) -> Map:
    line = entry.line
    metadata = Map(line)
    metadata.put("name", entry.get("name"), entry.at("name"))
    if entry.get("namespace"):
        metadata.put("namespace", entry["namespace"], entry.at("namespace"))
    for key in ("labels", "annotations"):
        texts = Map(line)
        for options in (general, entry.get("options")):
            given = options.get(key) if isinstance(options, Map) else None
            if isinstance(given, Map):
                for name, value in given.items():
                    texts.put(name, value, given.at(name))
        if texts:
            metadata.put(key, texts, line)
    return metadata


def files_of(entry: Map) -> Iterator[str]:
    """The files that an item of a generator names."""
    for item in listed(entry.get("files")):
        yield str(item).partition("=")[2] or str(item)
    for item in (*listed(entry.get("envs")), entry.get("env")):
        if isinstance(item, str):
            yield item


def _contents(entry: Map, folder: str, data: Data, at: At) -> Iterator[tuple[str, bytes, int]]:
    for item, line in _lines(entry, "literals"):
        key, mark, value = item.partition("=")
        if mark:
            yield key, _unquoted(value).encode("utf-8", "replace"), line
    for item, line in _lines(entry, "files"):
        name, _, path = item.rpartition("=")
        where = posixpath.normpath(posixpath.join(folder, path))
        yield name or posixpath.basename(path), _data(data, where, line), at(where, 1)
    for item, line in (*_lines(entry, "envs"), *([(entry["env"], entry.at("env"))] if entry.get("env") else [])):
        where = posixpath.normpath(posixpath.join(folder, str(item)))
        for number, text in enumerate(_data(data, where, line).decode("utf-8-sig", "replace").splitlines(), 1):
            key, _, value = text.lstrip().partition("=")
            if key and not key.startswith("#"):  # one without a value has that of whoever runs kustomize
                yield key, value.encode("utf-8", "replace"), at(where, number)


def _lines(entry: Map, key: str) -> list[tuple[str, int]]:
    value = entry.get(key)
    return [(str(item), value.at(index)) for index, item in enumerate(value)] if isinstance(value, Seq) else []


def _data(data: Data, path: str, line: int) -> bytes:
    found = data(path)
    if found is None:
        raise InputError("kustomize-patch", f"{path} is not there", position=f"line {int(line)}")
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def absorbed(old: Map, new: Map, behavior: Any) -> Map:
    """What there was with what a generator says: together, or the new alone."""
    found = Map(old.line, old.path)
    for key, value in old.items():
        found.put(key, value, old.at(key))
    for key in ("data", "binaryData"):
        if behavior == "merge":
            _fill(found, key, old.get(key), new.get(key), new.line)
        elif key in new:
            found.put(key, new[key], new.at(key))
        else:
            found.pop(key, None)
    metadata = Map(old.line)
    own: Any = old.get("metadata")
    for key, value in own.items() if isinstance(own, Map) else ():
        metadata.put(key, value, own.at(key))
    for key in ("labels", "annotations"):
        _fill(metadata, key, metadata.get(key), new["metadata"].get(key), new.line)
    found.put("metadata", metadata, old.at("metadata"))
    return found


def _fill(where: Map, key: str, old: Any, new: Any, line: int) -> None:
    both = Map(line)
    for values in (old, new):
        for name, value in values.items() if isinstance(values, Map) else ():
            both.put(name, value, values.at(name))
    if both:
        where.put(key, both, where.at(key) if key in where else line)
