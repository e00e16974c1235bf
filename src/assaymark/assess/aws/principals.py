"""Whether the Principal or NotPrincipal of a statement means who asks, and how directly.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy evaluation logic" for what a
grant to a user, a role, a session or an account is worth within the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.assess.aws.patterns import arn_matches, literal
from assaymark.assess.aws.request import same_account
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import Statement


@dataclass(frozen=True, slots=True)
class Named:
    """How a statement names a principal.

    ``state``: whether at all; then by which way: ``direct`` (its own ARN, a service, a provider), ``session`` (that
    of the role's session), ``everyone`` (``*``), ``account`` (the whole of its account, which leaves the decision
    to it).
    """

    direct: State = State.NO
    session: State = State.NO
    everyone: State = State.NO
    account: State = State.NO
    decides: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """Whether the statement means the principal in any way."""
        return self.direct.either(self.session).either(self.everyone).either(self.account)


NOBODY = Named()


def named(statement: Statement, principal: Principal) -> Named:
    """How a statement of a resource policy names who asks; ``NOBODY`` for one that names none."""
    if statement.not_principals is not None:
        return _but(statement, principal)
    if statement.principals is None:
        return NOBODY
    return _named(statement.principals, principal)


def _named(principals: Mapping[str, tuple[str, ...]], principal: Principal) -> Named:
    ways = {"direct": State.NO, "session": State.NO, "everyone": State.NO, "account": State.NO}
    decides: list[str] = []
    for kind, values in principals.items():
        for value in values:
            way, state, words = _one(kind, value, principal)
            ways[way] = ways[way].either(state)
            if state is State.UNKNOWN and words not in decides:
                decides.append(words)
    return Named(**ways, decides=tuple(decides))


def _one(kind: str, value: str, principal: Principal) -> tuple[str, State, str]:
    if kind == "*" or (kind == "AWS" and pattern_of(value) == "*"):
        return "everyone", State.YES, ""
    if kind == "CanonicalUser":
        known = principal.kind in ("user", "role", "root")
        words = f"the canonical user {value[:16]} is account {principal.account}"
        return "account", State.UNKNOWN if known else State.NO, words
    wanted = {"Service": "service", "Federated": "federated"}.get(kind)
    if wanted:
        if principal.kind != wanted:
            return "direct", State.NO, ""
        return "direct", _equal(value, principal.arn), f"the principal {value} is {principal.arn}"
    if principal.kind not in ("user", "role", "root"):
        return "direct", State.NO, ""
    return _aws(value, principal)


def _equal(value: str, text: str) -> State:
    """Equality where a template may have left a part open, or the account."""
    return arn_matches(
        Unresolved(value, literal(value.pattern)) if isinstance(value, Unresolved) else literal(value), text
    )


def _aws(value: str, principal: Principal) -> tuple[str, State, str]:
    text = pattern_of(value)
    words = f"the principal {value} is {principal.arn}"
    parts = text.split(":")
    if text.isdigit() or (len(parts) > 5 and parts[5] == "root"):  # noqa: PLR2004
        account = text if text.isdigit() else parts[4]
        if HOLE in account:
            return "account", State.UNKNOWN, words
        same = same_account(account, principal.account)
        words = f"account {account} is the one of {principal.arn}"
        return "account", {True: State.YES, False: State.NO, None: State.UNKNOWN}[same], words
    if ":assumed-role/" in text:
        if principal.kind != "role":
            return "session", State.NO, ""
        role, _, session = text.partition(":assumed-role/")[2].partition("/")
        if same_account(parts[4], principal.account) is False or role != principal.name:
            return "session", State.NO, ""
        if principal.session:
            return "session", State.YES if session == principal.session else State.NO, ""
        return "session", State.UNKNOWN, f"the session of {principal.arn} is named {session}"
    return "direct", _equal(value, principal.arn), words


def _but(statement: Statement, principal: Principal) -> Named:
    """NotPrincipal: all but those named.

    To be left out of a Deny for certain, a user or role must be named and its account too; a policy that names it
    alone may deny it all the same, as the guide warns.
    """
    found = _named(statement.not_principals or {}, principal)
    listed = found.direct.either(found.session).either(found.everyone)
    if principal.kind == "root":
        listed = listed.either(found.account)
    if statement.effect == "Allow":
        meant = listed.either(found.account).inverse()
        return Named(everyone=meant, decides=found.decides)
    if principal.kind in ("user", "role") and listed is State.YES and found.everyone is not State.YES:
        if found.account is State.YES:
            return NOBODY
        words = f"NotPrincipal leaves out {principal.arn} though it does not name its account"
        return Named(everyone=State.UNKNOWN, decides=(*found.decides, words))
    return Named(everyone=listed.inverse(), decides=found.decides)
