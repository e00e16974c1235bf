"""``fetched``: where ``terraform init`` put a module of a registry or a repository.

Source: Terraform's own record of what it installed, ``.terraform/modules/modules.json``: for each call, by the names
of the calls that lead to it, its source, its version and its folder, from that of the root module.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.files import FETCHED
from assaymark.assess.values import dicts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.inputs import Inputs

_REGISTRY: Final = "registry.terraform.io/"
_OPENTOFU: Final = "registry.opentofu.org/"
_EXACT: Final = re.compile(r"=?\s*v?(\d+\.\d+\.\d+)")
_INDEX: Final = re.compile(r"\[[^\]]*\]")


def fetched(inputs: Inputs, root: str, address: str, source: str, version: Any) -> str:
    """The folder of a module that is called; empty where it was not fetched, or something else was.

    Args:
        inputs: all files.
        root: the folder of the root module.
        address: of the call, ``module.a.module.b``.
        source: what the call says that it is, without a path of its own.
        version: what it says of the version; None for nothing.
    """
    known = inputs.once(_records).get(root, {})
    key = ".".join(_INDEX.sub("", address).split(".")[1::2])
    one = known.get(key)
    folder = one.get("Dir") if one is not None else None
    if one is None or not isinstance(folder, str) or not _same(str(one.get("Source")), source):
        return ""
    wanted = _EXACT.fullmatch(version.strip()) if isinstance(version, str) else None
    if wanted is not None and one.get("Version") not in (wanted[1], None, ""):
        return ""
    return posixpath.normpath(posixpath.join(root, folder))


def _same(record: str, source: str) -> bool:
    """Whether a record is of the source that is called: of a registry with its host, or without."""
    return any(record.removeprefix(host) == source.removeprefix(host) for host in ("", _REGISTRY, _OPENTOFU))


def _records(inputs: Inputs) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """By root module what was fetched for each of its calls."""
    found: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    for file in inputs.fetched:
        if (
            posixpath.basename(file.path) != "modules.json"
            or posixpath.dirname(file.path)[-len(FETCHED) :] != FETCHED
        ):
            continue
        for document in inputs.documents_of(file):
            value = document.value
            given = dicts_in(value.get("Modules")) if isinstance(value, dict) else []
            root = posixpath.dirname(file.path).removesuffix(FETCHED).rstrip("/")
            found[root] = {str(one.get("Key")): one for one in given}
    return found
