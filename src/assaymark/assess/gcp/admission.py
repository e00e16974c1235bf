"""``Admission``: what firewall rules and policies let reach an instance, in the order in which they count.

Source: Google Cloud documentation, "Firewall policy rule evaluation": policies of the organisation and of folders,
then rules of the network and its global and regional policies, whose order the network says (rules first by default);
within a policy the first rule about a packet decides, ``goto_next`` and what no rule is about goes on; what nothing
decides is denied.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.answering import LAST_PORT
from assaymark.assess.estate.gcp import MANAGER
from assaymark.assess.gcp.firewalls import Firewall, anywhere, apart, firewalls, last_part, place_of, ranges_of
from assaymark.assess.gcp.names import project
from assaymark.assess.spelled import blocks, got, text_at
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import texts_in, whole_number
from assaymark.core.graph import State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.gcp.parts import Part, Parts

_LAST: Final = 1 << 31
_DEEPEST: Final = 32  # places in places; Google Cloud has ten folders at most
_OTHERS: Final = (  # sources of rules of policies that are not addresses
    *("srcSecureTags", "srcFqdns", "srcRegionCodes", "srcThreatIntelligences", "srcAddressGroups", "srcNetworks"),
)


class Admission:
    """All rules of the input, asked about instances."""

    def __init__(self, estates: Estates, parts: Parts) -> None:
        self._estate = estates.gcp
        self._parts = parts
        self._rules = firewalls(estates)
        self._policies: dict[int, list[Firewall]] = {}
        self._binds = any(
            kind.startswith("google_tags_") for kind, found in declared(estates).by_kind.items() if found
        )

    @property
    def shown(self) -> bool:
        """Whether the input has any rule."""
        kinds = ("firewallPolicy", "networkFirewallPolicy")
        return bool(self._rules) or any(self._parts.of.get(one) for one in kinds)

    def layers(self, one: Resource, interfaces: Sequence[Mapping[str, Any]]) -> list[list[Firewall]]:
        """The rules about an instance, those that count first before others."""
        networks, anyones = self._networks(interfaces)
        tags = one.settings.get("tags")
        tags = [str(tag) for tag in listed(tags.get("items") if isinstance(tags, dict) else tags)]
        places = {(last_part(part.get("network") or "default"), self._place(one, part)) for part in interfaces}
        own = [
            rule
            for rule in self._rules
            if (anyones or (rule.network in networks and not _elsewhere(rule, places)))
            and rule.targets(tags, one.account)
        ]
        found = [self._about(one, policy) for policy in self._above(one)]
        theirs = [self._about(one, policy) for policy in self._attached(one, networks, anyones=anyones)]
        order = {
            text_at(network.values, "networkFirewallPolicyEnforcementOrder")
            for name in networks
            for network in self._network(name)
        }
        return [*found, *theirs, own] if "BEFORE_CLASSIC_FIREWALL" in order else [*found, own, *theirs]

    def _place(self, one: Resource, part: Mapping[str, Any]) -> str:
        """The project of an interface's network; a subnet may be another project's, which shares it."""
        subnet = part.get("subnetwork") and not part.get("network")
        return "" if subnet else place_of(part.get("network"), one.project.rpartition("/")[2])

    def _network(self, name: str) -> list[Part]:
        found = self._parts.of.get("network", ())
        return [one for one in found if one.name == name or (one.address and one.address in name)]

    def _above(self, one: Resource) -> Iterator[list[Firewall]]:
        """The policies of the organisation and folders, outermost first; those that may be are unsure."""
        place, chain = project(one.project), [project(one.project)]
        while place in self._estate.parents and len(chain) < _DEEPEST:
            place = self._estate.parents[place]
            chain.append(place)
        known = chain[-1].startswith(f"{MANAGER}organizations/")
        found: list[tuple[int, list[Firewall]]] = []
        for policy in self._parts.of.get("firewallPolicy", ()):
            for target in self._targets(policy, "firewallPolicyAssociation"):
                node = f"{MANAGER}{target.removeprefix(MANAGER)}"
                name = policy.name or policy.address
                perhaps = (f"the project {one.project} lies in what the policy {name} is attached to",)
                if node in chain:
                    found.append((-chain.index(node), self._written(policy, "firewallPolicyRule", ())))
                elif not known:
                    at = -len(chain) if "organizations" in target else 1 - len(chain)
                    found.append((at, self._written(policy, "firewallPolicyRule", perhaps)))
        yield from (rules for _, rules in sorted(found, key=lambda pair: pair[0]))

    def _networks(self, interfaces: Sequence[Mapping[str, Any]]) -> tuple[set[str], bool]:
        """The networks of interfaces, and whether one has a subnet whose network the input does not show."""
        found: set[str] = set()
        anyones = False
        for part in interfaces:
            subnet = part.get("subnetwork") if not part.get("network") else None
            known = [
                last_part(each.values.get("network") or "default") for each in self._parts.named(subnet, "subnetwork")
            ]
            anyones |= bool(subnet) and not known
            found |= set(known) if subnet else {last_part(part.get("network") or "default")}
        return found, anyones

    def _attached(self, one: Resource, networks: set[str], *, anyones: bool) -> Iterator[list[Firewall]]:
        """The policies of its networks: global ones before those of its region."""
        where = text_at(one.settings, "zone").rpartition("/")[2].rpartition("-")[0]
        for regional in (False, True):
            for policy in self._parts.of.get("networkFirewallPolicy", ()):
                if bool(policy.region) is not regional or (regional and where and policy.region != where):
                    continue
                targets = self._targets(policy, "networkFirewallPolicyAssociation")
                if any(last_part(text) in networks for text in targets):
                    yield self._written(policy, "networkFirewallPolicyRule", ())
                elif anyones and targets:
                    own = one.name.rpartition("/")[2]
                    words = f"{own} is in the network of the policy {policy.name or policy.address}"
                    yield self._written(policy, "networkFirewallPolicyRule", (words,))

    def _targets(self, policy: Part, kind: str) -> list[str]:
        """What a policy is attached to."""
        found = [text_at(one, "attachmentTarget") for one in blocks(policy.values, "associations")]
        found += [
            text_at(one.values, "attachmentTarget")
            for one in self._parts.of.get(kind, ())
            if policy in self._parts.named(got(one.values, "firewallPolicy"), policy.kind)
        ]
        return [one for one in found if one]

    def _written(self, policy: Part, kind: str, perhaps: tuple[str, ...]) -> list[Firewall]:
        """The rules of a policy by priority; ``perhaps``: what would decide that it counts."""
        if id(policy) not in self._policies:
            self._policies[id(policy)] = self._all(policy, kind)
        found = self._policies[id(policy)]
        return [replace(one, perhaps=perhaps) for one in found] if perhaps else found

    def _all(self, policy: Part, kind: str) -> list[Firewall]:
        given = [(one, policy) for one in blocks(policy.values, "rules", "rule")]
        given += [
            (dict(one.values), one)
            for one in self._parts.of.get(kind, ())
            if policy in self._parts.named(got(one.values, "firewallPolicy"), policy.kind)
        ]
        found = [rule for value, part in given for rule in self._made(value, policy, part)]
        return sorted(found, key=lambda one: (one.priority, one.allows))

    def _made(self, value: Mapping[str, Any], policy: Part, part: Part) -> Iterator[Firewall]:
        action = text_at(value, "action").lower()
        if text_at(value, "direction").upper() != "INGRESS" or got(value, "disabled") is True:
            return
        number = whole_number(got(value, "priority"))
        priority = got(value, "priority") if number is None else number
        line = getattr(value, "line", 0)
        for match in blocks(value, "match"):
            sources = got(match, "srcIpRanges")
            ranges = tuple(pair for block in blocks(match, "layer4Configs") for pair in ranges_of(block))
            others = [got(match, name) for name in _OTHERS]
            scope = text_at(match, "srcNetworkScope", "srcNetworkType").upper()
            wide = anywhere(sources, *others)
            wide = False if scope in ("NON_INTERNET", "VPC_NETWORKS", "INTRA_VPC") else wide
            wide = None if wide is False and any(others[1:5]) else wide  # by names, regions and lists of addresses
            if ranges:
                yield Firewall(
                    f"{policy.name or policy.address} {priority}",
                    "",
                    priority if isinstance(priority, int) else _LAST,
                    action in ("allow", "apply_security_profile_group"),
                    wide,
                    ranges,
                    frozenset(texts_in(got(value, "targetSecureTags"))),
                    frozenset(texts_in(got(value, "targetServiceAccounts"), got(value, "targetResources"))),
                    replace(part.because, line=line) if line else part.because,
                    tuple(str(one) for one in listed(sources) if not isinstance(one, Unresolved)),
                    goes_on=action == "goto_next",
                )

    def _about(self, one: Resource, rules: Iterable[Firewall]) -> list[Firewall]:
        """The rules of a policy that are about an instance; one whose tags nobody sees may be."""
        bound = set(texts_in(one.settings.get("params"), one.settings.get("resourceManagerTags")))
        networks = {
            last_part(text)
            for text in texts_in(one.settings.get("network_interface", one.settings.get("networkInterfaces")))
        }
        found = []
        for rule in rules:
            if rule.accounts:
                places = {last_part(text) for text in rule.accounts if "networks/" in text or "${" in text}
                if one.account not in rule.accounts and not places & networks:
                    continue
            if rule.tags and not rule.tags & bound:
                if "terraform" in one.settings and not self._binds:
                    continue
                words = f"{one.name.rpartition('/')[2]} has a tag that the rule {rule.name} is about"
                found.append(replace(rule, perhaps=(*rule.perhaps, words)))
                continue
            found.append(rule)
        return found


def _elsewhere(rule: Firewall, places: set[tuple[str, str]]) -> bool:
    """Whether a rule is of a network that only is called as those of an instance are, in another project."""
    same = [place for name, place in places if name == rule.network]
    return bool(same) and all(apart(rule.project, place) for place in same)


def let_in(layers: Sequence[Sequence[Firewall]], senders: Sequence[str] | None, port: int | None) -> Answer:
    """Whether rules let ranges of addresses reach a port; no ranges: anyone. No port: all of them."""
    unsure: list[tuple[Firewall, str]] = []
    for layer in layers:
        doubt: tuple[str, ...] = ()  # that this policy goes on to the next before what is left of it
        for rule in layer:
            whole = (0, LAST_PORT) in rule.ranges
            about = rule.of(senders) if rule.ranges and (port is None or rule.about(port)) else False
            if about is False or (port is None and not whole and rule.goes_on):
                continue
            if port is None and not whole:
                return NO  # decided port by port
            perhaps = (
                *doubt,
                *rule.perhaps,
                *(() if about else (f"the firewall rule {rule.name} is about what comes",)),
            )
            if rule.goes_on:
                if not perhaps:
                    break
                doubt = perhaps
            elif perhaps:
                unsure.append((rule, perhaps[0]))
            else:
                return _unsure(Answer(State.YES, (rule.because,)) if rule.allows else NO, unsure)
    return _unsure(NO, unsure)


def _unsure(decided: Answer, unsure: list[tuple[Firewall, str]]) -> Answer:
    """What is left where rules before are about what comes, or not."""
    for rule, words in unsure:
        if rule.allows and decided.state is State.NO:
            decided = Answer(State.YES, (rule.because,)).unless(words)
        elif not rule.allows and decided.state is not State.NO:
            decided = decided.unless(f"{words}, or not")
    return decided
