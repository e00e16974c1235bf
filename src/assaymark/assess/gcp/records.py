"""``Records`` is how collectors add to the estate of Google Cloud: what several files say of one thing is merged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assaymark.assess.estate.gcp import Account, Binding, Resource
from assaymark.assess.terraform.identity_clouds import shut
from assaymark.assess.unresolved import Unresolved
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because


class Records:
    """The estate, added to."""

    def __init__(self, inputs: Inputs, estate: Gcp) -> None:
        self.inputs = inputs
        self.estate = estate
        self.reading = inputs.reading

    def account(
        self, email: str, home: str, because: Because, *, keys: tuple[Because, ...] = (), unique: str = ""
    ) -> None:
        """Adds a service account, or to it."""
        known = self.estate.accounts.get(email, Account(email, home, because))
        merged = tuple(dict.fromkeys((*known.keys, *keys)))
        self.estate.accounts[email] = replace(known, keys=merged, unique=known.unique or unique)

    def resource(
        self,
        name: str,
        kind: str,
        home: str,
        because: Because,
        *,
        account: str = "",
        labels: Any = None,
        settings: dict[str, object] | None = None,
    ) -> None:
        """Adds a resource, or to it; earlier settings stay."""
        known = self.estate.resources.get(name)
        tags = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
        if known is None:
            self.estate.resources[name] = Resource(name, kind, home, because, account, tags, settings or {})
            return
        self.estate.resources[name] = replace(
            known,
            account=known.account or account,
            labels={**tags, **known.labels},
            settings={**(settings or {}), **known.settings},
        )

    def bind(self, resource: str, role: Any, members: Any, because: Because, condition: Any = None) -> None:
        """Adds a binding. A member that a template left open is noted: who it is decides what it gets."""
        if not isinstance(role, str) or not role:
            self.reading.skip(because.path, "a binding without a role", because.line)
            return
        kept = []
        for member in members if isinstance(members, list) else [members]:
            name = member_of(member)
            if not name:
                self.reading.skip(because.path, f"the member {member} of {role} is not in the input", because.line)
            else:
                kept.append(name)
        if isinstance(condition, list):
            condition = condition[0] if condition else None
        expression = condition.get("expression") if isinstance(condition, dict) else None
        text = expression if isinstance(expression, str) else None
        if text is None and isinstance(condition, dict) and condition:
            text = Unresolved(str(condition.get("title") or "of the binding"))
        self.estate.bindings.append(Binding(resource, role, tuple(kept), because, text))

    def policy(self, resource: str, policy: Any, file: SourceFile, *, whole: bool = True) -> None:
        """The bindings of a policy; ``whole``: it is all that is granted on the resource."""
        bindings = policy.get("bindings") if isinstance(policy, Map) else None
        for item in bindings if isinstance(bindings, list) else ():
            if isinstance(item, Map):
                because = file.because(item.line)
                self.bind(resource, item.get("role"), item.get("members") or [], because, item.get("condition"))
        if whole:
            self.estate.whole.add(resource)


def member_of(value: Any) -> str:
    """A member as bindings name it, references as ``shut`` has them; empty for what is wholly open."""
    if not isinstance(value, str):
        return ""
    text = shut(value)
    if isinstance(value, Unresolved) and ":" not in text:
        return ""
    if text.startswith("<") and text.endswith(">"):
        return ""
    if ":" not in text and text.endswith(".gserviceaccount.com"):
        return f"serviceAccount:{text}"
    if text.startswith(("user:", "group:", "serviceAccount:", "domain:")):
        return text if text.startswith("serviceAccount:") and "svc.id.goog" in text else _lower(text)
    return text


def _lower(text: str) -> str:
    kind, _, rest = text.partition(":")
    return f"{kind}:{rest if '<' in rest else rest.lower()}"
