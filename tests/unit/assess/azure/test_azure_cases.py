"""What Azure's documentation says of access, case by case (cases/*.toml), asked of ``Access``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from assaymark.assess.azure.evaluate import Access
from assaymark.assess.azure.roles import OWNER
from assaymark.assess.estate.azure import Assignment, Azure, DenyAssignment, Permission, RoleDefinition
from assaymark.core.graph import Because, State

FOLDER = Path(__file__).parent / "cases"
BECAUSE = Because("assignments.json", 1, "0" * 64)
GROUPS = "/providers/microsoft.management/managementgroups"
RG = "/subscriptions/sub/resourcegroups/rg"
SCOPES = {
    "/": "/",
    "root": f"{GROUPS}/root",
    "ml": f"{GROUPS}/ml",
    "sub": "/subscriptions/sub",
    "other": "/subscriptions/other",
    "rg": RG,
    "rg2": f"{RG}2",
    "st": f"{RG}/providers/microsoft.storage/storageaccounts/st",
    "c": f"{RG}/providers/microsoft.storage/storageaccounts/st/blobservices/default/containers/c",
    "kv": f"{RG}/providers/microsoft.keyvault/vaults/kv",
    "vm": f"{RG}/providers/microsoft.compute/virtualmachines/vm",
    "id": f"{RG}/providers/microsoft.managedidentity/userassignedidentities/id",
}
REQUEST = "@request[microsoft.authorization/roleassignments:"
ATTRIBUTES = {
    f"{REQUEST}roledefinitionid]": OWNER,
    f"{REQUEST}principaltype]": "User",
    f"{REQUEST}principalid]": "a",
}
CONTAINER = {
    "@resource[microsoft.storage/storageaccounts:name]": "st",
    "@resource[microsoft.storage/storageaccounts/blobservices/containers:name]": "c",
}
CUSTOM = RoleDefinition(
    "custom",
    "custom",
    (
        Permission(
            ("Microsoft.Compute/*/action",),
            ("Microsoft.Compute/virtualMachines/runCommand/action",),
            ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*",),
            ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",),
        ),
    ),
    BECAUSE,
)


def cases():
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text())
        for group in data.get("group", []):
            for index, row in enumerate(group["rows"]):
                yield {
                    "id": f"{group['id']}-{index}",
                    "why": group["why"],
                    "assignments": [row[:4]],
                    "ask": row[4:7],
                    "expect": row[7],
                }
        yield from data.get("case", [])


ALL = list(cases())


def estate(case) -> Azure:
    found = Azure()
    found.parents = {SCOPES["ml"]: SCOPES["root"], SCOPES["sub"]: SCOPES["ml"]}
    found.groups = {"g": {"a": BECAUSE}, "outer": {"g": BECAUSE}}
    found.roles["custom"] = CUSTOM
    for principal, role, scope, condition in case["assignments"]:
        found.assignments.append(Assignment(principal, role.lower(), SCOPES[scope], BECAUSE, condition or None))
    for one in case.get("denies", ()):
        found.denies = found.denies or []
        permission = Permission(tuple(one["actions"]), tuple(one.get("not_actions", ())))
        found.denies.append(
            DenyAssignment(
                SCOPES[one["scope"]],
                tuple(one["principals"]),
                tuple(one.get("except", ())),
                (permission,),
                BECAUSE,
                one.get("children", True),
            )
        )
    return found


def test_there_are_enough_and_each_has_its_name():
    assert len(ALL) >= 75
    assert len({case["id"] for case in ALL}) == len(ALL)


@pytest.mark.parametrize("case", ALL, ids=[case["id"] for case in ALL])
def test_case(case):
    principal, written, place = case["ask"]
    action = written.removeprefix("data:")
    attributes = ATTRIBUTES | (CONTAINER if place == "c" else {})
    answer = Access(estate(case)).can(principal, action, SCOPES[place], data=action != written, attributes=attributes)
    assert answer.state is State(case["expect"]), (case["why"], answer)
    assert bool(answer.decides) == (answer.state is State.UNKNOWN), answer
    if answer.state is not State.NO:
        assert answer.because
