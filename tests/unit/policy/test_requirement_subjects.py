"""Requirements about the model, its base models, its data sets and its configurations."""

import pytest
from tests.support.evidence import (
    ALICE,
    BOB,
    CAROL,
    MODEL,
    OTHER,
    approval,
    attestation,
    contain,
    person,
    reason_of,
    release,
)
from tests.support.rules import (
    BASE,
    BUILDER,
    CONFIG,
    DATA,
    JUDGE,
    MORE_DATA,
    SECOND,
    asking,
    bind,
    provenance,
    requirement,
    review,
    several,
)

from assaymark.core.decision import Outcome, Request, Scope
from assaymark.core.subject import Subject
from assaymark.policy.parse import parse_policy

OWN = requirement("review")
PERMIT, DENY, INDETERMINATE = Outcome.PERMIT, Outcome.DENY, Outcome.INDETERMINATE


def about(what: str, *more: str) -> str:
    return requirement(what, f'about = "{what}"', *more)


def about_subject(ask, subject):
    return ask.but(request=Request(subject, Scope("default", "production")))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("data", "no data set in the lineage"),
        ("base", "no base model in the lineage"),
        ("configuration", "no configuration bound to the model"),
    ],
)
def test_with_none_of_them_a_requirement_is_met_and_says_so(what, words):
    decision = asking(OWN, about(what)).decide([review(0)])
    assert decision.outcome is PERMIT
    assert reason_of(decision, what).message == words


def test_each_data_set_of_the_whole_lineage_must_meet_it():
    ask = asking(OWN, about("data"))
    entries = [review(0), provenance(1, BASE, DATA), provenance(2, MORE_DATA, subject=BASE), review(3, subject=DATA)]
    decision = ask.decide(entries)
    assert decision.outcome is DENY
    reason = reason_of(decision, "data")
    assert reason.message.startswith(f"data set suppliers ({MORE_DATA.digest[:19]}): missing: no https://example.com")
    assert f" {MORE_DATA.digest} " in reason.remedy
    full = ask.decide([*entries, review(4, subject=MORE_DATA)])
    assert full.outcome is PERMIT
    assert reason_of(full, "data").message == "met by each of 2"


def test_the_models_own_evidence_is_not_that_of_its_data_and_not_the_other_way_round():
    entries = [review(0), provenance(1, DATA)]
    assert asking(OWN, about("data")).decide(entries).outcome is DENY
    assert asking(OWN, about("data")).decide([provenance(1, DATA), review(2, subject=DATA)]).outcome is DENY
    assert asking(OWN, about("base")).decide([*entries, provenance(2, BASE)]).outcome is DENY


def test_a_data_set_of_which_nothing_else_is_known_is_asked_about():
    decision = asking(OWN, about("data")).decide([review(0), provenance(1, DATA)])
    assert decision.outcome is DENY


def test_what_nobody_signed_names_no_parents():
    entries = [review(0), provenance(1, DATA, by=())]
    assert reason_of(asking(OWN, about("data")).decide(entries), "data").message == "no data set in the lineage"


def test_signed_provenance_that_cannot_be_read_leaves_the_parents_in_doubt():
    entries = [review(0), provenance(1, DATA, buildDefinition=[])]
    for what in ("data", "base"):
        decision = asking(OWN, about(what)).decide(entries)
        assert decision.outcome is INDETERMINATE
        assert "entry 1 is no provenance that can be read" in reason_of(decision, what).message


def test_an_ancestor_of_a_kind_that_nobody_knows_is_asked_about_as_a_model():
    odd = Subject("thing", BASE.digest, "weights-delta")
    assert asking(OWN, about("base")).decide([review(0), provenance(1, odd)]).outcome is DENY


@pytest.mark.parametrize(("parent", "what"), [(BASE, "base"), (DATA, "data")])
@pytest.mark.parametrize("kind", ["model", "dataset", "configuration", "policy", "file", "strange"])
def test_who_claims_an_ancestor_as_something_else_first_takes_nothing_of_what_is_asked_away(parent, what, kind):
    ask = asking(OWN, about(what))
    entries = [
        review(0),
        provenance(1, Subject("x", parent.digest, kind), by=(person("mallory"),)),
        provenance(2, parent),
    ]
    assert ask.decide(entries).outcome is DENY
    assert ask.decide([*entries, review(3, subject=parent)]).outcome is PERMIT


def test_who_claims_a_contained_base_model_as_a_data_set_does_not_lift_it_as_one():
    lax = (
        '[[environments.production.lift.require]]\nid = "word"\npredicate = "x:word"\nroles = ["x"]\nabout = "data"\n'
    )
    mallory = person("mallory", "x")
    ask = asking('[environments.production]\nlineage = "verified"\n', OWN, lax)
    entries = [
        review(0),
        provenance(1, Subject("x", BASE.digest, "dataset"), by=(mallory,)),
        provenance(2, BASE),
        review(3, subject=BASE),
        contained(4, BASE),
        attestation(5, "x:word", {}, mallory, subject=BASE),
        contained(6, BASE, action="lift", after=5),
    ]
    assert reason_of(ask.decide(entries), "lineage").outcome is DENY


def test_a_denial_of_one_outweighs_an_unclear_other():
    ask = asking(OWN, about("data", 'where = [{ field = "good", equals = true, indeterminate-when = ["?"] }]'))
    entries = [review(0), provenance(1, DATA, MORE_DATA), review(2, subject=DATA, good="?")]
    unclear = [*entries, review(3, subject=MORE_DATA, good=True)]
    assert ask.decide(unclear).outcome is INDETERMINATE
    assert ask.decide([*entries, review(3, subject=MORE_DATA, good=False)]).outcome is DENY


def test_many_failing_subjects_are_named_in_part():
    sets = [Subject(f"d{i}", "sha256:" + f"{i:064x}", "dataset") for i in range(6)]
    message = reason_of(asking(OWN, about("data")).decide([review(0), provenance(1, *sets)]), "data").message
    assert message.count("data set d") == 3
    assert message.endswith("and 3 more")


def test_configurations_that_somebody_bound():
    ask = asking(OWN, about("configuration"))
    entries = [review(0), bind(1, CONFIG)]
    assert ask.decide(entries).outcome is DENY
    assert ask.decide([*entries, review(2, subject=CONFIG)]).outcome is PERMIT
    assert ask.decide([review(0), bind(1, CONFIG, by=())]).outcome is PERMIT, "nobody bound it"
    assert ask.decide([review(0), bind(1, CONFIG, model=OTHER)]).outcome is PERMIT, "it is another model's"


def test_a_binding_to_another_model_says_nothing_of_the_file_here():
    bound = requirement("bound", 'about = "configuration"', predicate="assaymark:configuration/v1")
    ask = asking(OWN, bound)
    here = bind(1, CONFIG, by=(BUILDER,))
    elsewhere = bind(2, CONFIG, model=OTHER, by=(JUDGE,))
    assert ask.decide([review(0), here, elsewhere]).outcome is DENY
    assert ask.decide([review(0), here, bind(2, CONFIG, by=(JUDGE,))]).outcome is PERMIT


def test_a_model_that_is_bound_as_a_file_of_another_one_was_not_configured():
    configured = requirement("configured", predicate="assaymark:configuration/v1")
    assert asking(configured).decide([bind(0, CONFIG, by=(JUDGE,))]).outcome is PERMIT
    assert asking(configured).decide([bind(0, MODEL, model=OTHER, by=(JUDGE,))]).outcome is DENY


def test_a_statement_on_several_subjects_is_about_each_of_them():
    ask = asking(OWN, about("data"))
    both = several(1, (MODEL, DATA), "https://example.com/review/v1", JUDGE, result="fine")
    assert ask.decide([provenance(0, DATA), both]).outcome is PERMIT


def test_who_bound_a_configuration_submitted_it():
    ask = asking(OWN, about("configuration", 'distinct-from = ["submitter"]'))
    entries = [review(0), bind(1, CONFIG, by=(JUDGE,)), review(2, JUDGE, subject=CONFIG)]
    decision = ask.decide(entries)
    assert "judge (entry 2) does not count: the submitter" in reason_of(decision, "configuration").message
    assert ask.decide([*entries, review(3, SECOND, subject=CONFIG)]).outcome is PERMIT


def test_the_submitter_is_that_of_the_subject_in_question():
    ask = asking(OWN, about("data", 'distinct-from = ["submitter"]'))
    entries = [review(0), provenance(1, DATA), release(2, JUDGE), release(3, ALICE, subject=DATA)]
    assert ask.decide([*entries, review(4, JUDGE, subject=DATA)]).outcome is PERMIT
    mine = [review(0), provenance(1, DATA), release(2, ALICE), release(3, JUDGE, subject=DATA)]
    assert ask.decide([*mine, review(4, JUDGE, subject=DATA)]).outcome is DENY


def test_a_data_set_or_configuration_by_itself_is_judged_by_what_is_asked_of_it():
    ask = asking(OWN, about("data"), about("configuration"))
    for subject, name in ((DATA, "data"), (CONFIG, "configuration")):
        own = about_subject(ask, subject)
        assert [r.requirement for r in own.decide([]).reasons] == [name]
        assert own.decide([review(0, subject=subject)]).outcome is PERMIT
        assert own.decide([review(0)]).outcome is DENY
        assert about_subject(asking(OWN), subject).decide([review(0, subject=subject)]).outcome is DENY


def test_a_configuration_by_itself_counts_as_bound_to_any_model():
    bound = requirement("bound", 'about = "configuration"', predicate="assaymark:configuration/v1")
    own = about_subject(asking(bound), CONFIG)
    assert own.decide([bind(0, CONFIG, model=OTHER, by=(JUDGE,))]).outcome is PERMIT
    assert own.decide([bind(0, MODEL, model=CONFIG, by=(JUDGE,))]).outcome is DENY


def test_a_model_of_which_nothing_is_asked_does_not_run_because_it_has_no_data():
    decision = asking(about("data")).decide([])
    assert decision.outcome is DENY
    assert "permits nothing" in reason_of(decision, "policy").message


def test_environment_and_tenant_bind_the_evidence_on_data_too():
    ask = asking(
        OWN, requirement("data", 'about = "data"', predicate="assaymark:approval/v1").replace("reviewer", "approver")
    )
    entries = [review(0), provenance(1, DATA)]
    assert ask.decide([*entries, approval(2, BOB, subject=DATA)]).outcome is PERMIT
    assert ask.decide([*entries, approval(2, BOB, subject=DATA, environment="dev")]).outcome is DENY
    assert ask.decide([*entries, approval(2, BOB, subject=DATA, tenant="other")]).outcome is DENY


LINEAGE = '[environments.production]\nlineage = "verified"\n'


def test_a_lineage_that_holds_is_counted():
    ask = asking(LINEAGE, OWN)
    assert reason_of(ask.decide([review(0)]), "lineage").message == "it names no ancestor"
    one = ask.decide([review(0), provenance(1, DATA), review(2, subject=DATA)])
    assert (one.outcome, reason_of(one, "lineage").message) == (PERMIT, "each link to 1 ancestor holds")


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (provenance(1, DATA), "is missing: entry 1 names it"),
        (provenance(1, DATA, by=()), "is forged: nobody whose key counts"),
        (provenance(1, MODEL), "is broken: the lineage comes back to itself"),
        (provenance(1, DATA, runDetails=1), "is broken: entry 1 is no provenance"),
    ],
)
def test_the_first_link_that_does_not_hold_is_named(entry, word):
    decision = asking(LINEAGE, OWN).decide([review(0), entry])
    assert decision.outcome is DENY
    assert word in reason_of(decision, "lineage").message
    assert reason_of(decision, "lineage").remedy.startswith("assaymark lineage show sha256:")


def test_a_lineage_beyond_the_limit_is_no_answer(monkeypatch):
    monkeypatch.setattr("assaymark.policy.lineage.LINEAGE_MAX_SUBJECTS", 2)
    entries = [review(0), provenance(1, BASE, DATA), review(2, subject=BASE), review(3, subject=DATA)]
    decision = asking(LINEAGE, OWN, about("data"), about("base")).decide(entries)
    assert decision.outcome is INDETERMINATE
    for name in ("lineage", "data", "base"):
        assert "the lineage is not known: more than 2 ancestors" in reason_of(decision, name).message


def test_a_circle_does_not_ask_about_the_model_as_its_own_ancestor():
    entries = [review(0), provenance(1, BASE), provenance(2, MODEL, subject=BASE), review(3, subject=BASE)]
    assert reason_of(asking(OWN, about("base")).decide(entries), "base").message.startswith(
        "met by base model base ("
    )


def contained(position, subject, environment="production", action="contain", after=0):
    item = contain(position, BOB, environment=environment, action=action, after=after)
    return several(position, (subject,), item.statement.predicate_type, BOB, **item.statement.predicate)


def test_a_contained_ancestor_denies_where_the_lineage_is_verified():
    entries = [review(0), provenance(1, BASE), provenance(2, DATA, subject=BASE), review(3, subject=DATA)]
    decision = asking(LINEAGE, OWN).decide([*entries, contained(4, DATA)])
    assert decision.outcome is DENY
    assert (
        f"dataset customers ({DATA.digest}), which it was made from, is contained"
        in reason_of(decision, "lineage").message
    )
    assert asking(OWN).decide([*entries, contained(4, DATA)]).outcome is PERMIT
    assert asking(LINEAGE, OWN).decide([*entries, contained(4, DATA, "dev")]).outcome is PERMIT


def test_an_ancestor_is_free_again_when_what_is_asked_of_its_kind_came_after():
    ask = asking(LINEAGE, OWN, about("data"))
    entries = [review(0), provenance(1, DATA), review(2, subject=DATA), contained(3, DATA)]
    early = [*entries, contained(4, DATA, action="lift", after=4)]
    assert ask.decide(early).outcome is DENY
    again = [*entries, review(4, subject=DATA), contained(5, DATA, action="lift", after=4)]
    assert ask.decide(again).outcome is PERMIT


def test_a_lift_of_the_model_asks_anew_about_its_data_as_the_lineage_then_was():
    ask = asking(OWN, about("data"))
    entries = [review(0), provenance(1, DATA), review(2, subject=DATA), contain(3)]
    lifting = contain(6, action="lift", after=4, reason="fixed")
    assert ask.decide([*entries, review(4), lifting]).outcome is DENY
    lifted = [*entries, review(4), review(5, subject=DATA), lifting]
    assert ask.decide(lifted).outcome is PERMIT
    # A data set that is named after the lift does not undo the lift; the decision asks about it all the same.
    later = ask.decide([*lifted, provenance(7, MORE_DATA, by=(CAROL,))])
    assert [reason.requirement for reason in later.reasons if reason.stops] == ["data"]


def test_a_change_of_the_policy_is_judged_by_its_own_requirements():
    toml = '[[policy.require]]\nid = "audit"\npredicate = "https://example.com/review/v1"\nroles = ["reviewer"]'
    ask = asking(OWN, toml)
    policy = Subject("policy", OTHER.digest, "policy")
    change = ask.but(request=Request(policy, Scope("default", "policy")))
    assert [reason.requirement for reason in change.decide([]).reasons] == ["audit"]
    assert change.decide([review(0, subject=policy)]).outcome is PERMIT
    assert change.decide([review(0)]).outcome is DENY
    # neither may a policy be judged as in production, nor a model as a change of the policy
    assert ask.but(request=Request(policy, Scope("default", "production"))).decide([]).outcome is DENY
    assert ask.but(request=Request(MODEL, Scope("default", "policy"))).decide([review(0)]).outcome is DENY
    assert asking(OWN).but(request=change.request).decide([review(0, subject=policy)]).outcome is DENY
    assert parse_policy(b'format = "assaymark:policy/v1"\n[policy]\nrequire = []').change is None
