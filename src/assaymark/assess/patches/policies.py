"""Patches of IAM policies: what keeps roles to their tenants and environments, and to services that they pass to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.aws import actions
from assaymark.assess.aws.evaluate import action_state
from assaymark.assess.aws.patterns import arn_matches, glob
from assaymark.assess.aws.prefixes import prefixes
from assaymark.assess.aws.techniques import NEW
from assaymark.assess.aws.written import quoted, statement_as_written
from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.terraform.declared import declared, referable
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.aws.prefixes import Prefix
    from assaymark.assess.aws.written import Written
    from assaymark.assess.estate.aws import Identity, PolicyDocument, Resource, Statement
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_KEYS: Final = {
    "tenant": ("tenant", "tenant-id", "tenant_id", "tenantid", "customer", "customer-id", "client"),
    "environment": ("environment", "env", "stage", "deployment-environment"),
}
_VERSION: Final = "2012-10-17"  # the one that reads variables


def _holders(estates: Estates) -> dict[int, list[Identity]]:
    """Who has a statement, by its identity."""
    found: dict[int, list[Identity]] | None = estates.indexes.get("holders")
    if found is None:
        found = {}
        known = estates.aws.identities
        for who in known.values():
            for holder in (who, *(known[one] for one in who.groups if one in known)):
                for policy in holder.policies if who.kind != "group" else ():
                    for statement in policy.statements:
                        found.setdefault(id(statement), []).append(who)
        estates.indexes["holders"] = found
    return found


def _boundary(kind: str, one: Identity | Resource) -> str:
    """The tenant or environment of an identity or resource, as the graph has it."""
    name = one.arn[13:] if one.arn.startswith("arn:aws:s3:::") else one.arn.rpartition(":")[2].rpartition("/")[2]
    return (tenant_of if kind == "tenant" else environment_of)(name, one.tags)


def _apart(kind: str) -> Writer:
    """Keeps a principal of one tenant or environment from what is another's."""

    def write(place: Place) -> list[Patch]:
        source, _, target = place.finding.name.rpartition(" ")
        who, what = place.estates.aws.identities.get(source), place.estates.aws.resources.get(target)
        prefix = prefixes(place.estates).get(target)
        if who is not None and what is None and prefix is not None:
            return _own_prefix(place, kind, who, prefix)
        if who is None or what is None:
            return []
        run = _Apart(place, kind, who, what)
        found: list[Patch] = []
        for document, statement, own in run.allowing():
            patches = run.resource_policy(statement) if own else run.identity_policy(document, statement)
            if not patches:
                return []  # what one statement takes back another gives
            found += patches
        return found

    return write


def _own_prefix(place: Place, kind: str, who: Identity, prefix: Prefix) -> list[Patch]:
    """The prefix of whoever has a statement, named as the other's is, in the place of the whole bucket."""
    here, there = _boundary(kind, who), prefix.tenant if kind == "tenant" else prefix.environment
    found: list[Patch] = []
    for document in who.policies:
        for statement in document.statements:
            objects = [
                one
                for one in statement.resources
                if not isinstance(one, Unresolved) and glob(one, f"{prefix.arn}x") and glob(one, f"{prefix.bucket}/x")
            ]
            if statement.effect != "Allow" or not objects:
                continue
            shown = statement_as_written(place.inputs, statement)
            holders = _holders(place.estates).get(id(statement), [])
            items = shown.source("resource") if shown is not None and "resource" in shown.items else []
            own = _called(kind, document, holders, prefix, (here, there), shown) if shown is not None else ""
            if shown is None or not own or len(items) != len(statement.resources):
                return []
            kept = []
            for source, pattern in zip(items, statement.resources, strict=True):
                if pattern in objects:
                    if not source.endswith('/*"'):
                        return []  # all buckets, or a part of them: what else it is for, nobody can see
                    source = f'{source[:-2]}{own}*"'  # noqa: PLW2901
                kept.append(source)
            title = f"let {who.name} reach the prefix of {kind} {here} alone, where its objects have to lie"
            found += shown.text.replaced([shown.listed("resource", kept)], title)
    return found


def _called(
    kind: str,
    document: PolicyDocument,
    holders: list[Identity],
    prefix: Prefix,
    sides: tuple[str, str],
    shown: Written,
) -> str:
    """The prefix of those who have a statement: by a tag whose values prefixes are called after, else by name."""
    here, there = sides
    last = prefix.path.rstrip("/").rpartition("/")[2]
    before = prefix.path[: len(prefix.path) - len(last) - 1]
    tag = next((key for one in holders for key in [_tag(kind, one)] if key), "")
    if tag and document.version == _VERSION and all(tag in one.tags for one in holders) and last == there:
        return f"{before}{shown.variable(f'aws:PrincipalTag/{tag}')[1:-1]}/"
    alone = bool(holders) and {_boundary(kind, one) for one in holders} == {here}
    return f"{before}{last.replace(there, here)}/" if alone and there in last else ""


class _Apart:
    """One principal and one resource that lie on different sides."""

    def __init__(self, place: Place, kind: str, who: Identity, what: Resource) -> None:
        self.place, self.kind, self.who, self.what = place, kind, who, what
        self.here, self.there = _boundary(kind, who), _boundary(kind, what)
        self.title = f"let {who.name} reach what is of {kind} {self.here} alone"

    def allowing(self) -> Iterator[tuple[PolicyDocument, Statement, bool]]:
        """The statements that let the principal reach the resource; whether each is the resource's own."""
        identities = self.place.estates.aws.identities
        holders = [self.who, *(identities[one] for one in self.who.groups if one in identities)]
        for holder in holders:
            for document in holder.policies:
                for statement in document.statements:
                    if statement.effect == "Allow" and self._touches(statement):
                        yield document, statement, False
        policy = self.what.policy
        for statement in policy.statements if policy is not None else ():
            named = (statement.principals or {}).get("AWS", ())
            if policy is not None and statement.effect == "Allow" and (self.who.arn in named or "*" in named):
                yield policy, statement, True

    def _touches(self, statement: Statement) -> bool:
        """Whether a statement may let somebody at the resource: an action of its service, and the resource."""
        service = self.what.arn.split(":")[2]
        ours = any(
            one.lower().startswith((f"{service}:", "*")) or isinstance(one, Unresolved) for one in statement.actions
        )
        meant = statement.not_resources is not None or any(_means(one, self.what) for one in statement.resources)
        return (ours or statement.not_actions is not None) and meant

    def identity_policy(self, document: PolicyDocument, statement: Statement) -> list[Patch]:
        """A condition on tags where all has them and the actions take it, else the resources that are its own."""
        shown = statement_as_written(self.place.inputs, statement)
        holders = _holders(self.place.estates).get(id(statement), [])
        if shown is None or statement.not_actions is not None or statement.not_resources is not None:
            return []
        change = self._by_tag(document, statement, shown, holders)
        if change is None and {_boundary(self.kind, one) for one in holders} == {self.here}:
            change = self._by_name(statement, shown)
        elif change is None and document.version == _VERSION:
            change = self._by_variable(statement, shown, holders)
        return list(shown.text.replaced([change], self.title)) if change is not None else []

    def _by_tag(
        self, document: PolicyDocument, statement: Statement, shown: Written, holders: list[Identity]
    ) -> tuple[int, int, str] | None:
        tag = _tag(self.kind, self.who)
        meant = self._meant(statement)
        untagged = any(tag not in one.tags for one in holders) or any(tag not in one.tags for one in meant)
        if not tag or document.version != _VERSION or untagged:
            return None
        if any(not _takes_tag(action) for action in _actions(statement)) or not _actions(statement):
            return None
        own = [one for one in meant if _boundary(self.kind, one) == self.here]
        if any(one.tags[tag] != self.who.tags[tag] for one in own):
            return None
        return shown.condition("StringEquals", f"aws:ResourceTag/{tag}", shown.variable(f"aws:PrincipalTag/{tag}"))

    def _meant(self, statement: Statement) -> list[Resource]:
        """All that the input holds of what a statement means, of services whose actions it has."""
        known: dict[int, list[Resource]] = self.place.estates.indexes.setdefault("meant", {})
        if id(statement) not in known:
            services = {action.partition(":")[0].lower() for action in _actions(statement)}
            known[id(statement)] = [
                one
                for _, one in sorted(self.place.estates.aws.resources.items())
                if one.arn.split(":")[2] in services and any(_means(pattern, one) for pattern in statement.resources)
            ]
        return known[id(statement)]

    def _by_name(self, statement: Statement, shown: Written) -> tuple[int, int, str] | None:
        """Each pattern that means what is another's, as the names of what is not."""
        items = shown.items.get("resource", [])
        if len(items) != len(statement.resources) or any(isinstance(one, Unresolved) for one in statement.resources):
            return None
        meant = self._meant(statement)
        kept: dict[str, None] = {}
        for source, pattern in zip(shown.source("resource"), statement.resources, strict=True):
            matching = [one for one in meant if _means(pattern, one)]
            own = [one for one in matching if _boundary(self.kind, one) in ("", self.here)]
            if len(own) == len(matching):
                kept[source] = None
                continue
            if not pattern.strip("*"):
                return None  # what else it is for, nobody can see
            for one in own:
                names = self._names(one, pattern, shown)
                if not names:
                    return None
                kept |= dict.fromkeys(names)
        return shown.listed("resource", list(kept)) if kept else None

    def _by_variable(
        self, statement: Statement, shown: Written, holders: list[Identity]
    ) -> tuple[int, int, str] | None:
        """Buckets whose names differ by what tags of all who have the statement say, by that tag in the name."""
        tag = _tag(self.kind, self.who)
        items = shown.source("resource") if len(shown.items.get("resource", [])) == len(statement.resources) else []
        if not tag or not items or any(tag not in one.tags for one in holders):
            return None
        whose = {one.tags[tag]: _boundary(self.kind, one) for one in holders}
        kept = []
        for source, pattern in zip(items, statement.resources, strict=True):
            matching = [one for one in self._meant(statement) if _means(pattern, one)]
            bucket, slash, path = pattern.partition("/")
            head, _, tail = bucket.partition("*")
            if all(not _boundary(self.kind, one) for one in matching):
                kept.append(source)
                continue
            if bucket.count("*") != 1 or "?" in bucket or source != quoted(pattern) or not bucket[13:].strip("*"):
                return None
            for one in matching:
                name = one.arn[len(head) : len(one.arn) - len(tail)] if one.kind == "s3:bucket" else ""
                if not _boundary(self.kind, one) or whose.get(name, "") != _boundary(self.kind, one):
                    return None
            variable = shown.variable(f"aws:PrincipalTag/{tag}")[1:-1]
            kept.append(f"{shown.quoted(head)[:-1]}{variable}{shown.quoted(tail + slash + path)[1:]}")
        return shown.listed("resource", kept)

    def _names(self, one: Resource, pattern: str, shown: Written) -> list[str]:
        """What a pattern means of a resource, as the file has it: by reference, else by an ARN that is known."""
        parts = [""]
        if one.kind == "s3:bucket":
            _, slash, path = pattern.partition("/")
            parts = [f"{slash}{path}"] if slash else ["", "/*"] if pattern.endswith("*") else [""]
        elif arn_matches(pattern, one.arn) is State.NO:
            return []
        known = [res for res in declared(self.place.estates).by_arn[one.arn] if _is_of(res.kind, one)]
        if len(known) == 1 and not shown.literal and referable(known[0], shown.text.path):
            arn = f"{known[0].address}.arn"
            if shown.style == "json":
                return [f'"${{{arn}}}{shown.quoted(part)[1:]}' for part in parts]
            return [f'"${{{arn}}}{shown.quoted(part)[1:]}' if part else arn for part in parts]
        if UNKNOWN_ACCOUNT in one.arn or HOLE in one.arn or isinstance(one.arn, Unresolved):
            return []
        named = one.kind == "s3:bucket" or (shown.literal and one.account)
        return [shown.quoted(one.arn + part) for part in parts] if named else []

    def resource_policy(self, statement: Statement) -> list[Patch]:
        """A condition on the principal's tag, where all whom the statement names say whose they are by it."""
        shown = statement_as_written(self.place.inputs, statement)
        named = (statement.principals or {}).get("AWS", ())
        identities = self.place.estates.aws.identities
        who = [identities.get(one) for one in named]
        tag = _tag(self.kind, self.who)
        value = self.what.tags.get(_tag(self.kind, self.what), "")
        if shown is None or not tag or not value or set(statement.principals or {}) != {"AWS"}:
            return []
        if isinstance(value, Unresolved) or "${" in value:
            return []  # written down, it would be a text that nobody has
        if any(one is None or tag not in one.tags for one in who):
            return []
        own = [one for one in who if one is not None and _boundary(self.kind, one) == self.there]
        if any(one.tags[tag] != value for one in own):
            return []
        change = shown.condition("StringEquals", f"aws:PrincipalTag/{tag}", shown.quoted(value))
        title = f"let only principals of {self.kind} {self.there} use what is its own"
        return list(shown.text.replaced([change], title)) if change is not None else []


def _is_of(kind: str, one: Resource) -> bool:
    """Whether a resource of Terraform is the thing itself and not a setting of it."""
    service = one.kind.partition(":")[2].replace("-", "_")
    return kind.endswith(f"_{service}") or (kind == "aws_s3_bucket" and one.kind == "s3:bucket")


def _tag(kind: str, one: Identity | Resource) -> str:
    """The tag that says whose it is; empty for none."""
    return next((key for key, value in sorted(one.tags.items()) if key.lower() in _KEYS[kind] and value), "")


def _means(pattern: str, one: Resource) -> bool:
    """Whether a pattern means a resource or, of a bucket, some object in it."""
    if isinstance(pattern, Unresolved):
        return True
    if one.kind != "s3:bucket":
        return pattern == "*" or arn_matches(pattern, one.arn) is not State.NO
    bucket, slash, _ = pattern.partition("/")
    return glob(bucket, one.arn) or (not slash and pattern.endswith("*") and glob(pattern, f"{one.arn}/x"))


def _actions(statement: Statement) -> list[str]:
    """The actions that a statement allows; none when a template left one open."""
    if any(isinstance(one, Unresolved) for one in statement.actions):
        return []
    return [name for one in statement.actions for name in actions.names_of(actions.expand(one))]


def _takes_tag(action: str) -> bool:
    """Whether a condition on the tag of what an action is about is looked at, for every type that it may be about."""
    found = actions.find(action)
    service = actions.service(action.partition(":")[0])
    if found is None or service is None or not found.resources or service.prefix == "s3":
        return False  # buckets look at their tags only where that is turned on, and objects never
    return all("aws:resourcetag/*" in found.keys | service.types[name].keys for name in found.resources)


def _pass_role(place: Place) -> Iterator[Patch]:
    """Roles are passed to the services whose actions the same policies allow, and to no others."""
    who = place.estates.aws.identities.get(place.finding.name)
    if who is None or who.groups or who.opaque:
        return
    statements = [one for document in who.policies for one in document.statements if one.effect == "Allow"]
    services = sorted({one.service for one in NEW if _may_start(one.ways, statements)})
    passing = [one for one in statements if action_state(one, "iam:PassRole") is not State.NO]
    if not services or len(passing) != 1 or passing[0].condition:
        return
    statement = passing[0]
    shown = statement_as_written(place.inputs, statement)
    words = [one.lower() for one in statement.actions]
    if shown is None or "iam:passrole" not in words or any("*" in one.partition(":")[0] for one in words):
        return
    values = [quoted(one) for one in services]
    listed = values[0] if len(values) == 1 else f"[{', '.join(values)}]"
    title = f"pass roles to {', '.join(services)} alone"
    if len(words) == 1:
        change = shown.condition("StringEquals", "iam:PassedToService", listed)
        yield from shown.text.replaced([change], title) if change is not None else ()
        return
    left = [text for text, word in zip(shown.source("action"), words, strict=False) if word != "iam:passrole"]
    more = shown.beside("iam:PassRole", "StringEquals", "iam:PassedToService", listed)
    if more is not None and len(shown.source("action")) == len(words):
        yield from shown.text.replaced([shown.listed("action", left), more], title)


def _may_start(ways: tuple[tuple[str, ...], ...], statements: list[Statement]) -> bool:
    """Whether statements together allow one of some sets of actions."""
    return any(
        all(any(action_state(one, action) is not State.NO for one in statements) for action in way) for way in ways
    )


POLICY_WRITERS: Final[dict[str, Writer]] = {
    "aws-environment-reads-other": _apart("environment"),
    "aws-passrole-any": _pass_role,
    "aws-tenant-reads-other": _apart("tenant"),
}
