"""What principals need, platform by platform: as declared, as code calls it, as logs show it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import called as of_aws
from assaymark.assess.aws.personal import held
from assaymark.assess.azure import called as of_azure
from assaymark.assess.azure.vaults import Vaults, with_policies
from assaymark.assess.gcp import called as of_gcp
from assaymark.assess.gcp.evaluate import Access as GcpAccess
from assaymark.assess.gcp.least import members, node_of
from assaymark.assess.gcp.places import place_of
from assaymark.assess.kubernetes import called as of_kubernetes
from assaymark.assess.kubernetes.least import held_by, subjects
from assaymark.assess.kubernetes.used import lasting
from assaymark.assess.names import find_node
from assaymark.assess.reviews import platform_of
from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from assaymark.assess.engine import Assessment
    from assaymark.assess.estate.source import CloudCall
    from assaymark.assess.estate.use import Use
    from assaymark.assess.reviews import AssessConfig

Needs = dict[str, set[tuple[str, str]]]  # pairs of action and resource by principal's node
_NAMES: Final = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud", "kubernetes": "Kubernetes RBAC"}
_SHOWN: Final = 5
_RELATIVE: Final = ("//", "projects/", "folders/", "organizations/")


@dataclass(frozen=True, slots=True)
class _Platform:
    """``known``: nodes of principals. ``place``: what a text and an action mean. ``code``: what calls need."""

    name: str
    known: Collection[str]
    uses: Iterable[Use]
    place: Callable[[str, str], str]
    code: Callable[[str, Sequence[CloudCall]], set[tuple[str, str]]]


def all_needs(found: Assessment, config: AssessConfig) -> dict[str, Needs]:
    """The needs of all principals, by platform: ``aws``, ``azure``, ``gcp``, ``kubernetes``.

    Raises:
        UsageError: ``node-unknown``, ``node-ambiguous``; ``need-principal`` and ``need-resource`` for one that is of
            another platform than the actions; ``assess-code`` for code that calls nothing of the principal's.
    """
    platforms = [_aws(found), _kubernetes(found), _azure(found), _gcp(found)]
    needs: dict[str, defaultdict[str, set[tuple[str, str]]]] = {one.name: defaultdict(set) for one in platforms}
    for need in config.needs:
        for one in platforms:
            actions = [action for action in need.actions if platform_of(action) == one.name]
            for text in need.principals if actions else ():
                principal = _principal(found, text, [one])[one.name]
                needs[one.name][principal] |= {
                    (action, one.place(text, action)) for action in actions for text in need.resources
                }
        for text in need.principals if need.code else ():
            of = _principal(found, text, platforms)
            calls = _calls(found, need.code, {*of})
            for one in platforms:
                if one.name in of:
                    mine = [call for call in calls if call.platform == one.name]
                    needs[one.name][of[one.name]] |= one.code(of[one.name], mine) if mine else set()
    for one in platforms:
        strange = set()
        for use in one.uses:
            if use.principal in one.known:
                needs[one.name][use.principal].add((use.action, use.resource))
            else:
                strange.add(use.principal)
        if strange:
            shown = ", ".join(sorted(strange)[:_SHOWN]) + (" ..." if len(strange) > _SHOWN else "")
            found.reading.gap(
                f"logs of {_NAMES[one.name]} show calls of principals that the input does not have: {shown}"
            )
    return {name: {key: some for key, some in found_ones.items() if some} for name, found_ones in needs.items()}


def _principal(found: Assessment, text: str, platforms: Sequence[_Platform]) -> dict[str, str]:
    """The principal that a need names, or whom the named workload runs as, by platform."""
    node = find_node(found.graph, text)
    of = {one.name: node for one in platforms if node in one.known}
    if of:
        return of
    runs_as = {edge.target for edge in found.graph.edges if edge.source == node and edge.relation == "runs-as"}
    for one in platforms:
        fitting = sorted(runs_as & {*one.known})
        if len(fitting) == 1:
            of[one.name] = fitting[0]
    if of:
        return of
    names = " or ".join(_NAMES[one.name] for one in platforms)
    raise UsageError(
        "need-principal",
        f"{text!r} ({node}) is no principal of {names}, which its needed actions are of",
        remedy=f"name {' or '.join(sorted(runs_as))}" if runs_as else "name the identity whose actions they are",
    )


def _calls(found: Assessment, places: Sequence[str], platforms: Collection[str]) -> list[CloudCall]:
    """The calls of platforms below files and folders."""
    calls: list[CloudCall] = []
    for place in places:
        folder = place.strip("/").removeprefix("./")
        here = [
            call
            for call in found.estates.source.cloud_calls
            if call.platform in platforms
            and (folder in ("", ".") or call.because.path == folder or call.because.path.startswith(f"{folder}/"))
        ]
        if not here:
            names = " or ".join(_NAMES[one] for one in sorted(platforms))
            raise UsageError(
                "assess-code",
                f"no code below {place!r} calls {names}, which the principal is of",
                remedy="name a file or folder that does, or the identity that its calls are made as",
            )
        calls += here
    return calls


def _as_it_is(text: str, action: str) -> str:
    del action
    return text


def _aws(found: Assessment) -> _Platform:
    identities = found.estates.aws.identities

    def code(arn: str, calls: Sequence[CloudCall]) -> set[tuple[str, str]]:
        policies = held(found.estates.aws, identities[arn])[0]
        wanted = {need for call in calls for need in of_aws.needed(call, arn.split(":")[1])}
        pairs = {pair for need in wanted for pair in of_aws.narrowed(need, policies)}
        return pairs | {*of_aws.implied(policies)}

    return _Platform("aws", identities.keys(), found.estates.aws.uses, _as_it_is, code)


def _kubernetes(found: Assessment) -> _Platform:
    cluster = found.estates.kubernetes
    known = subjects(cluster)

    def code(node: str, calls: Sequence[CloudCall]) -> set[tuple[str, str]]:
        old = [rule for one in held_by(cluster, known[node]) for rule in one.rules]
        return {pair for call in calls for pair in of_kubernetes.needed(call, old)}

    return _Platform("kubernetes", known, lasting(cluster.uses, cluster), _as_it_is, code)


def _azure(found: Assessment) -> _Platform:
    estate = with_policies(found.estates.azure)
    named = {one.principal for one in estate.assignments} | {one for some in estate.groups.values() for one in some}
    known = {f"azure:principal:{one}" for one in (*named, *estate.principals)}

    def place(text: str, action: str) -> str:
        node = text if text.startswith("/") else find_node(found.graph, text)
        if not node.startswith("/") or node.startswith("//"):
            raise _no_resource(text, node, action)
        return node

    def code(node: str, calls: Sequence[CloudCall]) -> set[tuple[str, str]]:
        access, principal = Vaults(estate, found.now), node.rpartition(":")[2]
        return {pair for call in calls for pair in of_azure.needed(call, access, principal)}

    return _Platform("azure", known, estate.uses, place, code)


def _gcp(found: Assessment) -> _Platform:
    estate = found.estates.gcp
    known = members(estate)
    uses = [replace(one, principal=node_of(estate, one.principal)) for one in estate.uses]

    def place(text: str, action: str) -> str:
        node = text if text.startswith(_RELATIVE) else find_node(found.graph, text)
        named = node if node.startswith(_RELATIVE) else ""
        whole = place_of(estate, named, action.partition(".")[0]) if named else ""
        if not whole:
            raise _no_resource(text, node, action)
        return whole

    def code(node: str, calls: Sequence[CloudCall]) -> set[tuple[str, str]]:
        access = GcpAccess(estate, found.now)
        pairs = {pair for call in calls for pair in of_gcp.needed(call, access, known[node])}
        return pairs | of_gcp.implied(access, known[node])

    return _Platform("gcp", known, uses, place, code)


def _no_resource(text: str, node: str, action: str) -> UsageError:
    return UsageError(
        "need-resource",
        f"{text!r} ({node}) is nothing of {_NAMES[platform_of(action)]}, which the needed actions are of",
        remedy="name a resource by its id there",
    )
