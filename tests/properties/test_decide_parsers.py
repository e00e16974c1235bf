"""The parsers of policies, roots, decisions and keys let an InputError pass and nothing else, whatever the bytes."""

from __future__ import annotations

import base64
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fuzz import decision_statement, key_file, policy_document, root_document
from tests.support.evidence import ASK, admitted, contain
from tests.support.roots import root_payload

from assaymark.core.canonical import canonical_json
from assaymark.policy.starter import starter_policy
from assaymark.policy.statement import decision_payload
from assaymark.trust.root import parse_root

FAST = settings(max_examples=200, deadline=None)

POLICY = starter_policy()
ROOT = root_payload()
DECISION = decision_payload(ASK.decide([*admitted(), contain(7)]))
KEYS = [
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
]


@st.composite
def spliced(draw, good: bytes):
    """``good`` with a slice replaced, doubled or cut: near enough to what is accepted to get far."""
    data = good
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 40)))
        middle = draw(
            st.one_of(st.binary(max_size=12), st.sampled_from([data[start:stop] * 2, b"", b"{}", b"[]", b"true"]))
        )
        data = data[:start] + middle + data[stop:]
    return data


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**53) | st.text(max_size=6) | st.sampled_from(["alice", "0" * 64]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def replaced(draw, good: bytes):
    """Canonical JSON of ``good`` with one value somewhere inside replaced by any other."""
    document = json.loads(good)
    table = document
    while True:
        keys = list(table) if isinstance(table, dict) else list(range(len(table)))
        if not keys:
            return good
        key = draw(st.sampled_from(keys))
        if not isinstance(table[key], (dict, list)) or draw(st.booleans()):
            table[key] = draw(json_values)
            break
        table = table[key]
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


@FAST
@given(st.one_of(st.binary(max_size=200), spliced(POLICY), st.text(max_size=200).map(str.encode)))
@example(b'format = "assaymark:policy/v1"\n[environments.dev]\nvalidity = "1h"')
def test_policies(data):
    policy_document.fuzz(data)


@FAST
@given(st.one_of(st.binary(max_size=200), spliced(ROOT), replaced(ROOT)))
@example(ROOT)
def test_roots(data):
    root_document.fuzz(data)


@FAST
@given(st.one_of(st.binary(max_size=200), spliced(DECISION), replaced(DECISION)))
@example(DECISION)
def test_decisions(data):
    decision_statement.fuzz(data)


def pem(label: str, body: str) -> bytes:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


@st.composite
def key_files(draw):
    label = draw(st.sampled_from(["PRIVATE KEY", "PUBLIC KEY"]))
    der = base64.b64decode(draw(st.sampled_from(KEYS)))
    return pem(label, base64.b64encode(draw(spliced(der))).decode())


@FAST
@given(st.one_of(st.binary(max_size=200), key_files()))
@example(pem("PRIVATE KEY", KEYS[0]))
@example(pem("PUBLIC KEY", KEYS[1]))
@example(pem("PRIVATE KEY", KEYS[0].replace("K2Vw", "K2Vx")))
def test_keys(data):
    key_file.fuzz(data)


@FAST
@given(st.permutations(list(json.loads(ROOT)["roles"].items())))
def test_a_root_has_one_spelling(roles):
    document = json.loads(ROOT) | {"roles": dict(roles)}
    assert parse_root(canonical_json(document)).payload == ROOT
