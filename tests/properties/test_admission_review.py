"""Wherever a pod template stands, its models are found; and what is found is asked about."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.webhook import DIGEST, pod, review

from assaymark.core.canonical import parse_object
from assaymark.core.decision import Outcome, Reason
from assaymark.enforce.admission_review import judge, parse_review
from assaymark.enforce.model_names import named_models
from assaymark.enforce.ruling import Ruling

KEYS = st.sampled_from(
    ["spec", "template", "headGroupSpec", "workerGroupSpecs", "pytorchReplicaSpecs", "Worker", "x"]
)
PLACES = [
    lambda text: {"metadata": {"annotations": {"assaymark.dev/model": text}}},
    lambda text: {"metadata": {"annotations": {"assaymark.dev/served-by": f"kept at {text}"}}},
    lambda text: {"spec": {"containers": [{"name": "a", "args": ["--model", f"s3://b@{text}"]}]}},
    lambda text: {"spec": {"initContainers": [{"name": "a", "command": ["fetch", text]}]}},
    lambda text: {"spec": {"ephemeralContainers": [{"name": "a", "env": [{"name": "M", "value": text}]}]}},
    lambda text: {"spec": {"volumes": [{"name": "a", "image": {"reference": f"registry/m@{text}"}}]}},
    lambda text: {"spec": {"volumes": [{"name": "a", "csi": {"driver": "d", "volumeAttributes": {"model": text}}}]}},
    lambda text: {"spec": {"containers": [{"lifecycle": {"postStart": {"exec": {"command": ["get", text]}}}}]}},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS | st.integers(0, 2), max_size=8), st.sampled_from(PLACES), st.booleans(), JSON)
def test_a_template_is_found_wherever_it_stands(path: list[str | int], place: Any, upper: bool, more: Any) -> None:
    digest = DIGEST.upper().replace("SHA256", "Sha256") if upper else DIGEST
    item: Any = place(digest)
    for step in path:
        item = [more] * step + [item] if isinstance(step, int) else {"before": more, step: item, "after": more}
    named = named_models({"kind": "Anything", "spec": item})
    assert DIGEST in named.digests


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from([DIGEST, "sha256:" + "a" * 64, "sha256:" + "b" * 64]), st.sampled_from(Outcome))
)
def test_it_is_let_in_only_when_every_model_is_permitted(outcomes: dict[str, Outcome]) -> None:
    digests = [DIGEST, "sha256:" + "a" * 64, "sha256:" + "b" * 64]
    found = parse_review(parse_object(json.dumps(review(pod({"assaymark.dev/model": ",".join(digests)}))).encode()))
    answers = {
        digest: Ruling(outcome, (Reason("scan", outcome, "why"),), 1 if outcome is Outcome.PERMIT else 0)
        for digest, outcome in outcomes.items()
    }
    judged = judge(found, "production", answers, require_model=False, names={})
    assert judged.allowed == (len(outcomes) == 3 and set(outcomes.values()) == {Outcome.PERMIT})
    assert (judged.outcome is Outcome.DENY) == (Outcome.DENY in outcomes.values())
