"""``Records``: the estate while it is being filled from several files, each of which may say a part of a thing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.managed import managed_policy
from assaymark.assess.estate.aws import Control, Identity, PolicyDocument, Resource
from assaymark.assess.unresolved import Unresolved
from assaymark.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.aws import Estate
    from assaymark.assess.files import Reading, SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_MANAGED = ":iam::aws:policy/"


class Records:
    """Adds to an estate; of two files that speak of one thing, what either says counts."""

    def __init__(self, inputs: Inputs, estate: Estate) -> None:
        self.inputs = inputs
        self.estate = estate

    @property
    def reading(self) -> Reading:
        """Where what could not be read is noted."""
        return self.inputs.reading

    def document(self, value: Any, name: str, file: SourceFile, line: int) -> PolicyDocument | None:
        """A policy; None when it cannot be read, which is noted."""
        path = getattr(value, "path", "")
        place = self.inputs.file(path) if path else None
        try:
            return policy_document(value, name, place or file, line=line)
        except InputError as error:
            self.reading.skip(file.path, f"the policy {name}: {error.message}", line)
            return None

    def identity(self, arn: str, kind: str, because: Because, **more: Any) -> None:
        """Adds a user, role or group, or adds to it."""
        known = self.estate.identities.get(arn)
        if known is None:
            self.estate.identities[arn] = Identity(arn, kind, because, **more)
            return
        joined: dict[str, Any] = {}
        for field, value in more.items():
            before = getattr(known, field)
            if isinstance(value, tuple):
                joined[field] = (*before, *(item for item in value if item not in before))
            elif isinstance(value, dict):
                joined[field] = {**value, **before}
            elif before is None or before == "":
                joined[field] = value
        if "tags" in more and known.listed:  # whoever says its tags says all of them, none too
            joined["listed"] = False
        self.estate.identities[arn] = replace(known, **joined)

    def elsewhere(self, kind: str, name: Any, account: str, because: Because) -> str:
        """The ARN of a user, role or group that a file only names; empty when several are called so, or nobody."""
        last = name.rpartition("/")[2] if isinstance(name, str) and not isinstance(name, Unresolved) else ""
        known = [arn for arn, one in self.estate.identities.items() if one.kind == kind and arn.endswith(f"/{last}")]
        if known or not last:
            return known[0] if len(known) == 1 else ""
        arn = f"arn:aws:iam::{account}:{kind}/{last}"
        self.identity(arn, kind, because)
        self.reading.gap(f"the {kind} {last} is declared elsewhere; what else it may do is not in the input")
        return arn

    def attach(self, arn: str, policy: PolicyDocument | None, name: str) -> bool:
        """Attaches a policy to an identity that is there; without its text it is opaque. False for nobody."""
        known = self.estate.identities.get(arn)
        if known is None:
            return False
        if policy is None:
            self.identity(arn, known.kind, known.because, opaque=(name,))
        else:
            self.identity(arn, known.kind, known.because, policies=(policy,))
        return True

    def resource(self, arn: str, kind: str, because: Because, **more: Any) -> None:
        """Adds a resource, or adds to it."""
        known = self.estate.resources.get(arn)
        if known is None:
            self.estate.resources[arn] = Resource(arn, kind, because, **more)
            return
        settings = {**known.settings, **more.pop("settings", {})}
        tags = {**known.tags, **more.pop("tags", {})}
        policy = more.pop("policy", None)
        if policy and known.policy:
            policy = replace(known.policy, statements=(*known.policy.statements, *policy.statements))
        self.estate.resources[arn] = replace(
            known,
            kind=known.kind or kind,
            role=known.role or more.get("role", ""),
            settings=settings,
            tags=tags,
            policy=policy or known.policy,
        )

    def control(
        self,
        kind: str,
        document: PolicyDocument | None,
        targets: tuple[str, ...] = ("*",),
        *,
        declared: bool = False,
    ) -> None:
        """Adds a policy of the organisation."""
        if document is not None:
            self.estate.controls = [*(self.estate.controls or ()), Control(kind, document, targets, declared)]

    def known_policy(
        self, arn: str, policies: Mapping[str, PolicyDocument], file: SourceFile, line: int
    ) -> PolicyDocument | None:
        """The text of an attached policy: the input's, else AWS's own; None when neither is known."""
        if arn in policies:
            return policies[arn]
        if _MANAGED in arn:
            value = managed_policy(arn.rpartition("/")[2], line)
            if value is not None:
                return self.document(value, arn, file, line)
        return None


def tags_of(value: Any) -> dict[str, str]:
    """Tags as a mapping (Terraform) or as a list of Key and Value (exports, CloudFormation)."""
    if isinstance(value, dict):
        return {str(key): _tag(item) for key, item in value.items() if isinstance(item, (str, int, float))}
    found = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            key = item.get("Key", item.get("key"))
            content = item.get("Value", item.get("value"))
            if isinstance(key, str) and isinstance(content, (str, int, float)):
                found[key] = _tag(content)
    return found


def _tag(value: str | float) -> str:
    """A tag's value as text; what a template leaves open stays so."""
    return value if isinstance(value, str) else str(value)
