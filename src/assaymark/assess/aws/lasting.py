"""What is left to whoever may change a resource's policy: what the organisation and keys deny whatever that says.

Who may change a bucket's policy lets itself in, or somebody of an account of its own, and has what is in the bucket.
What the resource's policy says is no hindrance then; what resource control policies say is, to everyone; identity
policies, boundaries and service control policies are to the principal itself, but not to a stranger whom it lets in.
What is encrypted with a key of its own is read by who may decrypt with that.

Sources: AWS Organizations User Guide, "RCP evaluation"; IAM User Guide, "Policy evaluation logic"; AWS KMS Developer
Guide, "Permissions for AWS services in key policies".
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.data import CLASSES, KNOWN, RELATION_OF, encryption_key
from assaymark.assess.aws.linking import NOWHERE, Chain
from assaymark.assess.aws.strangers import OUTSIDE
from assaymark.assess.estate.aws import STRANGER
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.aws.answers import Answer
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import PolicyDocument, Resource

# Whoever has an account of AWS.
ANYONE: Final = f"arn:aws:iam::{STRANGER}:user/anyone"
# Of an organisation of its own, which is no other's.
_RANK: Final = {State.YES: 0, State.UNKNOWN: 1, State.NO: 2}
_CHANGES_KEY: Final = ("kms:PutKeyPolicy", "kms:CreateGrant")


class Lasting:
    """The answers for an estate, each made once."""

    def __init__(self, run: Linking) -> None:
        self._run = run
        self._strangers: dict[tuple[str, str], tuple[Chain, Answer | None]] = {}
        self._opened: dict[tuple[str, str, str], Chain] = {}
        self._names: dict[tuple[int, str], tuple[str, ...]] = {}

    @cached_property
    def keys(self) -> dict[str, str]:
        """The customer's key of each resource that is encrypted with one of the input."""
        estate = self._run.estate
        return {arn: key for arn, one in estate.resources.items() if (key := encryption_key(self._run, one))}

    def opens(self, who: str, resource: Resource) -> Chain:
        """Whether a resource's key decrypts for a principal, as it is or once it has changed the key's policy."""
        key = self.keys[resource.arn]
        # the service asks for who reads; AWS KMS Developer Guide, "kms:ViaService"
        via = f"{resource.arn.split(':')[2]}.{key.split(':')[3]}.amazonaws.com"
        if (who, key, via) not in self._opened:
            context = {"kms:ViaService": (via,)}
            found = Chain().then(self._can(who, "kms:Decrypt", key, context))
            if found.state is State.NO and who != ANYONE:
                after = self._run.access.could(who, "kms:Decrypt", key, context)
                for action in _CHANGES_KEY if after.state is not State.NO else ():
                    changed = Chain().then(self._can(who, action, key, {})).then(after)
                    found = min(found, changed, key=lambda one: _RANK[one.state])
            self._opened[who, key, via] = found
        return self._opened[who, key, via]

    def _can(self, who: str, action: str, key: str, context: Mapping[str, tuple[str, ...]]) -> Answer:
        identity = self._run.estate.identities.get(who)
        if identity is not None:
            return self._run.can(identity, action, key, context)
        return self._run.access.can(who, action, key, {**context, **(OUTSIDE if who == ANYONE else {})})

    @cached_property
    def _resource_controls(self) -> bool:
        controls = self._run.estate.controls or ()
        return any(one.kind == "rcp" and _limits(one.document) for one in controls)

    @cached_property
    def _controls(self) -> bool:
        return any(_limits(one.document) for one in self._run.estate.controls or ())

    def binds(self, resource: Resource) -> bool:
        """Whether there is anything that lasts when the resource's policy is changed."""
        return self._resource_controls or resource.arn in self.keys

    def after(self, who: str, resource: Resource, kind: str) -> dict[str, Chain] | None:
        """What a principal that may change a resource's policy gets, by class; None for all."""
        if not self.binds(resource):
            return None
        return self._some({one: self._best(who, resource, kind, one) for one in _data(kind)})

    def administered(self, account: str, resource: Resource, kind: str) -> dict[str, Chain] | None:
        """What an account's administrator gets of a resource of the account, by class; None for all.

        An administrator is bound by what binds the account's root: the organisation and keys' policies.
        """
        if kind not in CLASSES or not (self._controls or resource.arn in self.keys):
            return None
        root = f"arn:aws:iam::{account}:root"
        found: dict[str, Chain] = {}
        if "permissions" in CLASSES[kind]:
            found["permissions"] = self._first(root, resource, kind, "permissions")[0]
        changes = found.get("permissions", NOWHERE)
        for one in _data(kind):
            own = self._own(root, resource, kind, one)
            if own.state is not State.YES and changes.state is not State.NO:
                other = changes.then(self._best(root, resource, kind, one))
                own = min(own, other, key=lambda chain: _RANK[chain.state])
            found[one] = own
        return self._some(found)

    def _some(self, found: dict[str, Chain]) -> dict[str, Chain] | None:
        return None if all(chain.state is State.YES for chain in found.values()) else found

    def listed(self, who: str, resource: Resource, kind: str, action_class: str) -> Chain:
        """What policies leave of what the access control list of a bucket gives somebody."""
        chain, _ = self._first(who, resource, kind, action_class, keep=True)
        if action_class == "read" and resource.arn in self.keys and chain.state is not State.NO:
            chain = chain.then(self.opens(ANYONE, resource))
        return chain

    def _own(self, who: str, resource: Resource, kind: str, action_class: str) -> Chain:
        """What it gets itself, once the resource's policy lets it."""
        chain, _ = self._first(who, resource, kind, action_class)
        if action_class == "read" and resource.arn in self.keys and chain.state is not State.NO:
            chain = chain.then(self.opens(who, resource))
        return chain

    def _best(self, who: str, resource: Resource, kind: str, action_class: str) -> Chain:
        """What it gets itself, or somebody whom it lets in."""
        stranger, answer = self._stranger(resource, kind, action_class)
        if stranger.state is State.YES:
            return stranger
        own = self._own(who, resource, kind, action_class)
        if own.state is not State.NO or stranger.state is not State.NO:
            return min(own, stranger, key=lambda one: _RANK[one.state])
        if answer is not None and answer.state is State.NO:
            if any(not one.condition for one in answer.statements):
                return NOWHERE  # denied to everyone there is
            text = "it has the credentials of somebody whom the organisation's resource control policies let in"
            return Chain().unless(text)
        return Chain().unless(f"it has the credentials of somebody who may decrypt with {self.keys[resource.arn]}")

    def _stranger(self, resource: Resource, kind: str, action_class: str) -> tuple[Chain, Answer | None]:
        """What a principal of an account of its own gets, once the resource's policy lets it."""
        key = (resource.arn, action_class)
        if key not in self._strangers:
            chain, answer = self._first(ANYONE, resource, kind, action_class)
            if action_class == "read" and resource.arn in self.keys and chain.state is not State.NO:
                chain = chain.then(self.opens(ANYONE, resource))
            self._strangers[key] = chain, answer
        return self._strangers[key]

    def _first(
        self, who: str, resource: Resource, kind: str, action_class: str, *, keep: bool = False
    ) -> tuple[Chain, Answer | None]:
        """The best answer among the actions of a class, the best known first. ``keep``: as ``could`` has it."""
        target = f"{resource.arn}/*" if kind == "bucket" and action_class != "permissions" else resource.arn
        known = KNOWN.get((resource.kind, action_class), "")
        mask = actions.actions_for(target) & actions.class_bits().get(action_class, 0)
        best: Answer | None = None
        if (mask, known) not in self._names:
            first = [known] if known else []
            self._names[mask, known] = tuple(dict.fromkeys((*first, *actions.names_of(mask))))
        for action in self._names[mask, known]:
            context = OUTSIDE if who == ANYONE else {}
            answer = self._run.access.could(who, action, target, context, keep=keep)
            if best is None or _RANK[answer.state] < _RANK[best.state]:
                best = answer
            if answer.state is State.YES:
                break
        return (Chain().then(best), best) if best is not None else (NOWHERE, None)


def gives(
    lasting: Lasting, who: str, resource: Resource, kind: str, action_class: str, chain: Chain
) -> Iterator[tuple[str, Chain]]:
    """The relations of a class of access, each with its answer: who may change the policy gets what lasts."""
    left = lasting.after(who, resource, kind) if action_class == "permissions" else None
    yield ("governs" if left is not None else RELATION_OF[action_class]), chain
    for one, given in (left or {}).items():
        whole = chain.then(given)
        if whole.state is not State.NO:
            yield RELATION_OF[one], whole


def _data(kind: str) -> tuple[str, ...]:
    return tuple(one for one in CLASSES.get(kind, ()) if one != "permissions")


def _limits(document: PolicyDocument) -> bool:
    """Whether a policy of the organisation is more than the one that lets everything through."""
    return any(
        one.effect != "Allow"
        or one.not_actions is not None
        or one.not_resources is not None
        or "*" not in one.actions
        or "*" not in one.resources
        or one.condition
        for one in document.statements
    )
