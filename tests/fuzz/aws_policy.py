"""Fuzz target: AWS policy documents, and what is made of them."""

from datetime import UTC, datetime

from assaymark.assess.aws.document import policy_document
from assaymark.assess.aws.evaluate import Applies, evaluate
from assaymark.assess.aws.request import Principal, Request
from assaymark.assess.files import source_file
from assaymark.core.errors import InputError
from assaymark.formats.located import read_json

SEEDS = (
    (
        b'{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:Get*","?:*"],'
        b'"Resource":"arn:aws:s3:::b/${aws:username, \'x\'}/*?*","Condition":{"ForAllValues:StringLikeIfExists":'
        b'{"aws:TagKeys":["a*","${aws:PrincipalTag/t}"]},"Bool":{"aws:SecureTransport":false}}}]}'
    ),
    (
        b'{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["123456789012","*"],"Service":"x.amazonaws.com"},'
        b'"NotAction":"*","NotResource":["arn:aws:s3","execute-api:/a/*"],"Condition":{"NumericLessThan":{"s3:max-keys":10},'
        b'"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}'
    ),
    b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}',
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fuzz(data: bytes) -> None:
    """An answer or an InputError."""
    file = source_file("policy.json", data)
    try:
        document = policy_document(read_json(file.text()), "policy", file)
    except InputError:
        return
    for arn, kind in (
        ("arn:aws:iam::123456789012:user/u", "user"),
        ("*", "anonymous"),
        ("x.amazonaws.com", "service"),
    ):
        request = Request(Principal(kind, arn, tags={"t": "*"}), "s3:GetObject", "arn:aws:s3:::b/u/x", NOW)
        answer = evaluate(request, Applies((document,), document, None, document))
        assert bool(answer.decides) == (answer.state == "unknown")
