"""What Google Cloud's documentation says of access, case by case (cases/*.toml), asked of ``Access``."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assaymark.assess.estate.gcp import IAM, MANAGER, Account, Binding, DenyRule, Gcp, Resource, Role
from assaymark.assess.gcp.evaluate import Access
from assaymark.core.graph import Because, State

FOLDER = Path(__file__).parent / "cases"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BECAUSE = Because("policy.json", 1, "0" * 64)
PLACES = {
    "org": f"{MANAGER}organizations/1",
    "folder": f"{MANAGER}folders/10",
    "project": f"{MANAGER}projects/p",
    "other": f"{MANAGER}projects/other",
    "bucket": "//storage.googleapis.com/b",
    "secret": "//secretmanager.googleapis.com/projects/p/secrets/s",
    "dataset": "//bigquery.googleapis.com/projects/p/datasets/d",
    "key": "//cloudkms.googleapis.com/projects/p/locations/eu/keyRings/r/cryptoKeys/k",
    "service": "//run.googleapis.com/projects/p/locations/eu/services/r",
    "topic": "//pubsub.googleapis.com/projects/p/topics/t",
    "sa": f"{IAM}projects/p/serviceAccounts/sa@p.iam.gserviceaccount.com",
}
KINDS = {
    "bucket": "storage:bucket",
    "secret": "secretmanager:secret",
    "dataset": "bigquery:dataset",
    "key": "cloudkms:key",
    "service": "run:service",
    "topic": "pubsub:topic",
}


def cases():
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        for group in data.get("group", []):
            for index, row in enumerate(group["rows"]):
                yield {
                    "id": f"{group['id']}-{index}",
                    "why": group["why"],
                    "bindings": [row[:4]],
                    "ask": row[4:7],
                    "expect": row[7],
                }
        yield from data.get("case", [])


ALL = list(cases())


def estate(case) -> Gcp:
    found = Gcp()
    found.parents = {
        PLACES["folder"]: PLACES["org"],
        PLACES["project"]: PLACES["folder"],
        **{PLACES[name]: PLACES["project"] for name in KINDS},
    }
    for name, kind in KINDS.items():
        found.resources[PLACES[name]] = Resource(PLACES[name], kind, "p", BECAUSE)
    found.accounts["sa@p.iam.gserviceaccount.com"] = Account("sa@p.iam.gserviceaccount.com", "p", BECAUSE)
    found.numbers = {"123": "p"}
    found.groups = {
        "group:g@x.com": {"user:in-g@x.com": BECAUSE},
        "group:outer@x.com": {"group:g@x.com": BECAUSE},
    }
    found.roles["projects/p/roles/reader"] = Role("projects/p/roles/reader", ("storage.objects.get",), BECAUSE)
    for place, role, member, condition in case["bindings"]:
        found.bindings.append(Binding(PLACES[place], role, (member,), BECAUSE, condition or None))
    for one in case.get("denies", ()):
        found.denies = found.denies or []
        found.denies.append(
            DenyRule(
                PLACES[one["on"]],
                tuple(one["principals"]),
                tuple(one["permissions"]),
                BECAUSE,
                tuple(one.get("except_principals", ())),
                tuple(one.get("except_permissions", ())),
                one.get("condition"),
            )
        )
    return found


def test_there_are_enough_and_each_has_its_name():
    assert len(ALL) >= 90
    assert len({case["id"] for case in ALL}) == len(ALL)


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_case(case):
    member, permission, place = case["ask"]
    answer = Access(estate(case), NOW).can(member, permission, PLACES[place])
    assert answer.state is State(case["expect"]), (case["why"], answer)
    assert bool(answer.decides) == (answer.state is State.UNKNOWN), answer
    if answer.state is not State.NO:
        assert answer.because
