import pytest

from assaymark.core.errors import InputError
from assaymark.core.limits import POLICY_MAX_BYTES, POLICY_MAX_REQUIREMENTS
from assaymark.policy.document import Condition, Requirement
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

HEAD = 'format = "assaymark:policy/v1"\n'
REQUIRE = (
    HEAD
    + """
[[environments.dev.require]]
id = "scan"
predicate = "assaymark:scan/v1"
roles = ["scanner"]
"""
)
WHERE = REQUIRE + '[[environments.dev.require.where]]\nfield = "complete"\n'


def refused(toml: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_policy(toml if isinstance(toml, bytes) else toml.encode())
    return caught.value


def test_the_starter_policy_reads_as_described():
    policy = parse_policy(starter_policy())
    dev, production = policy.environments
    assert (dev.name, dev.validity, production.name, production.validity) == ("dev", 86_400, "production", 3_600)
    assert dev.contain_roles == production.contain_roles == ("owner", "approver", "responder")
    assert dev.require == production.require[:1]
    assert dev.require[0].where == (
        Condition("complete", (True,), (False,)),
        Condition("highest", ("none", "info", "low", "medium")),
    )
    assert production.require[1] == Requirement(
        id="approvals",
        predicate="assaymark:approval/v1",
        roles=("approver",),
        threshold=2,
        summary="two people, other than who submitted it, approve this exact model",
        distinct_from=("submitter",),
    )
    assert production.lift is None


def test_defaults():
    environment = parse_policy(REQUIRE.encode()).environments[0]
    assert (environment.validity, environment.contain_roles, environment.lift) == (3_600, (), None)
    assert environment.require[0].threshold == 1


def test_a_policy_without_environments_is_read():
    assert parse_policy(HEAD.encode()).environments == ()
    assert parse_policy((HEAD + "[environments.dev]\n").encode()).environments[0].require == ()


@pytest.mark.parametrize(
    ("toml", "code", "position"),
    [
        ("", "policy-format", "format"),
        ('format = "assaymark:policy/v2"', "policy-format", "format"),
        (HEAD + "environments = 1", "policy-type", "environments"),
        (HEAD + "[environments]\ndev = 1", "policy-type", "environments.dev"),
        (HEAD + "[environments.Dev]", "policy-id", "environments.'Dev'"),
        (HEAD + '[environments."a b"]', "policy-id", "environments.'a b'"),
        (HEAD + '[environments.dev]\nvalidity = "25h"', "policy-value", "environments.dev.validity"),
        (HEAD + '[environments.dev]\nvalidity = "soon"', "policy-value", "environments.dev.validity"),
        (HEAD + "[environments.dev]\nvalidity = 60", "policy-type", "environments.dev.validity"),
        (HEAD + "[environments.dev]\nrequire = {}", "policy-type", "environments.dev.require"),
        (HEAD + "[environments.dev]\nrequire = [1]", "policy-type", "environments.dev.require[0]"),
        (HEAD + '[environments.dev]\ndescription = "a\\nb"', "policy-text", "environments.dev.description"),
        (HEAD + "[environments.dev.contain]", "policy-missing", "environments.dev.contain.roles"),
        (HEAD + "[environments.dev.contain]\nroles = []", "policy-value", "environments.dev.contain.roles"),
        (REQUIRE + 'distinct-from = ["approver"]', "policy-value", "environments.dev.require[0].distinct-from"),
        (REQUIRE + "threshold = 0", "policy-value", "environments.dev.require[0].threshold"),
        (REQUIRE + "threshold = 65", "policy-value", "environments.dev.require[0].threshold"),
        (REQUIRE + "threshold = true", "policy-type", "environments.dev.require[0].threshold"),
        (REQUIRE.replace('"scan"', '"root"'), "policy-id", "environments.dev.require[0].id"),
        (REQUIRE.replace("assaymark:scan/v1", "scan"), "policy-value", "environments.dev.require[0].predicate"),
        (REQUIRE.replace('["scanner"]', "[]"), "policy-value", "environments.dev.require[0].roles"),
        (REQUIRE.replace('["scanner"]', '["a", "a"]'), "policy-value", "environments.dev.require[0].roles"),
        (REQUIRE.replace('["scanner"]', '[["a"]]'), "policy-value", "environments.dev.require[0].roles"),
        (REQUIRE.replace('roles = ["scanner"]', ""), "policy-missing", "environments.dev.require[0].roles"),
        (WHERE, "policy-value", "environments.dev.require[0].where[0]"),
        (WHERE + "equals = 1\nin = [1]", "policy-value", "environments.dev.require[0].where[0]"),
        (WHERE + "in = []", "policy-value", "environments.dev.require[0].where[0].in"),
        (WHERE + "equals = 0.5", "policy-type", "environments.dev.require[0].where[0].equals"),
        (WHERE + "equals = 2026-05-01", "policy-type", "environments.dev.require[0].where[0].equals"),
        (WHERE + "equals = 9007199254740992", "policy-type", "environments.dev.require[0].where[0].equals"),
        (WHERE + "in = [1, nan]", "policy-type", "environments.dev.require[0].where[0].in[1]"),
        (
            WHERE + "equals = true\nindeterminate-when = [true]",
            "policy-value",
            "environments.dev.require[0].where[0].indeterminate-when",
        ),
        (
            WHERE.replace('"complete"', '"a..b"') + "equals = 1",
            "policy-value",
            "environments.dev.require[0].where[0].field",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(toml, code, position):
    error = refused(toml)
    assert (error.code, error.position) == (code, position)


def test_true_and_1_are_different_values():
    condition = (
        parse_policy((WHERE + "equals = true\nindeterminate-when = [1]").encode()).environments[0].require[0].where[0]
    )
    assert condition.values == (True,)
    assert type(condition.indeterminate_when[0]) is int


@pytest.mark.parametrize(
    ("toml", "position", "nearest"),
    [
        (HEAD + "enviroments = {}", "enviroments", "environments"),
        (HEAD + "[environments.dev]\nrequires = []", "environments.dev.requires", "require"),
        (HEAD + "[environments.dev]\nvalidty = '1h'", "environments.dev.validty", "validity"),
        (REQUIRE + "treshold = 2", "environments.dev.require[0].treshold", "threshold"),
        (WHERE + "equal = 2", "environments.dev.require[0].where[0].equal", "equals"),
        (HEAD + "[environments.dev.lift]\nrequired = []", "environments.dev.lift.required", "require"),
        (HEAD + "[environments.dev.contain]\nrole = []", "environments.dev.contain.role", "roles"),
        (HEAD + '"\\u001b[2J" = 1', "'\\x1b[2J'", "format"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(toml, position, nearest):
    error = refused(toml)
    assert (error.code, error.position) == ("policy-key", position)
    if nearest != "format":
        assert error.remedy == f"did you mean {nearest}?"


def test_an_id_occurs_once_in_an_environment():
    error = refused(REQUIRE + REQUIRE.removeprefix(HEAD))
    assert (error.code, error.position) == ("policy-id", "environments.dev.require[1].id")


def test_syntax_errors_carry_line_and_column():
    error = refused(HEAD + "environments = [\n")
    assert error.code == "policy-syntax"
    assert error.position.startswith("line ") or "end of document" in error.message
    assert refused(HEAD + 'a = "b" c').position == "line 2 column 9"


def test_hostile_bytes_are_refused_in_bounded_time():
    assert refused(b"\xff").code == "policy-utf8"
    assert refused(b"#" * (POLICY_MAX_BYTES + 1)).code == "policy-size"
    assert refused("a = " + "[" * 100_000).code == "policy-limit"
    assert refused(".".join("a" * 400_000) + " = 1").code == "policy-limit"
    assert refused("[" + ".".join('"a b"' for _ in range(100_000)) + "]").code == "policy-limit"
    assert refused("a = " + "9" * 10_000).code in ("policy-syntax", "policy-format")
    assert refused(HEAD + "a = '" + "." * 900_000 + "'").code == "policy-key"


def test_too_many_requirements():
    many = "\n".join(
        f'[[environments.dev.require]]\nid = "r{i}"\npredicate = "a:b"\nroles = ["r"]'
        for i in range(POLICY_MAX_REQUIREMENTS + 1)
    )
    assert refused(HEAD + many).code == "policy-limit"
    wheres = "\n".join(
        '[[environments.dev.require.where]]\nfield = "a"\nequals = 1' for _ in range(POLICY_MAX_REQUIREMENTS + 1)
    )
    assert refused(REQUIRE + wheres).code == "policy-limit"
