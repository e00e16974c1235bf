"""Any bytes as a review of the admission webhook: an InputError, or a response that repeats the uid and lets nothing in
that names a model, for nothing was answered about it."""

import json

from tests.support.webhook import DIGEST, OTHER, pod, review

from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError
from assaymark.enforce.admission_review import judge, parse_review, response, review_uid

_TEMPLATE = {"metadata": {"annotations": {"assaymark.dev/model": DIGEST}}, "spec": pod(args=[OTHER])["spec"]}
_SERVICE = {"metadata": {}, "spec": {"predictor": {"model": {"storageUri": "s3://a/b"}}}}
SEEDS = [
    json.dumps(document).encode()
    for document in (
        review(pod({"assaymark.dev/model": DIGEST}, env=[{"name": "A", "value": OTHER}])),
        review({"spec": {"replicas": 3, "template": _TEMPLATE}}, operation="UPDATE", oldObject=pod(), resource="deployments"),
        review(_SERVICE, group="serving.kserve.io", version="v1beta1", kind="InferenceService"),
        review(None, operation="DELETE", oldObject=pod()),
    )
]  # fmt: skip


def fuzz(data: bytes) -> None:
    try:
        document = parse_object(data, limit=1 << 20)
        uid = review_uid(document)
        found = parse_review(document)
    except InputError:
        return
    assert found.uid == uid
    judged = judge(found, "production", {}, require_model=True, names={})
    assert not (judged.allowed and (found.named.digests or found.named.faults))
    answer = json.loads(response(uid, judged))["response"]
    assert answer["uid"] == uid
    assert answer["allowed"] is judged.allowed
