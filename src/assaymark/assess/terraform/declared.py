"""``declared``: the resources of Terraform by what others know them by, for whoever changes what is written."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.terraform.written import Written, written

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.formats.hcl.tree import Block


_ADDRESS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_-]*")  # no names that end a text


@dataclass(slots=True)
class Declared:
    """Resources by kind, by ARN, by the line they begin on, and by the identity of their values."""

    by_kind: defaultdict[str, list[TfResource]] = field(default_factory=lambda: defaultdict(list))
    by_arn: defaultdict[str, list[TfResource]] = field(default_factory=lambda: defaultdict(list))
    by_line: defaultdict[tuple[str, int], list[TfResource]] = field(default_factory=lambda: defaultdict(list))
    by_values: dict[int, TfResource] = field(default_factory=dict)
    by_address: defaultdict[str, list[TfResource]] = field(default_factory=lambda: defaultdict(list))
    _named: dict[tuple[str, str], dict[str, list[TfResource]]] = field(default_factory=dict)
    _folders: defaultdict[tuple[str, str], list[TfResource]] = field(default_factory=lambda: defaultdict(list))
    addresses: set[tuple[str, str]] = field(default_factory=set)  # with the folder of each

    def free(self, path: str, *addresses: str) -> bool:
        """Whether the configuration that a file is of has nothing of these addresses yet."""
        return self.addresses.isdisjoint((posixpath.dirname(path), one) for one in addresses)

    def of_values(self, values: object) -> TfResource | None:
        """The resource whose values these are, as settings of others hold them."""
        return self.by_values.get(id(values))

    def naming(self, kind: str, key: str, resource: TfResource) -> list[TfResource]:
        """The resources of a kind that name another by an attribute."""
        if (kind, key) not in self._named:
            found: dict[str, list[TfResource]] = {}
            for one in self.by_kind[kind]:
                found.setdefault(one.text(key), []).append(one)
            self._named[kind, key] = found
        names = {resource.arn, resource.text("id"), resource.text("name"), resource.text("bucket")} - {""}
        names.add("${" + resource.address + ".id}")
        return [one for name in sorted(names) for one in self._named[kind, key].get(name, [])]

    def beside(self, kind: str, path: str) -> list[TfResource]:
        """The resources of a kind that a file's configuration may name."""
        return [one for one in self._folders.get((kind, posixpath.dirname(path)), []) if lone(one)]

    def add(self, one: TfResource) -> None:
        """Takes a resource in."""
        folder = posixpath.dirname(one.file.path)
        self.by_kind[one.kind].append(one)
        self.by_line[one.file.path, one.line].append(one)
        self.by_address[one.address].append(one)
        self.by_values[id(one.values)] = one
        self.addresses.add((folder, one.address.partition("[")[0]))
        self._folders[one.kind, folder].append(one)
        if one.arn:
            self.by_arn[one.arn].append(one)


def declared(estates: Estates) -> Declared:
    """The index, made once."""
    found = estates.indexes.get("declared")
    if not isinstance(found, Declared):
        found = Declared()
        for one in estates.terraform:
            found.add(one)
        estates.indexes["declared"] = found
    return found


def block_of(resource: TfResource) -> tuple[Written, Block] | None:
    """The block that declares a resource, as it is written; None for one that Terraform's own syntax does not."""
    file = written(resource.file)
    block = file.blocks.get(resource.line) if file is not None else None
    if file is None or block is None or block.kind != "resource" or block.labels[:1] != (resource.kind,):
        return None
    return file, block


def referable(resource: TfResource, path: str) -> bool:
    """Whether a file's configuration may name a resource by its address: of one root module, and one of its kind."""
    return lone(resource) and posixpath.dirname(resource.file.path) == posixpath.dirname(path)


def lone(resource: TfResource) -> bool:
    """Whether a block makes one resource of a root module, and none of what other folders call."""
    return _ADDRESS.fullmatch(resource.address) is not None
