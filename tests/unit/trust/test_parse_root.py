import base64
import hashlib
import json

import pytest
from tests.support.roots import EXPIRES, ORIGIN, edited, edited_payload, key_of, public, root_payload, vkey

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import ROOT_MAX_BYTES
from assaymark.trust import parse as module
from assaymark.trust.public_key import PublicKey
from assaymark.trust.root import LogTrust, Principal, Role, make_root, parse_root

ALICE, SCANNER = key_of("alice"), key_of("scanner")


def refused(payload: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_root(payload)
    return caught.value


def test_a_root_says_who_holds_which_key_and_role():
    root = parse_root(root_payload())
    assert (root.tenant, root.version, root.expires) == ("default", 1, EXPIRES)
    assert root.digest == sha256_digest(root_payload())
    assert root.owner(ALICE).name == "alice"
    assert root.roles_of("bob") == {"root", "policy", "approver"}
    assert root.principals["scanner"].registered_by == "alice"
    assert root.log.origin == ORIGIN


def test_writing_sorts_lists_so_that_there_is_one_spelling():
    roles = [
        Role("root", ("bob", "alice"), 2),
        Role("policy", ("bob", "alice"), 2),
        Role("approver", ("carol", "bob")),
        Role("scanner", ("scanner",)),
    ]
    assert root_payload(roles=roles) == root_payload()


def test_writing_refuses_what_reading_refuses():
    with pytest.raises(InputError) as caught:
        make_root(
            tenant="default", version=1, expires=EXPIRES, log=LogTrust(ORIGIN, ()), keys=[], principals=[], roles=[]
        )
    assert caught.value.code == "root-log"


SMALL = base64.b64encode(b"\1" + bytes(31)).decode()
CASES = [
    ({"format": "assaymark:root/v2"}, "root-format", "$.format"),
    ({"extra": 1}, "root-form", "$"),
    ({"log": ...}, "root-form", "$"),
    ({"tenant": "Default"}, "root-name", "$.tenant"),
    ({"tenant": 1}, "root-name", "$.tenant"),
    ({"version": 0}, "root-form", "$.version"),
    ({"version": True}, "root-form", "$.version"),
    ({"version": "1"}, "root-form", "$.version"),
    ({"expires": "soon"}, "root-form", "$.expires"),
    ({"expires": 1}, "root-form", "$.expires"),
    ({"keys": []}, "root-form", "$.keys"),
    ({f"keys__{ALICE}__scheme": "rsa"}, "root-key", f"$.keys.{ALICE}.scheme"),
    ({f"keys__{ALICE}__public": "AAAA"}, "root-key", f"$.keys.{ALICE}.public"),
    ({f"keys__{ALICE}__public": SMALL}, "root-key", f"$.keys.{ALICE}.public"),
    ({f"keys__{ALICE}__public": "!"}, "root-form", f"$.keys.{ALICE}.public"),
    ({f"keys__{ALICE}__public": 5}, "root-form", f"$.keys.{ALICE}.public"),
    ({f"keys__{ALICE}__note": "x"}, "root-form", f"$.keys.{ALICE}"),
    ({f"keys__{ALICE}": edited()["keys"][SCANNER]}, "root-key", f"$.keys.{ALICE}"),
    ({"principals__alice__keys": [SCANNER]}, "root-principal", "$.principals.scanner.keys"),
    ({"principals__alice__keys": []}, "root-key", f"$.keys.{ALICE}"),
    ({"principals__alice__keys": ["0" * 64]}, "root-principal", "$.principals.alice.keys"),
    ({"principals__alice__keys": [ALICE, ALICE]}, "root-canonical", "$.principals.alice.keys"),
    ({"principals__alice__keys": [1]}, "root-form", "$.principals.alice.keys"),
    ({"principals__alice__kind": "robot"}, "root-principal", "$.principals.alice.kind"),
    ({"principals__alice__registeredBy": "bob"}, "root-principal", "$.principals.alice"),
    ({"principals__scanner__registeredBy": ...}, "root-principal", "$.principals.scanner"),
    ({"principals__scanner__registeredBy": "nobody"}, "root-principal", "$.principals.scanner.registeredBy"),
    ({"principals__scanner__registeredBy": "scanner"}, "root-principal", "$.principals.scanner.registeredBy"),
    ({"principals__scanner__registeredBy": ["alice"]}, "root-form", "$.principals.scanner.registeredBy"),
    ({"principals__Eve": {"keys": [], "kind": "person"}}, "root-name", "$.principals.Eve"),
    ({"principals__eve": 1}, "root-form", "$.principals.eve"),
    ({"roles__root": ...}, "root-role", "$.roles.root"),
    ({"roles__policy__threshold": ...}, "root-role", "$.roles.policy"),
    ({"roles__root__threshold": 0}, "root-role", "$.roles.root.threshold"),
    ({"roles__root__threshold": 3}, "root-role", "$.roles.root.threshold"),
    ({"roles__root__threshold": True}, "root-role", "$.roles.root.threshold"),
    ({"roles__approver__threshold": None}, "root-role", "$.roles.approver.threshold"),
    ({"roles__root__principals": ["alice", "zed"]}, "root-role", "$.roles.root.principals"),
    ({"roles__root__principals": ["bob", "alice"]}, "root-canonical", "$.roles.root.principals"),
    ({"roles__Root": {"principals": []}}, "root-name", "$.roles.Root"),
    ({"log__origin": "a b"}, "root-log", "$.log.origin"),
    ({"log__origin": "a+b"}, "root-log", "$.log.origin"),
    ({"log__origin": 1}, "root-log", "$.log.origin"),
    ({"log__keys": []}, "root-log", "$.log.keys"),
    ({"log__keys": ["x"]}, "root-log", "$.log.keys[0]"),
    ({"log__keys": [vkey(public("log"), "other.example.com")]}, "root-log", "$.log.keys[0]"),
    ({"log__keys": [vkey(public("log"))[:-4] + "AAAA"]}, "root-log", "$.log.keys[0]"),
    ({"log__keys": [vkey(PublicKey("ed25519", b"\1" + bytes(31)))]}, "root-log", "$.log.keys[0]"),
    ({"log__keys": [vkey(public("alice"))]}, "root-log", "$.log.keys[0]"),
]


@pytest.mark.parametrize(("changes", "code", "position"), CASES)
def test_what_is_wrong_is_named(changes, code, position):
    error = refused(edited_payload(**changes))
    assert (error.code, error.position) == (code, position)


def test_the_log_key_belongs_to_no_principal():
    error = refused(edited_payload(log__keys=[vkey(public("scanner"))]))
    assert error.message == "the log's key belongs to no principal"


def test_a_log_key_of_another_type_is_refused():
    blob = b"\x04" + public("log").public
    digest = hashlib.sha256(ORIGIN.encode() + b"\n" + blob).hexdigest()[:8]
    text = f"{ORIGIN}+{digest}+{base64.b64encode(blob).decode()}"
    assert refused(edited_payload(log__keys=[text])).code == "root-log"


def test_there_is_one_spelling():
    payload = root_payload()
    assert refused(payload + b"\n").code == "root-canonical"
    assert refused(json.dumps(json.loads(payload)).encode()).code == "root-canonical"
    assert refused(b"[]").code == "json-type"
    assert refused(b'{"a": 1.5}').code == "json-float"


def test_limits(monkeypatch):
    assert refused(b" " * (ROOT_MAX_BYTES + 1)).code == "json-size"
    payload = root_payload()
    monkeypatch.setattr(module, "ROOT_MAX_KEYS", 3)
    assert refused(payload).code == "root-limit"


def test_a_name_that_would_break_a_terminal_is_shown_escaped():
    error = refused(edited_payload(**{"principals__\x1b[2J": {"keys": [], "kind": "person"}}))
    assert error.position.isprintable()


def test_a_person_may_hold_no_key_and_two_keys():
    keys = [public(name) for name in ("alice", "bob", "bob-2", "scanner")]
    people = [
        Principal("alice", (key_of("alice"),)),
        Principal("bob", (key_of("bob-2"), key_of("bob"))),
        Principal("zoe", ()),
        Principal("scanner", (key_of("scanner"),), "workload", "zoe"),
    ]
    roles = [Role("root", ("alice", "bob"), 1), Role("policy", ("alice",), 1)]
    root = parse_root(root_payload(keys=keys, principals=people, roles=roles))
    assert len(root.principals["bob"].keys) == 2
    assert root.roles_of("zoe") == frozenset()
