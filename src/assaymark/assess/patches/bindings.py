"""Patches of bindings of RBAC: without whom they should not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.edits import text_of_file
from assaymark.assess.kubernetes.written import document, in_yaml, item_span
from assaymark.formats.located import Elsewhere, Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]


def _anonymous(place: Place) -> Iterator[Patch]:
    """Bindings without those who did not say who they are."""
    who = place.finding.name.rpartition("/")[2]
    yield from _without(place, lambda one, _: one.get("name") == who, "bind nobody who did not say who it is")


def _other_tenant(place: Place) -> Iterator[Patch]:
    """Bindings without the account of another tenant."""
    source = place.finding.name.partition(" ")[0]
    node = place.estates.kubernetes.objects.get(source)
    if not source.startswith("k8s:") or "/serviceaccount/" not in source or (node and node.kind != "ServiceAccount"):
        return
    namespace, _, name = source.removeprefix("k8s:").partition("/serviceaccount/")

    def is_it(one: Map, around: str) -> bool:
        return (one.get("kind"), one.get("name"), one.get("namespace") or around) == (
            "ServiceAccount",
            name,
            namespace,
        )

    yield from _without(place, is_it, f"bind {name} of {namespace} to nothing of another tenant")


def _without(place: Place, matches: Callable[[Map, str], bool], title: str) -> Iterator[Patch]:
    """The bindings of a finding without some subjects; a binding of nobody else goes."""
    places = {(one.path, one.line) for one in place.finding.locations}
    for binding in place.estates.kubernetes.of("RoleBinding", "ClusterRoleBinding"):
        reference, subjects = binding.value.get("roleRef"), binding.value.get("subjects")
        if not isinstance(reference, Map) or not isinstance(subjects, Seq) or not in_yaml(binding):
            continue
        if isinstance(reference.line, Elsewhere) or (binding.file.path, reference.line) not in places:
            continue
        text = text_of_file(binding.file)
        items: list[Any] = list(subjects)
        named = [index for index, one in enumerate(items) if isinstance(one, Map) and matches(one, binding.namespace)]
        if named and len(named) == len(subjects):
            lines = document(text.lines, binding)
            if lines is not None:
                yield text.without(*lines, title)
            continue
        for index in named:
            lines = item_span(text.lines, subjects, index)
            if lines is not None:
                yield text.without(*lines, title)


BINDING_WRITERS: Final[dict[str, Writer]] = {
    "k8s-anonymous-binding": _anonymous,
    "tenant-reaches-other": _other_tenant,
}
