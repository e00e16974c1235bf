"""The policies that AWS manages: templates attach them by name and do not hold their text.

The table is ``data/managed.txt``, made by ``tools/aws_actions/make_managed.py``; its first line says from what and
when. AWS changes these policies now and then, so an answer that rests on one is of the text of that day.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.document import policy_document
from assaymark.assess.files import SourceFile
from assaymark.formats.located import read_json

if TYPE_CHECKING:
    from assaymark.assess.aws.estate import PolicyDocument
    from assaymark.core.graph import Because

_ARN: Final = re.compile(r"arn:aws[\w-]*:iam::aws:policy/([\w+=,.@/-]+)")


@cache
def _table() -> dict[str, str]:
    loader: Any = __spec__.loader  # a module that is imported has one
    data: bytes = loader.get_data(__file__.removesuffix("managed.py") + "data/managed.txt")
    found = {}
    for line in data.decode().splitlines():
        name, tab, text = line.partition("\t")
        if tab:
            found[name] = text
    return found


def managed_policy(arn: str, because: Because) -> PolicyDocument | None:
    """The policy of such an ARN, ``arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole``.

    None when the ARN is not one of AWS's policies, or of one that the table does not have. Its statements cite
    ``because``, the line that attaches it, as its text stands in no file of the input.
    """
    match = _ARN.fullmatch(arn)
    text = _table().get(match.group(1)) if match else None
    if text is None:
        return None
    document = policy_document(read_json(text), arn, SourceFile(because.path, b"", because.digest))
    statements = tuple(replace(statement, because=because) for statement in document.statements)
    return replace(document, statements=statements, because=because)
