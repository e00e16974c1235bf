"""A folder of two clouds: what the organisation forbids, what is only eligible and what a template leaves open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import cli

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
OWNER = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
MANAGER = "//cloudresourcemanager.googleapis.com"
BUCKET = "storage.googleapis.com/Bucket"
ELIGIBLE = {
    "value": [
        {
            "id": f"{SUB}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances/1",
            "type": "Microsoft.Authorization/roleEligibilityScheduleInstances",
            "properties": {
                "scope": SUB,
                "roleDefinitionId": OWNER,
                "principalId": "eve",
                "principalType": "User",
                "expandedProperties": {"principal": {"displayName": "eve@acme.example"}},
            },
        }
    ]
}
TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "parameters": {"logs": {"type": "bool"}, "tier": {"type": "string", "defaultValue": "prod"}},
    "resources": [
        {
            "type": "Microsoft.Storage/storageAccounts",
            "name": "[format('weights{0}', copyIndex())]",
            "copy": {"name": "accounts", "count": 2},
            "properties": {"allowSharedKeyAccess": False},
        },
        {
            "type": "Microsoft.Storage/storageAccounts",
            "name": "scratch",
            "condition": "[not(equals(parameters('tier'), 'prod'))]",
            "properties": {},
        },
        {
            "type": "Microsoft.Storage/storageAccounts",
            "name": "logs",
            "condition": "[parameters('logs')]",
            "properties": {"allowSharedKeyAccess": False},
        },
    ],
}


def public(name: str) -> dict[str, object]:
    return {
        "name": f"//storage.googleapis.com/{name}",
        "assetType": BUCKET,
        "project": "projects/7",
        "resource": f"//storage.googleapis.com/{name}",
        "policy": {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]},
    }


PROJECTS = [
    {"projectId": "acme-ml", "projectNumber": "7", "parent": {"type": "organization", "id": "1"}},
    {"projectId": "acme-web", "projectNumber": "9", "parent": {"type": "organization", "id": "1"}},
]
POLICIES = [
    {"name": "organizations/1/policies/storage.publicAccessPrevention", "spec": {"rules": [{"enforce": True}]}},
    {"name": "projects/9/policies/storage.publicAccessPrevention", "spec": {"rules": [{"enforce": False}]}},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "azure/eligible.json": ELIGIBLE,
        "azure/main.json": TEMPLATE,
        "google/projects.json": PROJECTS,
        "google/policies.json": POLICIES,
        "google/allows.json": [public("closed"), {**public("site"), "project": "projects/9"}],
    }
    for name, value in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value))
    return tmp_path


def test_what_is_forbidden_what_is_eligible_and_what_is_open(folder: Path) -> None:
    done = cli("assess", folder, "--format", "json", "--fail-on", "none")
    report = json.loads(done.out)
    public_data = [one["message"] for one in report["findings"] if one["rule"] == "gcp-public-data"]
    assert len(public_data) == 1
    assert "site" in public_data[0]
    assert [gap for gap in report["gaps"] if "storageAccounts logs is made is not decided" in gap]
    assert not [gap for gap in report["gaps"] if "weights" in gap or "scratch" in gap]


@pytest.mark.parametrize(
    ("name", "code"),
    [("11111111-1111-1111-1111-111111111111:administrator", 3), ("weights0", 0), ("weights1", 0), ("scratch", 2)],
)
def test_what_an_eligible_role_opens_is_not_closed_and_what_is_not_made_is_not_there(
    folder: Path, name: str, code: int
) -> None:
    """The template goes to another subscription than the role is for, as far as the files say."""
    target = f"azure:{name}" if ":" in name else name
    done = cli("assess", folder, "--isolated", "azure:principal:eve", target, "--format", "json")
    assert done.code == code, done.out + done.err
    if code == 3:
        assert json.loads(done.out)["decides"] == ["the eligible role is activated"]
