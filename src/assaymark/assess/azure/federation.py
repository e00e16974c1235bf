"""Edges from tokens of other issuers to the identities and applications that they count as.

Source: Microsoft Entra Workload ID, "Workload identity federation": issuer, subject and audience must be equal to the
token's, without wildcards; a flexible credential matches claims by an expression instead of the subject.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import Answer
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.azure.linking import Linking

_MATCH: Final = re.compile(r"claims\['sub'\]\s+(matches|eq)\s+'([^']*)'")


def link_federation(run: Linking) -> None:
    """Draws whose tokens count as which principal."""
    for credential in sorted(run.estate.federated, key=lambda one: (one.owner, one.issuer, one.subject)):
        key = run.estate.aliases.get(credential.owner, credential.owner)
        target = f"azure:principal:{key}"
        if not run.builder.has(target):
            run.reading.gap(f"the application {credential.owner} of a federated credential is not in the input")
            continue
        subject, answer = credential.subject, Answer(State.YES, (credential.because,))
        if not subject and credential.expression:
            match = _MATCH.search(credential.expression)
            subject = match[2] if match else "*"
            if match is None or match[0].strip() != credential.expression.strip():
                answer = answer.unless(f"the token meets {credential.expression}")
        subject = subject or "*"
        wide = subject in ("", "*") or subject.startswith("repo:*")
        node = run.builder.node(
            f"oidc:{credential.issuer}:{subject}",
            "token-subject",
            f"{subject} of {credential.issuer}",
            (credential.because,),
            boundary={"domain": credential.issuer},
            issuer=credential.issuer,
            subject=subject,
            audiences=credential.audiences,
            **({"entry": "outside"} if wide else {}),
        )
        run.draw(node, target, "federates", "a federated credential of it trusts this token", answer)
