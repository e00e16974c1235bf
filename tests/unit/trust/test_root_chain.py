import pytest
from tests.support.roots import ORIGIN, public, root_payload, signed, vkey

from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import Envelope
from assaymark.trust import root as module
from assaymark.trust.root import LogTrust, Role, parse_root, verify_root_chain

V1 = root_payload(1)
V2 = root_payload(2, names=("bob", "carol", "dora"))  # alice leaves; bob stays; carol joins the role root
V3 = root_payload(3, names=("carol", "dora"))
PIN1, PIN2, PIN3 = (parse_root(payload).digest for payload in (V1, V2, V3))
E1 = signed(V1, "alice", "bob")
E2 = signed(V2, "alice", "bob", "carol")
E3 = signed(V3, "bob", "carol", "dora")


def refused(envelopes: list[Envelope], pin: str = PIN1, **more) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify_root_chain(envelopes, pin, **more)
    return caught.value


def test_the_newest_root_follows_from_any_pinned_version_in_any_order():
    for pin in (PIN1, PIN2, PIN3):
        assert verify_root_chain([E3, E1, E2], pin).version == 3
    assert verify_root_chain([E2, E3], PIN2).version == 3
    assert verify_root_chain([E1], PIN1).version == 1


def test_the_pinned_version_needs_no_signature_and_what_is_before_it_is_not_looked_at():
    assert verify_root_chain([signed(V1, "mallory"), signed(V2, "mallory"), E3], PIN2).version == 3


def test_a_pin_that_is_not_there_is_refused():
    error = refused([E1, E2], PIN3)
    assert error.code == "root-pin"
    assert "do not pin another one" in error.remedy
    assert refused([], PIN1).code == "root-pin"


def test_a_version_that_is_missing_is_named():
    error = refused([E1, E3])
    assert (error.code, error.message) == ("root-chain", "version 2 of the root is missing")


@pytest.mark.parametrize(
    "names", [("bob", "carol"), ("alice", "bob"), ("carol", "dora"), ("alice", "mallory"), ("bob",)]
)
def test_both_thresholds_are_needed(names):
    error = refused([E1, signed(V2, *names)])
    assert error.code == "root-threshold"
    assert error.message.startswith("version 2 of the root has ")


def test_signatures_of_several_envelopes_of_one_payload_add_up():
    assert verify_root_chain([E1, signed(V2, "alice", "bob"), signed(V2, "carol")], PIN1).version == 2


def test_the_same_signature_twice_is_one():
    assert refused([E1, signed(V2, "bob", "carol"), signed(V2, "bob", "carol")]).code == "root-threshold"


def test_two_payloads_of_one_version_are_a_fork():
    fork = root_payload(2, names=("bob", "carol", "eve"))
    error = refused([E1, E2, signed(fork, "alice", "bob", "carol")])
    assert (error.code, error.message) == ("root-chain", "two different roots of version 2")


def test_the_tenant_and_the_log_stay():
    other = root_payload(2, tenant="other")
    assert "another tenant's" in refused([E1, signed(other, "alice", "bob")]).message
    moved = root_payload(2, log=LogTrust("b.example.com", (vkey(public("log"), "b.example.com"),)))
    assert "another log" in refused([E1, signed(moved, "alice", "bob")]).message
    rotated = root_payload(2, log=LogTrust(ORIGIN, (vkey(public("log-2")),)))
    assert verify_root_chain([E1, signed(rotated, "alice", "bob")], PIN1).version == 2


def test_a_chain_that_ends_below_the_highest_version_seen_is_refused():
    error = refused([E1, E2], minimum_version=3)
    assert error.code == "root-rollback"
    assert verify_root_chain([E1, E2, E3], PIN1, minimum_version=3).version == 3


def test_an_expired_version_in_between_does_not_matter():
    early = root_payload(1, expires=1)
    chain = [signed(early, "alice", "bob"), E2]
    assert verify_root_chain(chain, parse_root(early).digest).version == 2


def test_other_envelopes_among_the_roots_are_refused():
    assert refused([E1, signed(V2, "alice", "bob", payload_type="text/plain")]).code == "root-chain"
    with pytest.raises(InputError):
        verify_root_chain([E1, signed(b"{}", "alice", "bob")], PIN1)


def test_a_chain_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "ROOT_MAX_VERSIONS", 2)
    with pytest.raises(InputError) as caught:
        verify_root_chain([E1, E2, E3], PIN1)
    assert caught.value.code == "root-limit"


def test_a_person_and_the_workload_they_answer_for_change_no_root_together():
    roles = [Role("root", ("alice", "bob", "scanner"), 2), Role("policy", ("alice", "bob"), 2)]
    first, second = (root_payload(version, roles=roles) for version in (1, 2))
    pin = parse_root(first).digest
    assert refused([signed(first, "alice"), signed(second, "alice", "scanner")], pin).code == "root-threshold"
    assert verify_root_chain([signed(first, "alice"), signed(second, "bob", "scanner")], pin).version == 2


def test_a_threshold_that_no_people_can_reach_is_refused():
    roles = [Role("root", ("alice", "scanner"), 2), Role("policy", ("alice", "bob"), 2)]
    with pytest.raises(InputError) as caught:
        root_payload(1, roles=roles)
    assert caught.value.code == "root-role"
