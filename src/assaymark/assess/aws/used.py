"""What was used: AWS's own log of calls (CloudTrail) as needs, each a principal, an action and a resource.

Events that were refused are no use. Source: CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws import actions
from assaymark.assess.aws.api_calls import actions_of
from assaymark.assess.estate.use import Use
from assaymark.formats.located import Map, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile

_PREFIXES: Final = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
_VERSION: Final = re.compile(r"\d{8}(?:v\d+)?$")


def uses(file: SourceFile, value: Any) -> Iterator[Use]:
    """The uses of a document with ``Records``; none of anything else."""
    records = value.get("Records") if isinstance(value, Map) else None
    for record in records if isinstance(records, list) else ():
        if not isinstance(record, Map) or record.get("errorCode") or not isinstance(record.get("eventName"), str):
            continue
        principal = _principal(record.get("userIdentity"))
        source = str(record.get("eventSource", "")).removesuffix(".amazonaws.com")
        if not principal or not source:
            continue
        prefix = _PREFIXES.get(source, source)
        event = _VERSION.sub("", record["eventName"])
        for action in actions_of(prefix, event) or ():
            for resource in _resources(record, action):
                yield Use(principal, action, resource, file.because(record.line))


def _principal(identity: Any) -> str:
    if not isinstance(identity, Map):
        return ""
    context = identity.get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, Map) else None
    if isinstance(issuer, Map) and isinstance(issuer.get("arn"), str):
        return str(issuer["arn"])
    arn = identity.get("arn")
    return arn if isinstance(arn, str) and ":iam:" in arn else ""


def _resources(record: Map, action: str) -> list[str]:
    """The ARNs that a call names, of the kinds that the action takes."""
    named = [str(one.get("ARN")) for one in maps_in(record.get("resources")) if one.get("ARN")]
    given = record.get("requestParameters")
    if action.startswith("s3:") and isinstance(given, Map) and isinstance(given.get("bucketName"), str):
        bucket = f"arn:aws:s3:::{given['bucketName']}"
        key = given.get("key")
        named = [f"{bucket}/{key}" if isinstance(key, str) and "Object" in action else bucket]
    if action == "lambda:InvokeFunction" and isinstance(given, Map) and isinstance(given.get("functionName"), str):
        named = [given["functionName"]] if given["functionName"].startswith("arn:") else named
    bit = actions.bit(action)
    fitting = [arn for arn in dict.fromkeys(named) if actions.actions_for(arn) & bit]
    return fitting or ["*"]
