"""Who may do what in a whole estate: the answers of ``evaluate`` for all actions and resources at once.

A statement is a set of actions and a set of atoms (``inventory``), both as bits. A principal's statements split the
atoms into groups that they treat alike; within a group and a kind one calculation over all actions decides, by the
same formula as ``evaluate`` and on one of its atoms. Atoms with a policy of their own are calculated by themselves.
Where a condition looks at the action, it is asked for each action that the statement could bear on.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from assaymark.assess.aws import actions
from assaymark.assess.aws.alike import Alike, Group, Groups, Reached, by_others, is_about_itself, moves
from assaymark.assess.aws.answers import YES, Answer, Part, Reach
from assaymark.assess.aws.applies import Lookup, tags_sessions
from assaymark.assess.aws.compiled import Compiler, Span
from assaymark.assess.aws.conditions import Key, variable
from assaymark.assess.aws.evaluate import evaluate
from assaymark.assess.aws.inventory import Atom, Inventory, indices, is_bucket, request_arn
from assaymark.assess.aws.patterns import FRESH, meet_arns, substitute
from assaymark.assess.aws.reckoning import Reckoning
from assaymark.assess.aws.request import Context, Principal, Request
from assaymark.assess.aws.routes import LOOKED_AT
from assaymark.assess.estate.aws import PolicyDocument, Statement
from assaymark.assess.unresolved import HOLE
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.evaluate import Applies
    from assaymark.assess.aws.routes import Way
    from assaymark.assess.estate.aws import Estate


def _has_resource(action: str) -> bool:
    found = actions.find(action)
    return found is not None and bool(found.resources)


def _owned(shape: str, principal_arn: str) -> str:
    """A type's ARN in the partition and account of the principal."""
    one, two = shape.split(":", 5), principal_arn.split(":", 5)
    if len(one) == len(two):
        one[1] = two[1] if one[1] == "*" else one[1]
        one[4] = two[4] if one[4] == "*" else one[4]
    return ":".join(one)


_ISSUED = "aws:TokenIssueTime"
_RANK = {State.YES: 0, State.UNKNOWN: 1, State.NO: 2}


class Access:
    """The answers for an estate at a time."""

    def __init__(self, estate: Estate, now: datetime) -> None:
        self._estate = estate
        self._now = now
        self._lookup = Lookup(estate)
        self._inventory = Inventory(self._lookup)
        self._compiler = Compiler()
        self._asked: tuple[str, list[tuple[list[Atom], int]]] = ("", [])

    def can(
        self, principal_arn: str, action: str, resource_arn: str = "*", context: Mapping[str, Value] | None = None
    ) -> Answer:
        """Whether a principal may do one action on one resource.

        Args:
            principal_arn: a user, role, role session, account root or account number, identity provider, service
                (``lambda.amazonaws.com``), or ``*`` for an anonymous request.
            action: ``s3:GetObject``.
            resource_arn: an ARN; with ``*`` or ``?`` in it, some resource like this, that may not exist yet; ``*``
                for an action that has no resource, and for any resource at all of an action that has.
            context: values of condition keys that are known, or ``conditions.Key``.
        """
        known = context or {}
        if resource_arn in self._estate.resources or resource_arn in self._estate.identities:
            return self._one(principal_arn, action, resource_arn, request_arn(resource_arn), known)
        if not set("*?") & set(resource_arn) or (resource_arn == "*" and not _has_resource(action)):
            return self._one(principal_arn, action, resource_arn, resource_arn, known)
        found = actions.find(action)
        if resource_arn == "*" and found is not None and found.together:
            return self._together(principal_arn, action, found.together, known)
        return self._some(principal_arn, action, resource_arn, known)

    def could(
        self,
        principal_arn: str,
        action: str,
        resource_arn: str,
        context: Mapping[str, Value] | None = None,
        *,
        keep: bool = False,
    ) -> Answer:
        """Whether a principal may do it once the resource's own policy lets it: what all other policies leave.

        ``keep``: what the resource's policy denies it still denies.
        """
        asked = request_arn(resource_arn) if resource_arn in self._estate.resources else resource_arn
        asked = asked[:-1] + FRESH if asked.endswith("/*") else asked
        request = self._request(principal_arn, action, resource_arn, asked, context or {})
        resource = self._lookup.resource(resource_arn)
        if resource is None:  # objects of what has a name that no bucket can have
            resource = self._estate.resources[resource_arn.removesuffix("/*")]
        named = {"AWS": (request.principal.arn,)}
        lets = Statement("Allow", resource.because, actions=("*",), resources=("*",), principals=named)
        denies = resource.policy.statements if keep and resource.policy is not None else ()
        whole = (lets, *(one for one in denies if one.effect == "Deny"))
        policy = PolicyDocument(f"{resource.arn}#changed", whole, resource.because)
        applies = replace(self._applies(request, resource_arn), resource=policy, resource_seen=True)
        answer = evaluate(request, applies)  # which does not rest on a statement that nobody has written yet
        return replace(answer, statements=tuple(one for one in answer.statements if one is not lets))

    def _together(
        self, principal_arn: str, action: str, types: tuple[str, ...], context: Mapping[str, Value]
    ) -> Answer:
        """Whether a request with a resource of each type is allowed: ``ec2:RunInstances`` on image, subnet, ..."""
        service = actions.service(action.partition(":")[0])
        own = self._lookup.principal(principal_arn).arn
        whole = YES
        assumes: dict[str, None] = {}
        for name in types if service else ():
            shape = _owned(service.types[name].arn, own) if service else ""
            answer = self._some(principal_arn, action, shape, context)
            whole = whole.both(Part(answer.state, answer.statements, answer.decides, answer.grants))
            assumes |= dict.fromkeys(answer.assumes)
            if whole.state is State.NO:
                break
        return Answer(whole.state, whole.statements, whole.decides, tuple(assumes), whole.grants)

    def _some(self, principal_arn: str, action: str, resource_arn: str, known: Mapping[str, Value]) -> Answer:
        """The best answer among resources like the one that is asked for."""
        best: Answer | None = None
        for arn in self._instances(principal_arn, action, resource_arn, known):
            answer = self._one(principal_arn, action, arn, arn, known)
            if best is None or _RANK[answer.state] < _RANK[best.state]:
                best = answer
            if best.state is State.YES:
                break
        return best or Answer(State.NO)

    def _one(self, principal_arn: str, action: str, arn: str, asked: str, context: Mapping[str, Value]) -> Answer:
        request = self._request(principal_arn, action, arn, asked, context)
        answer = evaluate(request, self._applies(request, arn))
        if answer.state is State.UNKNOWN and _ISSUED not in context and any(_ISSUED in one for one in answer.decides):
            # A user signs with a key that has no such time, or with a session that it starts now, as it likes.
            issued = {**context, _ISSUED: (self._now.isoformat(),)}
            answers = [
                evaluate(other, self._applies(other, arn))
                for given in ({**context, _ISSUED: Key.ABSENT}, issued)
                for other in (self._request(principal_arn, action, arn, asked, given),)
            ]
            return min(answers, key=lambda one: _RANK[one.state])
        for way in self._ways(request.principal) if answer.state is State.UNKNOWN else ():
            if way.mask & actions.bit(action) and not way.context.keys() & context.keys():
                asked_so = self._request(principal_arn, action, arn, asked, {**context, **way.context})
                through = evaluate(asked_so, replace(self._applies(asked_so, arn), endpoint=way.policy))
                if through.state is State.YES:
                    return through
        other = self._retagged(request.principal) if answer.state is State.NO else None
        if other and not other.keys() & context.keys():
            asked_so = self._request(principal_arn, action, arn, asked, {**context, **other})
            return evaluate(asked_so, self._applies(asked_so, arn))
        return answer

    def _ways(self, principal: Principal) -> list[Way]:
        """The ways through endpoints, where some policy looks at how a request comes."""
        return self._lookup.ways(principal) if any(map(self._inventory.looks_at, LOOKED_AT)) else []

    def _retagged(self, principal: Principal) -> dict[str, Value]:
        """The role's own tags that a policy looks at, when whoever starts its session may set others.

        Source: IAM User Guide, "Pass session tags in AWS STS": a session tag overrides the role's tag of its key.
        """
        identity = self._lookup.identity(principal.arn) if principal.session_tags else None
        if identity is None or not tags_sessions(identity, services=False):
            return {}
        keys = [f"aws:principaltag/{tag}" for tag in principal.tags or ()]
        return {key: Key.UNKNOWN for key in keys if self._inventory.looks_at(key.lower())}

    def _applies(self, request: Request, arn: str) -> Applies:
        return self._lookup.applies(request.principal, request.action, arn)

    def _request(
        self, principal_arn: str, action: str, arn: str, asked: str, context: Mapping[str, Value]
    ) -> Request:
        return Request(
            self._lookup.principal(principal_arn),
            action,
            asked,
            self._now,
            context,
            self._lookup.owner(self._lookup.resource(arn), asked),
            self._lookup.tags(arn),
        )

    def _instances(
        self, principal_arn: str, action: str, resource_arn: str, context: Mapping[str, Value]
    ) -> Iterator[str]:
        """Resources like the one that is asked for: any, and one for each pattern of a policy that meets it."""
        shapes = [resource_arn]
        if resource_arn == "*":
            found = actions.find(action)
            service = actions.service(action.partition(":")[0])
            if found and service:
                own = self._lookup.principal(principal_arn)
                shapes = [_owned(service.types[name].arn, own.arn) for name in found.resources]
        request = self._request(principal_arn, action, resource_arn, resource_arn, context)
        known = Context(request)
        applies = self._applies(request, resource_arn.replace("*", FRESH))
        documents = [*applies.identity, *((applies.resource,) if applies.resource else ())]
        patterns = {
            pattern
            for document in documents
            for one in self._compiler.document(document)
            if not one.deny and not one.excluded and one.actions.maybe & (actions.bit(action) or -1)
            for raw in one.patterns
            if (pattern := substitute(raw, one.version, lambda name: variable(known(name)))) is not None
        }
        for shape in shapes:
            yield shape.replace("*", FRESH).replace("?", FRESH)
            for pattern in sorted(patterns):
                arn = meet_arns(shape, pattern.replace(HOLE, "*"))
                if arn is not None:
                    yield arn

    def actions_on(self, principal_arn: str, resource_arn: str) -> tuple[int, int]:
        """The sets of actions (bits of ``actions``) that the principal may do on the resource, and perhaps may do.

        ``<bucket's ARN>/*`` asks for some object of the bucket.
        """
        if self._lookup.resource(resource_arn) is None and resource_arn not in self._estate.identities:
            return self._actions_one_by_one(principal_arn, resource_arn)
        bucket = resource_arn.removesuffix("/*")
        objects = bucket != resource_arn and bucket in self._estate.resources and is_bucket(bucket)
        yes = maybe = 0
        for reckoning in self._reckonings(principal_arn):
            for span in reckoning.objects(bucket) if objects else reckoning.on(resource_arn):
                yes, maybe = yes | span.yes, maybe | span.maybe
        return yes, maybe & ~yes

    def _actions_one_by_one(self, principal_arn: str, resource_arn: str) -> tuple[int, int]:
        """The same for a resource that the estate does not hold."""
        yes = maybe = 0
        for name in actions.names_of(actions.actions_for(resource_arn)):
            state = self.can(principal_arn, name, resource_arn).state
            yes |= actions.bit(name) if state is State.YES else 0
            maybe |= actions.bit(name) if state is State.UNKNOWN else 0
        return yes, maybe

    def _reckonings(self, principal_arn: str) -> list[Reckoning]:
        """One; two where some policy looks at it and who asks may sign with a key or a session, or set its tags."""
        given: list[dict[str, Value]] = [{}]
        if other := self._retagged(self._lookup.principal(principal_arn)):
            given.append(other)
        if self._lookup.principal(principal_arn).kind in ("user", "root") and self._inventory.looks_at(
            _ISSUED.lower()
        ):
            given = [{_ISSUED: Key.ABSENT}, {_ISSUED: (self._now.isoformat(),)}]
        parts = (self._lookup, self._inventory, self._compiler, principal_arn, self._now)
        ways = self._ways(self._lookup.principal(principal_arn))
        return [
            *(Reckoning(*parts, context) for context in given),
            *(Reckoning(*parts, context, way) for way in ways for context in given),
        ]

    def reach(self, principal_arn: str) -> Iterator[Reach]:
        """What the principal gets on all resources of the estate, in the order of resources and classes."""
        yield from self.reached(principal_arn).rows

    def reached(self, principal_arn: str, *, identities: bool = True) -> Reached:
        """The same, with the actions behind it. Without ``identities`` users, roles and groups are left out."""
        best: dict[tuple[str, int], Reach] = {}
        spans: dict[str, Span] = {}
        reckonings = self._reckonings(principal_arn)
        within = self._inventory.everything if identities else self._inventory.things
        for alike, span in chain.from_iterable(reckoning.all(within) for reckoning in reckonings):
            atoms = by_others(alike, principal_arn)
            for row, answer in self._rows(principal_arn, atoms[0], span):
                place = actions.CLASSES.index(row.action_class)
                move = moves(answer, atoms[0])
                action_class, _, state, because, decides, action = row
                own = is_about_itself(answer, atoms[0])
                for atom in atoms:
                    key = (atom.shown, place)
                    known = best.get(key)
                    if known is None or _RANK[state] < _RANK[known.state]:
                        if own:
                            moved = move(atom)
                            because, decides = moved.because, moved.decides
                        best[key] = Reach(action_class, atom.shown, state, because, decides, action)
            for atom in atoms:
                spans[atom.shown] = spans[atom.shown].either(span) if atom.shown in spans else span
        unread = list(reckonings[0].unread())
        for row in unread:
            best[row.resource, actions.CLASSES.index(row.action_class)] = row
        return Reached([best[key] for key in sorted(best)], spans, bool(unread))

    def grouped(self, principal_arn: str) -> Groups | None:
        """The same of what is no user, role or group, those alike together; None where that is not so simple.

        It is where no policy tells objects of a bucket apart, all policies were read, and requests come one way.
        """
        reckonings = self._reckonings(principal_arn)
        if len(reckonings) > 1 or reckonings[0].special or next(reckonings[0].unread(), None) is not None:
            return None
        found = []
        for mask, span in reckonings[0].masks(self._inventory.things):
            atoms = self._inventory.of(mask)
            found.append(Group(mask, atoms, span, tuple(self._rows(principal_arn, atoms[0], span))))
        return Groups(found, reckonings[0].uniform)

    def level(self, mask: int, *, objects: bool) -> int:
        """The atoms of the buckets that some atoms are objects of, or of the buckets' objects; 0 for what is none."""
        return self._inventory.level(mask, objects=objects)

    def _rows(self, principal_arn: str, atom: Atom, span: Span) -> Iterator[tuple[Reach, Answer]]:
        """A row for each class, with what ``evaluate`` says of one of its actions."""
        for action_class, mask in actions.class_bits().items():
            bits = span.yes & mask or span.maybe & mask
            if bits:
                action = actions.name_at((bits & -bits).bit_length() - 1)
                answer = self._one(principal_arn, action, atom.source, atom.arn, {})
                row = Reach(action_class, atom.shown, answer.state, answer.because, answer.decides, action)
                yield row, answer

    def each(self, principal_arn: str, action: str, context: Mapping[str, Value] | None = None) -> Iterator[Alike]:
        """The users, roles and groups on which the principal may do an action, or perhaps may: as ``can`` of each."""
        bit = actions.bit(action)
        for alike, maybe in self._alike(principal_arn):
            if not maybe & bit:
                continue
            atoms = by_others(alike, principal_arn)
            answer = self._one(principal_arn, action, atoms[0].source, atoms[0].arn, context or {})
            if answer.state is not State.NO:
                by_arn = {atom.source: atom for atom in atoms}
                move = moves(answer, atoms[0])
                yield Alike(tuple(by_arn), answer, lambda arn, by_arn=by_arn, move=move: move(by_arn[arn]))  # type: ignore[misc]

    def _alike(self, principal_arn: str) -> list[tuple[list[Atom], int]]:
        """The identities' atoms in groups that the principal's policies treat alike, with what it perhaps may do."""
        if self._asked[0] != principal_arn:
            reckonings = self._reckonings(principal_arn)
            within = self._inventory.everything & ~self._inventory.things
            if len(reckonings) > 1 or next(reckonings[0].unread(), None) is not None:
                atoms = (self._inventory.atoms[index] for index in indices(within))
                self._asked = (principal_arn, [([atom], atom.kind.actions) for atom in atoms])
            else:
                self._asked = (principal_arn, [(atoms, span.maybe) for atoms, span in reckonings[0].all(within)])
        return self._asked[1]

    def who(self, action: str, resource_arn: str = "*") -> list[tuple[str, Answer]]:
        """The users and roles of the estate that may do the action on the resource, or perhaps may, with why."""
        found = []
        for arn, identity in sorted(self._estate.identities.items()):
            if identity.kind in ("user", "role"):
                answer = self.can(arn, action, resource_arn)
                if answer.state is not State.NO:
                    found.append((arn, answer))
        return found
