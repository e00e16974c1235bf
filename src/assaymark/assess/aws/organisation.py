"""``Controls``: the policies of an organisation that apply to an account, by level, and those that may apply.

Source: AWS Organizations User Guide, "SCP evaluation": an action must be allowed at every level from the root to the
account, and what any level denies is denied; a policy that is attached above holds for all that is below. "Resource
control policies (RCPs)": they do not affect resources of the management account. An account of others is in no
organisation of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.estate.aws import STRANGER, UNKNOWN_ACCOUNT, PolicyDocument, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.aws import Control, Estate
    from assaymark.core.graph import Because

NAMES: Final = {"scp": "service control policy", "rcp": "resource control policy"}
_DEPTH: Final = 10  # an organisation nests units five deep


class Controls(NamedTuple):
    """``levels``: policies that apply; with ``known`` those of one tuple are of one level, else nobody knows.

    ``perhaps``: policies that may apply, each with what would decide that it does. ``spoken`` is False when no file
    speaks of the organisation.
    """

    levels: tuple[tuple[PolicyDocument, ...], ...] = ()
    known: bool = False
    perhaps: tuple[tuple[PolicyDocument, str], ...] = ()
    spoken: bool = True

    def each(self) -> Iterator[tuple[PolicyDocument, bool]]:
        """All policies, each with whether it applies for sure."""
        yield from ((document, True) for level in self.levels for document in level)
        yield from ((document, False) for document, _ in self.perhaps)

    def allowing(self) -> list[PolicyDocument]:
        """The policies that apply and allow something."""
        return [one for level in self.levels for one in level if allows(one)]


UNSPOKEN: Final = Controls(spoken=False)
_ROOT: Final = "r-"  # the one level of all ids of roots: an organisation has one root


FULL_ACCESS: Final = "p-FullAWSAccess"  # the id that the policy has which AWS attaches to whatever is made


def full_access(because: Because) -> PolicyDocument:
    """The policy that AWS attaches everywhere until somebody detaches it: it lets everything through."""
    return PolicyDocument(FULL_ACCESS, (Statement("Allow", because, actions=("*",), resources=("*",)),), because)


def allows(document: PolicyDocument) -> bool:
    """Whether some statement of it allows."""
    return any(statement.effect == "Allow" for statement in document.statements)


def controls_of(estate: Estate, kind: str, account: str, *, held: bool = True) -> Controls:
    """The organisation's policies of a kind for an account.

    ``held``: the input holds something of the account; else the account is in the organisation only where a file
    says so, and what the organisation has for all accounts may or may not be about it.
    """
    if estate.controls is None:
        return UNSPOKEN
    if account == STRANGER or (kind == "rcp" and account and account == estate.management):
        return Controls()
    above = _above(estate, account)
    levels: dict[str, list[PolicyDocument]] = {}
    declared: dict[str, PolicyDocument] = {}
    perhaps: list[tuple[PolicyDocument, str]] = []
    for one in estate.controls:
        if one.kind != kind:
            continue
        places = _places(one, account, above)
        if places and (held or account in (*one.targets, *estate.parents)):
            for place in places:
                levels.setdefault(place, []).append(one.document)
                if one.declared and one.kind == "scp" and allows(one.document):
                    declared.setdefault(place, one.document)
        elif places is None or places:
            perhaps.append((one.document, f"the {NAMES[kind]} {one.document.name} applies to account {account}"))
    for place, document in declared.items():  # templates attach policies, and do not show that one was detached
        if not any(_whole(other) for other in levels[place]):
            words = f"the policy FullAWSAccess was not detached from {_shown(place)}"
            perhaps.append((full_access(document.because), words))
    return Controls(*_grouped(levels), tuple(perhaps))


def organisation_of(estate: Estate, account: str) -> str:
    """The id of the organisation that an account is in for sure; empty where no file says it."""
    inside = account in estate.members or account in estate.parents or account == estate.management
    return estate.organisation if account and inside else ""


def _shown(place: str) -> str:
    return "the organisation's root" if place == _ROOT else place


def _whole(document: PolicyDocument) -> bool:
    """Whether it lets everything through that it does not deny."""
    return any(
        one.effect == "Allow" and "*" in one.actions and "*" in one.resources and not one.condition
        for one in document.statements
    )


def _grouped(levels: dict[str, list[PolicyDocument]]) -> tuple[tuple[tuple[PolicyDocument, ...], ...], bool]:
    """The levels, and whether they are known.

    One of which the input shows none that allows has the policy that AWS attaches, so it lets everything through:
    what it denies is put beside what another level has.
    """
    whole = [level for level in levels.values() if any(allows(one) for one in level)]
    denying = [one for level in levels.values() if level not in whole for one in level]
    if "*" in levels or not whole:
        return (tuple(one for level in levels.values() for one in level),), False
    return ((*whole[0], *denying), *(tuple(level) for level in whole[1:])), True


def _above(estate: Estate, account: str) -> tuple[str, ...] | None:
    """What an account is in, the nearest first, up to the root; None where that is not known whole."""
    found: list[str] = []
    at = estate.parents.get(account, "")
    while at and len(found) < _DEPTH:
        found.append(at)
        at = estate.parents.get(at, "")
    return tuple(found) if found and is_root(found[-1]) else None


def is_root(target: str) -> bool:
    """Whether the id is that of an organisation's root."""
    return target.startswith("r-")


def is_unit(target: str) -> bool:
    """Whether the id is that of an organisational unit."""
    return target.startswith("ou-") or (target.startswith("<") and "organizational_unit." in target)


def _places(one: Control, account: str, above: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The levels at which a policy applies to an account; none when it does not, None when nobody knows.

    One that is attached at several levels, as the policy that AWS attaches is, allows at each of them.
    """
    if "*" in one.targets:
        return ("*",)
    known = account not in ("", UNKNOWN_ACCOUNT)
    found = [
        _ROOT if is_root(target) else target
        for target in one.targets
        if is_root(target) or target in (above or ()) or (known and target == account)
    ]
    if found:
        return tuple(dict.fromkeys(found))
    if not known or not one.targets:
        return None
    if all(target.isdigit() or (above is not None and is_unit(target)) for target in one.targets):
        return ()
    return None
