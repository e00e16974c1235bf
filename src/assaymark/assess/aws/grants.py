"""Who may do what in a whole estate."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.applies import Lookup
from assaymark.assess.aws.evaluate import Answer, evaluate
from assaymark.assess.aws.request import Request
from assaymark.core.graph import Because, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.estate.aws import Estate


class Reach(NamedTuple):
    """What a principal gets: an access class (``actions.CLASSES``) on a resource.

    ``resource`` is an ARN of the estate, ``<bucket's ARN>/*`` for objects of a bucket, or ``*`` for actions that
    have no resource. ``action`` is one of those that give the class. ``decides`` says what would settle an unknown
    one.
    """

    action_class: str
    resource: str
    state: State
    because: tuple[Because, ...]
    decides: tuple[str, ...]
    action: str


class Access:
    """The answers for an estate at a time. ``management``: the organisation's management account, where known."""

    def __init__(self, estate: Estate, now: datetime, *, management: str = "") -> None:
        self._estate = estate
        self._now = now
        self._lookup = Lookup(estate, management)

    def can(
        self, principal_arn: str, action: str, resource_arn: str = "*", context: Mapping[str, Value] | None = None
    ) -> Answer:
        """Whether a principal may do one action on one resource.

        Args:
            principal_arn: a user, role, role session, account root or account number, identity provider, service
                (``lambda.amazonaws.com``), or ``*`` for an anonymous request.
            action: ``s3:GetObject``.
            resource_arn: an ARN; with ``*`` or ``?`` in it, some resource like this, that may not exist yet; ``*``
            for
                an action that has no resource, and for any resource of an action that has.
            context: values of condition keys that are known, or ``conditions.Key``.
        """
        principal = self._lookup.principal(principal_arn)
        resource = self._lookup.resource(resource_arn)
        identity = self._estate.identities.get(resource_arn)
        tags = resource.tags if resource else identity.tags if identity else None
        request = Request(
            principal,
            action,
            resource_arn,
            self._now,
            context or {},
            self._lookup.owner(resource, resource_arn),
            tags,
        )
        return evaluate(request, self._lookup.applies(principal, action, resource_arn))

    def actions_on(self, principal_arn: str, resource_arn: str) -> tuple[int, int]:
        """The sets of actions (bits of ``actions``) that the principal may do on the resource, and perhaps may do."""
        certain = perhaps = 0
        for name in actions.names_of(actions.actions_for(resource_arn)):
            state = self.can(principal_arn, name, resource_arn).state
            certain |= actions.bit(name) if state is State.YES else 0
            perhaps |= actions.bit(name) if state is State.UNKNOWN else 0
        return certain, perhaps

    def reach(self, principal_arn: str) -> Iterator[Reach]:
        """What the principal gets on all resources of the estate, in their order."""
        for arn in sorted({*self._estate.resources, *self._estate.identities}):
            certain, perhaps = self.actions_on(principal_arn, arn)
            for action_class, mask in actions.class_bits().items():
                for bits, state in ((certain, State.YES), (perhaps, State.UNKNOWN)):
                    if bits & mask:
                        action = next(actions.names_of(bits & mask))
                        answer = self.can(principal_arn, action, arn)
                        yield Reach(action_class, arn, state, answer.because, answer.decides, action)
                        break

    def who(self, action: str, resource_arn: str = "*") -> list[tuple[str, Answer]]:
        """The users and roles of the estate that may do the action on the resource, or perhaps may, with why."""
        found = []
        for arn, identity in sorted(self._estate.identities.items()):
            if identity.kind in ("user", "role"):
                answer = self.can(arn, action, resource_arn)
                if answer.state is not State.NO:
                    found.append((arn, answer))
        return found
