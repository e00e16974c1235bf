"""``strangers``: whom anybody with an AWS account can be, to meet what a policy for everyone asks of who calls.

Names and tags of roles and users are their account's choice: a condition on them that leaves the account open keeps
nobody out. Source: Amazon S3 User Guide, "The meaning of 'public'"; IAM User Guide, "AWS global condition context
keys", ``aws:PrincipalArn`` and ``aws:PrincipalTag``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws.blocks import means_everyone
from assaymark.assess.aws.patterns import FRESH, meet
from assaymark.assess.estate.aws import STRANGER
from assaymark.assess.unresolved import HOLE, pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.estate.aws import PolicyDocument, Statement

OUTSIDE: Final = {"aws:PrincipalOrgID": ("o-stranger",), "aws:PrincipalOrgPaths": ("o-stranger/r-stranger/",)}
_ARN: Final = "aws:principalarn"
_TAG: Final = "aws:principaltag/"
_COLONS: Final = 5  # of an ARN; no name has one
_EXCLUDES: Final = re.compile(r"not|null", re.IGNORECASE)


def strangers(document: PolicyDocument) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Principals of an account that the input does not hold, each with the condition keys that its requests carry."""
    for statement in document.statements:
        if statement.effect == "Allow" and means_everyone(statement):
            asked = dict(_asked(statement))
            tags: dict[str, Value] = {
                key: (values[0].replace("*", "x").replace("?", "x"),)
                for key, values in asked.items()
                if key.startswith(_TAG) and HOLE not in pattern_of(values[0]) and "${" not in values[0]
            }
            names = [name for pattern in asked.get(_ARN, ()) for name in _named(pattern)]
            for name in names or ([f"arn:aws:iam::{STRANGER}:role/anyone"] if tags else []):
                yield name, {**OUTSIDE, **tags}


def strange_name(pattern: str) -> bool:
    """Whether a pattern over ARNs of principals is met by a name in whichever account."""
    return bool(_named(pattern))


def _asked(statement: Statement) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operator, keys in statement.condition.items():
        for key, values in keys.items():
            if values and not _EXCLUDES.search(operator) and key.lower().startswith((_ARN, _TAG)):
                yield key.lower(), values


def _named(pattern: str) -> list[str]:
    text = pattern_of(pattern)
    if HOLE in text or "${" in text:
        return []
    met = [meet(f"arn:aws:iam::{STRANGER}:{kind}/?*", text) for kind in ("role", "user")]
    return [one.replace(FRESH, "x") for one in met if one is not None and one.count(":") == _COLONS]
