"""Which actions touch what a thing holds, where the reference's levels do not tell content from description.

``s3:GetBucketLocation`` and ``secretsmanager:DescribeSecret`` are reading to the Service Authorization Reference, as
``s3:GetObject`` and ``secretsmanager:GetSecretValue`` are; who may do the first two reads no data. Of the services
below only the actions listed read, write or delete content; their other actions of these levels manage.
Sources: each service's API reference, and "Actions, resources, and condition keys" of each.
"""

from __future__ import annotations

from typing import Final

# Service: what reads, what writes, what deletes. None leaves a level as the reference has it.
_CONTENT: Final[dict[str, tuple[str | None, str | None, str | None]]] = {
    "s3": (
        "getobject getobjectversion getobjecttorrent getobjectversionforreplication getdataaccess",
        "putobject replicateobject",
        "deleteobject deleteobjectversion replicatedelete putlifecycleconfiguration",
    ),
    "secretsmanager": (
        "getsecretvalue batchgetsecretvalue",
        "putsecretvalue updatesecret updatesecretversionstage",
        "deletesecret",
    ),
    "ssm": (
        "getparameter getparameters getparametersbypath getparameterhistory",
        None,
        "deleteparameter deleteparameters",
    ),
    "dynamodb": (
        "getitem batchgetitem query scan partiqlselect getrecords readdataforreplication",
        "putitem updateitem batchwriteitem partiqlinsert partiqlupdate writedataforreplication importtable",
        "deleteitem partiqldelete deletetable updatetimetolive",
    ),
    "sqs": ("receivemessage", "sendmessage", "deletemessage purgequeue deletequeue"),
    "sns": ("subscribe", "publish", "deletetopic"),
    "kinesis": ("getrecords subscribetoshard", "putrecord putrecords", "deletestream"),
    "ecr": (
        "batchgetimage getdownloadurlforlayer",
        "putimage replicateimage batchimportupstreamimage",
        "batchdeleteimage deleterepository putlifecyclepolicy",
    ),
    "logs": (
        "getlogevents filterlogevents startquery getqueryresults getlogrecord startlivetail unmask getlogobject",
        None,
        "deleteloggroup deletelogstream",
    ),
    "sagemaker": (
        "getrecord batchgetrecord",
        None,
        "deletemodel deletemodelpackage deletemodelpackagegroup deletefeaturegroup deleteendpoint deleterecord",
    ),
    "elasticfilesystem": ("clientmount", None, "deletefilesystem"),
    "es": ("eshttpget eshttphead", None, "eshttpdelete deletedomain deleteelasticsearchdomain"),
    "rds": ("downloadcompletedblogfile downloaddblogfileportion", None, "deletedbinstance deletedbcluster"),
    "bedrock": ("retrieve", None, "deleteknowledgebase deleteagent"),
}
_PLACE: Final = {"read": 0, "write": 1}
_CONTENTS: Final = {
    service: tuple(None if one is None else frozenset(one.split()) for one in three)
    for service, three in _CONTENT.items()
}


def content_class(name: str, level: str) -> str:
    """The class of an action (in lower case) whose level would be ``read`` or ``write``; that level when unlisted."""
    service, _, action = name.partition(":")
    three = _CONTENTS.get(service)
    if three is None:
        return level
    for one, found in zip(("read", "write", "delete"), three, strict=True):
        if found and action in found:
            return one
    return level if level not in _PLACE or three[_PLACE[level]] is None else "manage"
