"""What an action gives where the reference's levels do not tell: content, an answer, a key's use, another's rights.

``s3:GetBucketLocation`` and ``secretsmanager:DescribeSecret`` are reading to the Service Authorization Reference, as
``s3:GetObject`` and ``secretsmanager:GetSecretValue`` are; who may do the first two reads no data. Of the services
below only the actions listed read, write or delete content; their other actions of these levels manage.
Sources: each service's API reference, and "Actions, resources, and condition keys" of each.
"""

from __future__ import annotations

import re
from typing import Final

# What the reference's level does not tell apart: running a model or code, using a key, becoming a role. ``invoke`` is
# what gets an answer from code or a model.
_CLASS_OF: Final = {
    "iam:passrole": "pass",
    "sts:assumerole": "assume",
    "sts:assumerolewithsaml": "assume",
    "sts:assumerolewithwebidentity": "assume",
    "sts:assumeroot": "assume",
    "sts:getfederationtoken": "assume",
    "kms:decrypt": "decrypt",
    "kms:derivesharedsecret": "decrypt",
    "kms:generatedatakey": "decrypt",
    "kms:generatedatakeypair": "decrypt",
    "kms:reencryptfrom": "decrypt",
    "lambda:invokefunction": "invoke",
    "lambda:invokefunctionurl": "invoke",
    "lambda:invokeasync": "invoke",
    "sagemaker:invokeendpoint": "invoke",
    "sagemaker:invokeendpointasync": "invoke",
    "sagemaker:invokeendpointwithbidirectionalstream": "invoke",
    "sagemaker:invokeendpointwithresponsestream": "invoke",
    "bedrock:converse": "invoke",
    "bedrock:retrieveandgenerate": "invoke",
    "bedrock:invokedataautomationlibraryingestionjob": "write",
    "bedrock-mantle:createinference": "invoke",
    "aws-external-anthropic:createinference": "invoke",
    "aws-external-anthropic:createbatchinference": "invoke",
    "aws-external-anthropic:assumeconsole": "assume",
    "agentaccess-mcp:callforwardedtool": "invoke",
    "sagemaker:sample": "invoke",
    "sagemaker:samplewithresponsestream": "invoke",
    "lambda:connectmicrovm": "invoke",
    "lambda:createmicrovmauthtoken": "invoke",
    "states:startexecution": "invoke",
    "states:startsyncexecution": "invoke",
    "execute-api:invoke": "invoke",
    "sns:publish": "write",
    "s3:bypassgovernanceretention": "manage",
    "s3:objectowneroverridetobucketowner": "manage",
    # They name a bucket or topic for what they report, and write nothing of the caller's choice there.
    "ssm:sendcommand": "manage",
    "devops-guru:addnotificationchannel": "manage",
    "devops-guru:removenotificationchannel": "manage",
    # Writing one of these changes who may do what, whatever the reference's level says.
    "lambda:addpermission": "permissions",
    "iam:createaccesskey": "permissions",
    "iam:createloginprofile": "permissions",
    "iam:updateloginprofile": "permissions",
    "iam:addusertogroup": "permissions",
    "iam:updateassumerolepolicy": "permissions",
    "iam:updatesamlprovider": "permissions",
    "signin:putresourcepermissionstatement": "permissions",
    "account-access:createentitlement": "permissions",
    # Tokens that an agent's own identity is known by.
    "bedrock-agentcore:getworkloadaccesstoken": "assume",
    "bedrock-agentcore:getworkloadaccesstokenforjwt": "assume",
    "bedrock-agentcore:getworkloadaccesstokenforuserid": "assume",
}
_INVOKES: Final = re.compile(
    r"(?:bedrock|bedrock-agentcore|bedrock-websearch|agent-registry|agentaccess-mcp|datazone):invoke.*"
    r"|apigateway:testinvoke.*|runtime\.sagemaker:.*"
)
# The policy of a resource, which AWS's own file has as written for some services and as permissions for others.
_PERMITS: Final = re.compile(r"[a-z0-9-]+:(?:put|delete)resource(?:based)?policy")
_AGENTS_READ: Final = (
    "getevent getmemoryrecord retrievememoryrecords listmemoryrecords listevents listdatasetexamples "
    "getresourceapikey getresourceoauth2token getresourcepaymenttoken connectbrowserliveviewstream"
)
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
        "getitem batchgetitem query scan partiqlselect getrecords readdataforreplication searchvectors",
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
        "getrecord batchgetrecord accessmodelpackage createhubcontentpresignedurls",
        None,
        "deletemodel deletemodelpackage deletemodelpackagegroup deletefeaturegroup deleteendpoint deleterecord",
    ),
    "elasticfilesystem": ("clientmount", None, "deletefilesystem"),
    "es": ("eshttpget eshttphead", None, "eshttpdelete deletedomain deleteelasticsearchdomain"),
    "rds": ("downloadcompletedblogfile downloaddblogfileportion", None, "deletedbinstance deletedbcluster"),
    "bedrock": ("retrieve agenticretrievestream getdocumentcontent", None, "deleteknowledgebase deleteagent"),
    "bedrock-agentcore": (
        _AGENTS_READ,
        None,
        "deleteagentruntime deletedataset deletegateway deletememory deletememoryrecord deleteevent",
    ),
    "s3express": ("createsession", None, "deletebucket putlifecycleconfiguration"),
    "s3files": ("clientmount", "clientwrite clientrootaccess", "deletefilesystem"),
    "s3tables": (
        "gettabledata",
        "puttabledata updatetablemetadatalocation",
        "deletetable deletetablebucket puttablerecordexpirationconfiguration",
    ),
    "s3vectors": (
        "getvectors queryvectors listvectors",
        "putvectors",
        "deletevectors deleteindex deletevectorbucket",
    ),
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


def told_class(name: str) -> str:
    """The class of an action (in lower case) that is known by its name, whatever its level; empty for none."""
    if name in _CLASS_OF:
        return _CLASS_OF[name]
    if _INVOKES.fullmatch(name):
        return "invoke"
    return "permissions" if _PERMITS.fullmatch(name) else ""
