"""``actions_of``: the actions that an API call asks for, which mostly have its name.

A log of calls and code that makes them both speak of calls, policies of actions. Sources: Service Authorization
Reference; Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; API references of the services.
"""

from __future__ import annotations

from typing import Final

from assaymark.assess.aws import actions

# Service prefix and call, in lower case; none for what needs no permission.
_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "s3:headobject": ("s3:GetObject",),
    "s3:headbucket": ("s3:ListBucket",),
    "s3:listobjects": ("s3:ListBucket",),
    "s3:listobjectsv2": ("s3:ListBucket",),
    "s3:listobjectversions": ("s3:ListBucketVersions",),
    "s3:copyobject": ("s3:GetObject", "s3:PutObject"),
    "s3:createmultipartupload": ("s3:PutObject",),
    "s3:uploadpart": ("s3:PutObject",),
    "s3:completemultipartupload": ("s3:PutObject",),
    "s3:deleteobjects": ("s3:DeleteObject",),
    "s3:selectobjectcontent": ("s3:GetObject",),
    "s3:listbuckets": ("s3:ListAllMyBuckets",),
    "lambda:invoke": ("lambda:InvokeFunction",),
    "bedrock:converse": ("bedrock:InvokeModel",),
    "bedrock:conversestream": ("bedrock:InvokeModelWithResponseStream",),
    "sts:getcalleridentity": (),
    "sts:getsessiontoken": (),
}


def actions_of(prefix: str, call: str) -> tuple[str, ...] | None:
    """The actions of a call, as ``HeadObject`` or ``head_object``; None for a call that is not known."""
    key = f"{prefix}:{call.replace('_', '')}"
    found = _ACTIONS.get(key.lower())
    if found is not None:
        return found
    action = actions.find(key)
    return (action.name,) if action is not None else None
