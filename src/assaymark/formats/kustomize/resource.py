"""``Resource``: an object on its way through kustomizations, what it was called before, and who is meant by a target.

Source: Kubernetes' kustomize documentation, "patches" (targets are regular expressions that match the whole) and
"Label Selectors" of Kubernetes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.core.errors import InputError
from assaymark.formats.helm.patterns import pattern
from assaymark.formats.kustomize.edit import edited
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterable

# As kustomize has it: of kinds that came to Kubernetes later it does not know that they are in no namespace.
CLUSTER_KINDS: Final = frozenset(
    (
        *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
        *("ComponentStatus", "CustomResourceDefinition", "IngressClass", "Namespace", "Node", "PodSecurityPolicy"),
        *("MutatingWebhookConfiguration", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass"),
        *("SelfSubjectAccessReview", "SubjectAccessReview", "TokenReview", "ValidatingWebhookConfiguration"),
        *("VolumeAttachment",),
    )
)
_LABELS: Final = re.compile(
    r"\s*(?P<not>!)?\s*(?P<key>[\w./-]+)\s*"
    r"(?:(?P<how>==?|!=|\s+in\s*\(|\s+notin\s*\()(?P<value>[^()]*)\)?)?\s*"
)
_PLAIN: Final = re.compile(r"[\w-]*")
_PARTS: Final = re.compile(r",(?![^()]*\))")


class Id(NamedTuple):
    """What kustomize knows an object by. ``namespace``: ``default`` where none is written."""

    api: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """The API's group, empty for the core's."""
        return self.api.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The API's version."""
        return self.api.rpartition("/")[2]


@dataclass(slots=True)
class Resource:
    """An object. ``value`` is never changed, only put in the place of.

    ``path`` is the file that its lines are of; ``before`` what it was called by, the first first; ``prefix`` and
    ``suffix`` what names were given on the way, for references among several that were called the same.
    """

    value: Map
    path: str
    before: tuple[Id, ...] = ()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    generated: bool = False
    id: Id = field(init=False)

    def __post_init__(self) -> None:
        self.id = id_of(self.value)

    def copy(self) -> Resource:
        """Another that may go another way."""
        return replace(self)

    def put(self, value: Map, *, keep: bool = False) -> None:
        """Takes another value. ``keep``: what it was called is remembered."""
        if keep:
            self.before = (*self.before, self.id)
        self.value = value
        self.id = id_of(value)

    @property
    def ids(self) -> tuple[Id, ...]:
        """All that it was and is called by."""
        return (*self.before, self.id)

    def texts(self, name: str) -> dict[str, str]:
        """Its labels or annotations."""
        metadata = self.value.get("metadata")
        found = metadata.get(name) if isinstance(metadata, Map) else None
        return {key: str(value) for key, value in found.items()} if isinstance(found, Map) else {}


def id_of(value: Map) -> Id:
    """What an object is called by."""
    metadata = value.get("metadata")
    fields: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    kind = str(value.get("kind") or "")
    namespace = "" if kind in CLUSTER_KINDS else str(fields.get("namespace") or "default")
    name = fields.get("name") or fields.get("generateName") or ""
    return Id(str(value.get("apiVersion") or ""), kind, namespace, str(name))


def named(value: Map, name: str, line: int) -> Map:
    """The object with another name."""
    found: Map = edited(value, ("metadata", "name"), lambda _value, _line: (name, line), line)
    return found


def selected(resources: Iterable[Resource], target: Map) -> list[Resource]:
    """The objects that a target means, by what they are or were called.

    Raises:
        InputError: ``kustomize-patch``: a pattern or selector that is not tried.
    """
    some = list(resources)
    fits = [_Word(target.get(key), some, key) for key in ("kind", "name", "namespace", "group", "version")]
    tests = [one for one in fits if one.said]
    labels, notes = target.get("labelSelector"), target.get("annotationSelector")
    return [
        one
        for one in some
        if any(all(test.fits(id_) for test in tests) for id_ in one.ids)
        and (not labels or _has(labels, one.texts("labels")))
        and (not notes or _has(notes, one.texts("annotations")))
    ]


class _Word:
    """A part of a target: a pattern that means the whole of a text. Each text is tried once."""

    def __init__(self, said: Any, resources: list[Resource], key: str) -> None:
        self.said = "" if said is None else str(said)
        self._key = key
        self._known: dict[str, bool] = {}
        self._pattern: re.Pattern[str] | None = None
        if not _PLAIN.fullmatch(self.said):
            longest = max((len(getattr(id_, key)) for one in resources for id_ in one.ids), default=0)
            try:
                self._pattern = pattern(self.said, "x" * longest)
            except (re.error, InputError):
                raise InputError("kustomize-patch", f"the pattern {self.said[:100]!r} is not tried") from None

    def fits(self, id_: Id) -> bool:
        """Whether an object is called so."""
        had: str = getattr(id_, self._key)
        if self._pattern is None:
            return had == self.said
        if had not in self._known:
            self._known[had] = self._pattern.fullmatch(had) is not None
        return self._known[had]


def _has(selector: Any, labels: dict[str, str]) -> bool:
    """Whether labels are as a selector in Kubernetes' short form asks for."""
    if selector is None or selector == "":
        return True
    for part in _PARTS.split(str(selector)):
        match = _LABELS.fullmatch(part)
        if match is None:
            raise InputError("kustomize-patch", f"the selector {str(selector)[:100]!r} is not understood")
        have, value, how = labels.get(match["key"]), (match["value"] or "").strip(), (match["how"] or "").strip()
        values = [one.strip() for one in value.split(",")]
        if how in ("=", "=="):
            fits = have == value
        elif how == "!=":
            fits = have != value
        elif how.startswith("in"):
            fits = have in values
        elif how.startswith("notin"):
            fits = have not in values
        else:
            fits = (have is not None) != bool(match["not"])
        if not fits:
            return False
    return True


def objects_in(document: Any) -> list[Map]:
    """The objects of a document; those of a list by themselves."""
    if isinstance(document, Seq):
        return [one for item in document for one in objects_in(item)]
    if not isinstance(document, Map) or not document.get("kind"):
        return []
    items = document.get("items")
    if str(document["kind"]).endswith("List") and isinstance(items, Seq):
        return [one for item in items for one in objects_in(item)]
    return [document]
