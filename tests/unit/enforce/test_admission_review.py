"""Which models an object names, and what is said of it: objects as the Kubernetes and operators' documentation has them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.support.webhook import DIGEST, OTHER, UID, pod, review

from assaymark.core.canonical import parse_object
from assaymark.core.decision import Mode, Outcome, Reason
from assaymark.core.errors import InputError
from assaymark.core.limits import ADMISSION_MAX_TEXT
from assaymark.enforce.admission_review import Judged, judge, parse_review, response, review_uid
from assaymark.enforce.model_names import named_models
from assaymark.enforce.ruling import Ruling

PERMIT = Ruling(Outcome.PERMIT, (Reason("scan", Outcome.PERMIT),), 4_000_000_000)
ANNOTATED = {"assaymark.dev/model": DIGEST}
TEMPLATE = {"metadata": {"annotations": ANNOTATED}, "spec": pod()["spec"]}
LOADING = {"spec": {"containers": [{"name": "a", "args": ["--model", DIGEST]}]}}


def judged(document: dict[str, Any], *permitted: str, require_model: bool = False) -> Judged:
    found = parse_review(parse_object(json.dumps(document).encode()))
    answers = dict.fromkeys(permitted, PERMIT)
    return judge(found, "production", answers, require_model=require_model, names={})


def of(
    spec: Any, kind: str, group: str, version: str, resource: str, annotations: dict[str, str] | None = None
) -> dict[str, Any]:
    item = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "digits"}, "spec": spec}
    if annotations is not None:
        item["metadata"]["annotations"] = annotations
    return review(item, group=group, version=version, kind=kind, resource=resource)


WORKLOADS = {
    "pod": review(pod(ANNOTATED)),
    "pod-args": review(pod(args=["--model", f"/models@{DIGEST}"])),
    "pod-env": review(pod(env=[{"name": "MODEL_DIGEST", "value": DIGEST}])),
    "pod-probe": review(pod(startupProbe={"exec": {"command": ["check", DIGEST]}})),
    "deployment": of({"replicas": 2, "selector": {}, "template": TEMPLATE}, "Deployment", "apps", "v1", "deployments"),
    "stateful": of({"serviceName": "a", "template": TEMPLATE}, "StatefulSet", "apps", "v1", "statefulsets"),
    "job": of({"template": TEMPLATE}, "Job", "batch", "v1", "jobs"),
    "cron": of({"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}, "CronJob", "batch", "v1", "cronjobs"),
    "raycluster": of(
        {"headGroupSpec": {"rayStartParams": {}, "template": pod()}, "workerGroupSpecs": [{"groupName": "gpu", "template": LOADING}]},
        "RayCluster", "ray.io", "v1", "rayclusters",
    ),
    "rayservice": of(
        {"serveConfigV2": f"applications:\n- name: llm\n  args:\n    model: s3://m@{DIGEST}\n", "rayClusterConfig": {"headGroupSpec": {"template": pod()}}},
        "RayService", "ray.io", "v1", "rayservices",
    ),
    "rayjob": of({"entrypoint": f"python tune.py --base {DIGEST}", "rayClusterSpec": {}}, "RayJob", "ray.io", "v1", "rayjobs"),
    "pytorchjob": of(
        {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "template": pod()}, "Worker": {"replicas": 3, "template": LOADING}}},
        "PyTorchJob", "kubeflow.org", "v1", "pytorchjobs",
    ),
    "tfjob": of({"tfReplicaSpecs": {"Worker": {"template": TEMPLATE}}}, "TFJob", "kubeflow.org", "v1", "tfjobs"),
    "mpijob": of({"mpiReplicaSpecs": {"Launcher": {"template": TEMPLATE}}}, "MPIJob", "kubeflow.org", "v2beta1", "mpijobs"),
    "runtime": of(
        {"supportedModelFormats": [{"name": "onnx"}], "containers": [{"name": "kserve-container", "args": [DIGEST]}]},
        "ServingRuntime", "serving.kserve.io", "v1alpha1", "servingruntimes",
    ),
    "inference": of(
        {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/digits"}}},
        "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices", ANNOTATED,
    ),
    "inference-oci": of(
        {"predictor": {"model": {"modelFormat": {"name": "onnx"}, "storageUri": f"oci://registry/digits@{DIGEST}"}}},
        "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices",
    ),
    "llm": of({"model": {"uri": "hf://org/llm", "name": "llm"}}, "LLMInferenceService", "serving.kserve.io", "v1alpha1", "llminferenceservices", ANNOTATED),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKLOADS)
def test_each_kind_is_let_in_with_its_model_permitted_and_not_without(name: str) -> None:
    good = judged(WORKLOADS[name], DIGEST)
    assert good.allowed, good
    assert good.outcome is Outcome.PERMIT
    assert good.audit["models"] == DIGEST
    bad = judged(WORKLOADS[name])
    assert not bad.allowed
    assert DIGEST in bad.message


UNNAMED = {
    "storageUri": of({"predictor": {"model": {"storageUri": "s3://b/m"}}}, "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices"),
    "no-address": of({"predictor": {"model": {"args": ["--model_id=org/llm"]}}}, "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices"),
    "storage-key": of({"predictor": {"sklearn": {"storage": {"key": "k", "path": "m"}}}}, "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices"),
    "two-for-one": of(
        {"predictor": {"model": {"storageUri": "s3://b/m"}}, "transformer": {"model": {"storageUri": "s3://b/other"}}},
        "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices", ANNOTATED,
    ),
    "adapter": of(
        {"model": {"uri": f"oci://r/m@{DIGEST}", "lora": {"adapters": [{"name": "a", "uri": "hf://org/adapter"}]}}},
        "LLMInferenceService", "serving.kserve.io", "v1alpha1", "llminferenceservices",
    ),
    "trained": of({"inferenceService": "a", "model": {"storageUri": "s3://b/m", "framework": "sklearn"}}, "TrainedModel", "serving.kserve.io", "v1alpha1", "trainedmodels"),
    "seldon": of({"predictors": [{"graph": {"modelUri": "gs://b/m"}}]}, "SeldonDeployment", "machinelearning.seldon.io", "v1", "seldondeployments"),
    "made-by-kserve": review(pod({"internal.serving.kserve.io/storage-initializer-sourceuri": "gs://b/m"})),
    "value-from": review(pod(env=[{"name": "ASSAYMARK_MODEL_DIGEST", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}])),
    "annotation-text": review(pod({"assaymark.dev/model": "digits"})),
    "annotation-empty": review(pod({"assaymark.dev/model": ""})),
    "annotation-short": review(pod({"assaymark.dev/model": DIGEST[:-1]})),
    "annotation-md5": review(pod({"assaymark.dev/model": f"{DIGEST},md5:abc"})),
    "long-in-args": review(pod(args=[DIGEST + "0"])),
    "split-over-variables": review(pod(args=["$(A)$(B)"], env=[{"name": "A", "value": DIGEST[:20]}, {"name": "B", "value": DIGEST[20:]}])),
    "too-many": review(pod({"assaymark.dev/model": ",".join(f"sha256:{i:064x}" for i in range(65))})),
}  # fmt: skip


@pytest.mark.parametrize("name", UNNAMED)
def test_a_model_that_is_not_named_is_refused_and_how_to_name_it_is_said(name: str) -> None:
    many = [f"sha256:{i:064x}" for i in range(65)]
    answer = judged(UNNAMED[name], DIGEST, *many)
    assert not answer.allowed
    assert answer.outcome is Outcome.DENY
    assert 'annotation assaymark.dev/model: "sha256:..."' in answer.message


HIDDEN = {
    "init container": pod() | {"spec": {**pod()["spec"], "initContainers": [{"name": "a", "image": "b", "args": [OTHER]}]}},
    "debug container": pod() | {"spec": {**pod()["spec"], "ephemeralContainers": [{"name": "a", "command": [OTHER]}]}},
    "upper case": pod(args=[OTHER.upper()]),
    "escaped colon": pod(args=[OTHER.replace(":", "%3A")]),
    "within a script": pod(command=["sh", "-c", f"exec serve --model='s3://b/{OTHER}'"]),
    "another annotation of ours": pod({"assaymark.dev/note": f"see {OTHER}"}),
    "image volume": pod() | {"spec": {**pod()["spec"], "volumes": [{"name": "m", "image": {"reference": f"r/m@{OTHER}"}}]}},
    "csi volume": pod() | {"spec": {**pod()["spec"], "volumes": [{"name": "m", "csi": {"driver": "d", "volumeAttributes": {"uri": f"s3://m@{OTHER}"}}}]}},
    "host path": pod() | {"spec": {**pod()["spec"], "volumes": [{"name": "m", "hostPath": {"path": f"/models/{OTHER}"}}]}},
    "sub path": pod() | {"spec": {**pod()["spec"], "containers": [{"name": "c", "volumeMounts": [{"name": "m", "mountPath": "/m", "subPath": OTHER}]}]}},
    "working folder": pod() | {"spec": {**pod()["spec"], "containers": [{"name": "c", "workingDir": f"/m/{OTHER}"}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_a_second_model_beside_a_permitted_one_is_asked_about(name: str) -> None:
    item = copy.deepcopy(HIDDEN[name])
    item["metadata"].setdefault("annotations", {})["assaymark.dev/model"] = DIGEST
    answer = judged(review(item), DIGEST)
    assert not answer.allowed
    assert OTHER in answer.message
    assert judged(review(item), DIGEST, OTHER).allowed


def test_json_escapes_hide_nothing_and_double_keys_are_refused() -> None:
    data = json.dumps(review(pod(args=[OTHER]))).replace("sha256:fe", "\\u0073ha256\\u003afe", 1).encode()
    assert b"\\u0073ha256" in data
    assert parse_review(parse_object(data)).named.digests == (OTHER,)
    twice = json.dumps(review(pod())).replace('"object":', '"object": null, "object":', 1).encode()
    with pytest.raises(InputError, match="twice"):
        parse_object(twice)


def test_an_images_digest_is_no_model_and_what_is_not_read_names_none() -> None:
    item = pod(ports=[{"name": OTHER[:10]}], envFrom=[{"configMapRef": {"name": "a"}}])
    item["metadata"] |= {"labels": {"a": "b"}, "managedFields": [{"fieldsV1": {"args": [OTHER]}}]}
    item["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(pod(args=[OTHER]))
    }
    item["status"] = {"containerStatuses": [{"imageID": f"r@{OTHER}", "args": [OTHER]}]}
    assert named_models(item).digests == ()
    assert judged(review(item)).allowed
    refused = judged(review(item), require_model=True)
    assert not refused.allowed
    assert "names no model" in refused.message


def test_an_unnamed_image_volume_is_warned_of_and_refused_where_models_are_required() -> None:
    item = pod(ANNOTATED)
    item["spec"]["volumes"] = [{"name": "m", "image": {"reference": "registry/model:latest"}}]
    answer = judged(review(item), DIGEST)
    assert answer.allowed
    assert "without a digest" in answer.warnings[0]
    assert not judged(review(item), DIGEST, require_model=True).allowed


def test_what_has_no_pod_is_let_in_even_where_models_are_required() -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}}
    answer = judged(review(scale, subResource="scale", resource="deployments"), require_model=True)
    assert answer.allowed
    assert answer.audit["checked"].startswith("no")


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_deleting_and_connecting_start_nothing(operation: str) -> None:
    assert judged(review(None, operation=operation, oldObject=pod(ANNOTATED)), require_model=True).allowed


DEPLOYED = of({"replicas": 3, "template": TEMPLATE}, "Deployment", "apps", "v1", "deployments")["request"]["object"]


def update(old: dict[str, Any], new: dict[str, Any], **more: Any) -> Judged:
    return judged(review(new, operation="UPDATE", oldObject=old, **more))


def changed(item: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(item)
    place: Any = found
    for step in path[:-1]:
        place = place[step] if isinstance(place, list) else place.setdefault(step, {})
    place[path[-1]] = to
    return found


@pytest.mark.parametrize(
    ("old", "path", "to", "let"),
    [
        (DEPLOYED, ("spec", "replicas"), 0, True),
        (DEPLOYED, ("spec", "replicas"), 4, False),
        (DEPLOYED, ("spec", "replicas"), True, False),
        (DEPLOYED, ("metadata", "labels"), {"a": "b"}, True),
        (DEPLOYED, ("metadata", "annotations"), {"a": "b"}, False),
        (DEPLOYED, ("status",), {"replicas": 3}, True),
        (DEPLOYED, ("spec", "template", "metadata", "annotations", "restartedAt"), "now", False),
        (changed(DEPLOYED, "spec", "suspend", to=False), ("spec", "suspend"), True, True),
        (changed(DEPLOYED, "spec", "suspend", to=True), ("spec", "suspend"), False, False),
    ],
)
def test_an_update_is_asked_about_unless_it_starts_nothing(old: Any, path: Any, to: Any, let: bool) -> None:
    assert update(old, changed(old, *path, to=to), resource="deployments").allowed == let


def test_a_pod_is_cleaned_up_and_not_added_to() -> None:
    old = pod(ANNOTATED)
    old["metadata"]["finalizers"] = ["batch.kubernetes.io/job-tracking"]
    new = pod({**ANNOTATED, "cni/ip": "10.0.0.1"})
    assert update(old, new).allowed
    assert not update(old, pod({"assaymark.dev/model": OTHER})).allowed
    debug = changed(new, "spec", "ephemeralContainers", to=[{"name": "debug", "image": "busybox"}])
    assert not update(old, debug, subResource="ephemeralcontainers").allowed
    dying = changed(debug, "metadata", "deletionTimestamp", to="2026-05-01T12:00:00Z")
    assert not update(old, dying).allowed, "it was not being deleted before"
    assert update(dying, changed(dying, "metadata", "finalizers", to=[])).allowed


FORMS: list[tuple[tuple[Any, ...], Any]] = [
    (("request", "kind"), None),
    (("request", "kind", "kind"), ""),
    (("request", "kind", "group"), 1),
    (("request", "resource"), []),
    (("request", "resource", "resource"), None),
    (("request", "operation"), "PATCH"),
    (("request", "operation"), None),
    (("request", "object"), None),
    (("request", "object"), []),
    (("request", "dryRun"), "no"),
    (("request", "namespace"), {}),
    (("request", "namespace"), "n" * 254),
    (("request", "name"), 4),
    (("request", "subResource"), False),
]


@pytest.mark.parametrize(("path", "value"), FORMS)
def test_a_review_that_cannot_be_read_still_has_its_uid(path: tuple[Any, ...], value: Any) -> None:
    document = changed(review(pod()), *path, to=value)
    assert review_uid(document) == UID
    with pytest.raises(InputError) as error:
        parse_review(document)
    assert error.value.code == "admission-form"
    assert error.value.position.startswith("$.request")


@pytest.mark.parametrize(
    ("path", "value"),
    [(("apiVersion",), "admission.k8s.io/v1beta1"), (("kind",), "Pod"), (("request",), None), (("request", "uid"), ""), (("request", "uid"), 3)],
)  # fmt: skip
def test_without_a_uid_there_is_no_response(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(InputError):
        review_uid(changed(review(pod()), *path, to=value))


def test_an_update_without_what_was_there_before_is_no_review() -> None:
    with pytest.raises(InputError, match="oldObject"):
        parse_review(review(pod(), operation="UPDATE"))


def test_a_refusal_says_what_is_missing_and_who_can_give_it_and_warnings_are_told() -> None:
    missing = Reason(
        "approvals", Outcome.DENY, "2 more approvals", "assaymark attest approval digits --for production"
    )
    soft = Reason("fresh", Outcome.DENY, "older than 90 days", mode=Mode.WARN)
    excepted = Reason("tested", Outcome.DENY, "no test", exception=7)
    found = parse_review(review(pod({"assaymark.dev/model": f"{DIGEST},{OTHER}"})))
    answers = {DIGEST: Ruling(Outcome.PERMIT, (soft, excepted), 1), OTHER: Ruling(Outcome.DENY, (missing, soft))}
    answer = judge(found, "production", answers, require_model=False, names={OTHER: "digits"})
    told = json.loads(response(UID, answer))["response"]
    assert told["status"]["code"] == 403
    assert told["status"]["reason"] == "Forbidden"
    assert (
        f"{OTHER} (digits) DENY: approvals: 2 more approvals; do: assaymark attest approval digits"
        in told["status"]["message"]
    )
    assert "fresh" not in told["status"]["message"], "a warning stops nothing"
    assert [text.partition(": ")[2] for text in told["warnings"]] == [
        "fresh: older than 90 days",
        "tested passes by the exception of entry 7",
    ]
    assert told["auditAnnotations"]["requirements"] == "approvals,fresh"
    long = Reason("a", Outcome.DENY, "x" * 10_000)
    answer = judge(found, "production", {DIGEST: Ruling(Outcome.DENY, (long,))}, require_model=False, names={})
    assert len(answer.message) <= ADMISSION_MAX_TEXT
    assert answer.outcome is Outcome.DENY
