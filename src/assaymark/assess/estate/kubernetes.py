"""What the files say of a cluster: its objects, from whatever file, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.use import Use
    from assaymark.assess.files import SourceFile
    from assaymark.core.graph import Because
    from assaymark.formats.located import Map

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it is written: ``value`` is the whole of it. ``namespace`` is empty for what has none.

    ``cluster`` tells clusters apart where the input holds several; empty where there is one, or nobody says.
    ``overlays``: the folders of the outermost kustomizations that it comes of; none for what is put in as written.
    """

    api: str
    kind: str
    namespace: str
    name: str
    value: Map
    file: SourceFile
    cluster: str = ""
    overlays: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """``k8s:[<cluster>:]<namespace>/<kind>/<name>``, the kind in lower case; ``-`` for no namespace."""
        cluster = f"{self.cluster}:" if self.cluster else ""
        return f"k8s:{cluster}{self.namespace or '-'}/{self.kind.lower()}/{self.name}"

    def because(self, value: Any = None, key: str = "") -> Because:
        """The line of ``key`` in a mapping or of a collection of this object; where the object begins without."""
        where = self.value if value is None else value
        if key and hasattr(where, "at"):
            return self.file.because(where.at(key))
        return self.file.because(getattr(where, "line", self.value.line))

    @property
    def metadata(self) -> Map | dict[str, Any]:
        """Its metadata; empty when that is not a mapping."""
        found = self.value.get("metadata")
        return found if isinstance(found, dict) else {}

    def labels(self, field_name: str = "labels") -> dict[str, str]:
        """Its labels, or its annotations."""
        found = self.metadata.get(field_name)
        return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


@dataclass(slots=True)
class Cluster:
    """All objects by id, in the order read. Of two with one id the first counts, and the second is noted.

    ``placed``: by overlay the objects of namespaces that it makes, by id, and which of the versions of one it is.
    Overlays that make one object are alternatives, as for two clusters; those that make it differently certainly.
    ``uses``: what audit logs show, by ids of subjects.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    placed: dict[str, dict[str, int]] = field(default_factory=dict)
    _common: dict[tuple[str, str], tuple[bool, bool]] = field(default_factory=dict)

    def of(self, *kinds: str) -> Iterator[Object]:
        """The objects of these kinds."""
        return (item for item in self.objects.values() if item.kind in kinds)

    def meet(self, one: Object, other: Object) -> bool:
        """Whether two objects may be in one cluster."""
        if not one.overlays or not other.overlays or one.overlays & other.overlays:
            return True
        return not all(self._in_common(mine, theirs)[1] for mine in one.overlays for theirs in other.overlays)

    def accompanies(self, one: Object, other: Object) -> bool:
        """Whether an object is there wherever the other is: what limits it counts only then."""
        if not one.overlays or other.overlays <= one.overlays:
            return True
        return all(any(not self._in_common(mine, theirs)[0] for mine in one.overlays) for theirs in other.overlays)

    def _in_common(self, one: str, other: str) -> tuple[bool, bool]:
        """Whether two overlays make objects of one name, and whether they make them differently."""
        if one == other:
            return False, False
        if (one, other) not in self._common:
            mine, theirs = self.placed.get(one, {}), self.placed.get(other, {})
            both = mine.keys() & theirs.keys()
            found = bool(both), any(mine[key] != theirs[key] for key in both)
            self._common[one, other] = self._common[other, one] = found
        return self._common[one, other]
