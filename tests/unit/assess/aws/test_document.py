"""Policy documents as IAM's grammar has them, and what is no policy."""

import json

import pytest

from assaymark.assess.aws.document import policy_document
from assaymark.assess.files import source_file
from assaymark.assess.unresolved import HOLE, Unresolved
from assaymark.core.errors import InputError
from assaymark.formats.located import Map, read_json
from assaymark.formats.located_yaml import read_located_yaml

ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def read(value, text=None):
    text = json.dumps(value, indent=1) if text is None else text
    return policy_document(read_json(text), "p", source_file("policy.json", text.encode()))


def test_a_statement_knows_its_line():
    text = '{\n "Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Allow", "Action": "a:b", "Resource": "*"},\n  {"Effect": "Deny", "Action": "a:b", "Resource": "*"}\n ]\n}'
    found = read(None, text)
    assert [(one.effect, one.because.line) for one in found.statements] == [("Allow", 4), ("Deny", 5)]
    assert found.statements[0].because.path == "policy.json"
    assert len(found.because.digest) == 64


def test_one_statement_and_texts_stand_for_lists():
    found = read({"Version": "2012-10-17", "Statement": {**ALLOW, "Sid": "x"}}).statements[0]
    assert (found.sid, found.actions, found.resources, found.principals) == ("x", ("s3:*",), ("*",), None)


def test_a_policy_without_version_is_the_old_one():
    assert read({"Statement": [ALLOW]}).version == "2008-10-17"


def test_names_of_elements_are_read_in_any_case():
    found = read({"version": "2012-10-17", "statement": [{"effect": "Allow", "ACTION": "s3:*", "resource": "*"}]})
    assert found.statements[0].actions == ("s3:*",)


@pytest.mark.parametrize("number", ["123456789012", "arn:aws:iam::123456789012:root"])
def test_an_accounts_number_is_its_root(number):
    found = read({"Statement": [{"Effect": "Allow", "Action": "*", "Principal": {"AWS": number}}]}).statements[0]
    assert found.principals == {"AWS": ("arn:aws:iam::123456789012:root",)}


def test_yaml_reads_an_accounts_number_as_a_number():
    text = "Statement:\n- Effect: Allow\n  Action: '*'\n  Principal: {AWS: [123456789012]}\nVersion: 2012-10-17\n"
    found = policy_document(read_located_yaml(text)[0], "p", source_file("p.yaml", text.encode()))
    assert found.statements[0].principals == {"AWS": ("arn:aws:iam::123456789012:root",)}
    assert found.version == "2012-10-17"


def test_values_of_conditions_are_texts():
    condition = {"Bool": {"a:b": True}, "NumericLessThan": {"c:d": 10}}
    found = read({"Statement": [{**ALLOW, "Condition": condition}]}).statements[0]
    assert found.condition == {"Bool": {"a:b": ("true",)}, "NumericLessThan": {"c:d": ("10",)}}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "not an object"),
        ({}, "no Statement"),
        ({"Statement": "x"}, "neither an object nor a list"),
        ({"Statement": [1]}, "not an object"),
        ({"Version": "2020-01-01", "Statement": [ALLOW]}, "version"),
        ({"Statement": [{**ALLOW, "Effect": "allow"}]}, "neither Allow nor Deny"),
        ({"Statement": [{"Action": "*", "Resource": "*"}]}, "no Effect"),
        ({"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "neither Action nor NotAction"),
        ({"Statement": [{**ALLOW, "NotAction": "x"}]}, "both"),
        ({"Statement": [{**ALLOW, "NotResource": "x"}]}, "both"),
        ({"Statement": [{**ALLOW, "Principal": "*", "NotPrincipal": "*"}]}, "both"),
        ({"Statement": [{**ALLOW, "Actions": "x"}]}, "unknown element"),
        ({"Statement": [{**ALLOW, "action": "x"}]}, "twice"),
        ({"Statement": [{**ALLOW, "Principal": "me"}]}, "other than"),
        ({"Statement": [{**ALLOW, "Principal": ["me"]}]}, "neither * nor an object"),
        ({"Statement": [{**ALLOW, "Principal": {"Me": "x"}}]}, "kind"),
        ({"Statement": [{**ALLOW, "Action": {"a": 1}}]}, "no text"),
        ({"Statement": [{**ALLOW, "Condition": "x"}]}, "not an object"),
        ({"Statement": [{**ALLOW, "Condition": {"Bool": "x"}}]}, "not an object"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_said_with_its_line(value, words):
    with pytest.raises(InputError) as caught:
        read(value)
    assert caught.value.code == "aws-policy"
    assert words in caught.value.message
    assert caught.value.position.startswith("line ")
    assert caught.value.source == "policy.json"


def test_too_many_statements_are_refused(monkeypatch):
    monkeypatch.setattr("assaymark.assess.aws.document.AWS_POLICY_MAX_STATEMENTS", 1)
    with pytest.raises(InputError, match="more than 1 statements"):
        read({"Statement": [ALLOW, ALLOW]})


def test_too_many_values_are_refused(monkeypatch):
    monkeypatch.setattr("assaymark.assess.aws.document.AWS_POLICY_MAX_VALUES", 1)
    with pytest.raises(InputError, match="more than 1 values"):
        read({"Statement": [ALLOW]})


def open_document(**elements):
    """A document as a template's collector hands it over, with markers in it."""
    statement = Map(3)
    for line, (key, value) in enumerate({**ALLOW, **elements}.items(), 4):
        statement.put(key, value, line)
    whole = Map(1)
    whole.put("Version", "2012-10-17", 2)
    whole.put("Statement", statement, 3)
    return policy_document(whole, "p", source_file("main.tf", b""))


def test_what_a_template_leaves_open_is_named():
    found = open_document(Resource=Unresolved("arn:aws:s3:::${var.b}/*", f"arn:aws:s3:::{HOLE}/*")).statements[0]
    assert found.unresolved == ("Resource: arn:aws:s3:::${var.b}/*",)
    assert found.resources[0].pattern == f"arn:aws:s3:::{HOLE}/*"


def test_an_open_effect_may_allow_and_may_deny():
    assert [one.effect for one in open_document(Effect=Unresolved("var.effect")).statements] == ["Allow", "Deny"]


@pytest.mark.parametrize("element", ["Principal", "Condition", "Action"])
def test_an_open_element_is_named(element):
    found = open_document(**{element: Unresolved("var.x")}).statements[0]
    assert found.unresolved == (f"{element}: var.x",)


def test_an_open_policy_may_allow_and_may_deny():
    file = source_file("main.tf", b"")
    found = policy_document(Unresolved("data.x.json"), "p", file, line=7)
    assert [(one.effect, one.because.line) for one in found.statements] == [("Allow", 7), ("Deny", 7)]
