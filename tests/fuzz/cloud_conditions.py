"""Conditions of Google Cloud (CEL) and Azure: any text is an expression or an ``InputError``, and has an answer."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from assaymark.assess.azure.abac import condition_holds, parse_condition
from assaymark.assess.gcp.cel import parse_cel, show
from assaymark.assess.gcp.conditions import holds
from assaymark.core.errors import InputError

SEEDS = [
    b"request.time < timestamp('2030-01-01T00:00:00Z') + duration('3600s') && !resource.name.startsWith(\"projects/_\")",
    b"resource.type in ['a', 'b'] || resource.matchTag('1/x', 'y') ? size('ab') == 2 : -1 >= 2.5 // x",
    b"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([r'\\roles', 'b\\n'])",
    b"((!(ActionMatches{'Microsoft.Storage/a/read'})) OR (@Resource[Microsoft.Storage/a:name] StringEquals 'c'))",
    b"@Request[M.A/r:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {8e3af657-a8ff-443c-a75c-2fe8c4bcb635, 'x'} && NOT Exists @Principal[a]",
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = {"request.time": NOW, "resource.name": "projects/_/buckets/b", "resource.type": "a"}
ASKED = {"@request[m.a/r:roledefinitionid]": "x", "@resource[microsoft.storage/a:name]": "c"}


def fuzz(data: bytes) -> None:
    """Parse by both, and ask."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(InputError):
        show(parse_cel(text))
    with contextlib.suppress(InputError):
        parse_condition(text)
    for answer in (holds(text, KNOWN), condition_holds(text, "Microsoft.Storage/a/read", ASKED)):
        assert bool(answer.decides) == (answer.state == "unknown")
