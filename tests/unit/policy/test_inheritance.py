import pytest
from tests.support.rules import HEAD, requirement

from assaymark.core.errors import InputError
from assaymark.core.limits import POLICY_MAX_INHERITANCE
from assaymark.policy.explain import explain_change, explain_environment
from assaymark.policy.parse import parse_policy

FAMILY = (
    HEAD
    + """
[environments.base]
validity = "2h"
lineage = "verified"
contain = { roles = ["owner"] }
lift = { require = [{ id = "rescan", predicate = "assaymark:scan/v1", roles = ["scanner"] }] }
exceptions = { roles = ["policy"] }

[environments.staging]
inherits = "base"

[environments.production]
inherits = "staging"
validity = "1h"
"""
    + requirement("a", environment="base")
    + requirement("b", environment="base")
    + requirement("c", environment="staging")
    + requirement("b", "threshold = 2", environment="production")
    + requirement("d", environment="production")
)


def read(toml: str):
    return parse_policy(toml.encode())


def refused(toml: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(toml)
    return caught.value


def test_a_child_has_its_parents_requirements_in_order_and_replaces_by_id():
    production = read(FAMILY).environment("production")
    assert [item.id for item in production.require] == ["a", "b", "c", "d"]
    assert [item.threshold for item in production.require] == [1, 2, 1, 1]


def test_what_the_child_does_not_say_is_the_parents():
    policy = read(FAMILY)
    staging, production = policy.environment("staging"), policy.environment("production")
    assert (staging.validity, production.validity) == (7_200, 3_600)
    for child in (staging, production):
        assert child.contain_roles == ("owner",)
        assert [item.id for item in child.lift] == ["rescan"]
        assert child.lineage
        assert child.exceptions is None, "who may except is not inherited"
    assert policy.environment("base").exceptions.max_duration == 90 * 86_400


def test_a_child_may_say_otherwise():
    more = '[environments.free]\ninherits = "base"\nlineage = "unchecked"\nlift = { require = [] }\ncontain = { roles = ["x"] }\n'
    free = read(FAMILY + more).environment("free")
    assert (free.lineage, free.lift, free.contain_roles) == (False, (), ("x",))


def test_a_lift_that_nobody_says_asks_for_the_childs_own_requirements():
    toml = HEAD + requirement("a", environment="base") + '[environments.child]\ninherits = "base"\n'
    child = read(toml + requirement("b", environment="child")).environment("child")
    assert [item.id for item in child.lift_requirements] == ["a", "b"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[environments.a]\ninherits = "b"', "there is no environment 'b'"),
        ('[environments.a]\ninherits = ""', "there is no environment ''"),
        ('[environments.a]\ninherits = "a"', "a circle: a inherits a"),
        ('[environments.a]\ninherits = "b"\n[environments.b]\ninherits = "a"', "a circle: a inherits b inherits a"),
        (
            "".join(f'[environments.e{i}]\ninherits = "e{i + 1}"\n' for i in range(POLICY_MAX_INHERITANCE))
            + f"[environments.e{POLICY_MAX_INHERITANCE}]",
            "environments deep",
        ),
    ],
)
def test_a_parent_that_cannot_be_is_an_error(toml, words):
    error = refused(HEAD + toml)
    assert error.code == "policy-inherits"
    assert words in error.message
    assert error.position.endswith(".inherits")


def test_inherited_requirements_are_bounded():
    many = HEAD + "".join(requirement(f"r{i}", environment="base") for i in range(600))
    many += "".join(f'[environments.e{i}]\ninherits = "base"\n' for i in range(20))
    assert refused(many).code == "policy-limit"


def test_what_comes_from_where_is_explained():
    text = "\n".join(explain_environment(read(FAMILY), "production"))
    for words in (
        "It inherits from staging what it does not say itself.",
        "valid for 1h.",
        "1. a: https://example.com/review/v1 (from base)",
        "2. b: https://example.com/review/v1\n",
        "3. c: https://example.com/review/v1 (from staging)",
        "may be contained here (from base).",
        "may contain a model (from base)",
        "by evidence logged after it (from base):",
        "There are no exceptions here.",
    ):
        assert words in text, words


def test_the_other_keys_in_words():
    toml = (
        HEAD
        + requirement("own", 'max-age = "30d"', 'where = [{ field = "a.*.b", at-least = "0.9" }]')
        + requirement("soft", 'mode = "warn"')
        + requirement("quiet", 'mode = "audit"')
        + requirement("base", 'about = "base"')
        + requirement("data", 'about = "data"', 'distinct-from = ["submitter"]')
        + requirement("pre", 'about = "configuration"')
        + '[environments.production.exceptions]\nroles = ["policy"]\nthreshold = 2\n'
        + '[[policy.require]]\nid = "audit"\npredicate = "a:b"\nroles = ["auditor"]\ndistinct-from = ["submitter"]\n'
    )
    policy = read(toml)
    text = "\n".join(explain_environment(policy, "production"))
    for words in (
        "logged at most 30d ago, by the log's time",
        'a.*.b is at least "0.9"',
        "only warns",
        "only recorded",
        "for each model that it was made from: ",
        "for each data set that it was made from: ",
        "other than who submitted the data set",
        "for each configuration that is bound to it: ",
        "A data set by itself is judged by what is asked of each data set above.",
        "An exception signed by 2 distinct principals in role policy lets a model run without a requirement for 90d",
    ):
        assert words in text, words
    change = "\n".join(explain_change(policy))
    assert "1. audit: a:b" in change
    assert "other than who submitted the policy" in change
    assert "asks for nothing besides" in explain_change(read(HEAD))[-1]
    soft = read(HEAD + requirement("soft", 'mode = "warn"'))
    assert "permits nothing" in explain_environment(soft, "production")[-1]


@pytest.mark.parametrize(
    ("toml", "code", "position"),
    [
        ("[environments.policy]", "policy-id", "environments.'policy'"),
        ("[environments.a]\nlineage = true", "policy-type", "environments.a.lineage"),
        ('[environments.a]\nlineage = "sure"', "policy-value", "environments.a.lineage"),
        ("[environments.a.exceptions]", "policy-missing", "environments.a.exceptions.roles"),
        ("[environments.a.exceptions]\nroles = []", "policy-value", "environments.a.exceptions.roles"),
        ('[environments.a]\nexceptions = "no"', "policy-type", "environments.a.exceptions"),
        (
            '[environments.a.exceptions]\nroles = ["x"]\nthreshold = 0',
            "policy-value",
            "environments.a.exceptions.threshold",
        ),
        (
            '[environments.a.exceptions]\nroles = ["x"]\nmax-duration = "4000d"',
            "policy-value",
            "environments.a.exceptions.max-duration",
        ),
        (
            '[environments.a.exceptions]\nroles = ["x"]\nduration = "1d"',
            "policy-key",
            "environments.a.exceptions.duration",
        ),
        (requirement("x", 'about = "datas"'), "policy-value", "environments.production.require[0].about"),
        (requirement("x", 'about = "policy"'), "policy-value", "environments.production.require[0].about"),
        (requirement("x", 'mode = "off"'), "policy-value", "environments.production.require[0].mode"),
        (requirement("x", 'max-age = "0d"'), "policy-value", "environments.production.require[0].max-age"),
        (requirement("x", "max-age = 30"), "policy-type", "environments.production.require[0].max-age"),
        (requirement("lineage"), "policy-id", "environments.production.require[0].id"),
        ("policy = 1", "policy-type", "policy"),
        ("[policy]\nrequires = []", "policy-key", "policy.requires"),
        (
            '[[policy.require]]\nid = "a"\npredicate = "a:b"\nroles = ["r"]\nabout = "model"',
            "policy-key",
            "policy.require[0].about",
        ),
        (
            '[[policy.require]]\nid = "a"\npredicate = "a:b"\nroles = ["r"]\nmode = "warn"',
            "policy-value",
            "policy.require",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(toml, code, position):
    error = refused(HEAD + toml)
    assert (error.code, error.position) == (code, position)
