"""Patches that give a pod a role of AWS by its service account, in place of a key in its manifest.

Nothing is written unless a role of the input trusts that service account already, and its account is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.trust import claimed
from assaymark.assess.edits import text_of_file
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.written import in_yaml, item_span, span
from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.network import keys_added
from assaymark.formats.located import Elsewhere, Map, Seq, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.kubernetes.pods import Pod

KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_NOTE: Final = "eks.amazonaws.com/role-arn"
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")


def federated(place: Place) -> list[Patch]:
    """The role in place of the keys of the container that has one on the finding's line."""
    found = _holders(place.estates).get((place.path, place.line))
    if found is None:
        return []
    pod, container = found
    roles = _roles(place.estates).get(f"system:serviceaccount:{pod.owner.namespace}:{pod.account}", [])
    account = place.estates.kubernetes.objects.get(f"k8s:{pod.owner.namespace}/serviceaccount/{pod.account}")
    if len(roles) != 1 or account is None or not in_yaml(account) or not isinstance(account.metadata, Map):
        return []
    role = roles[0]
    title = f"take on the role {role.rpartition('/')[2]} by the service account, without a key; revoke the key"
    removed = _without_keys(place, container, title)
    notes = account.metadata.get("annotations")
    if isinstance(notes, dict) and notes.get(_NOTE) == role:
        return removed
    lines = text_of_file(account.file).lines
    where = notes if isinstance(notes, Map) else account.metadata
    said = isinstance(notes, dict) and _NOTE in notes
    if said or (where is account.metadata and "annotations" in account.metadata):
        return []
    inserted = [f"{_NOTE}: {role}"] if where is not account.metadata else ["annotations:", f"  {_NOTE}: {role}"]
    patch = keys_added(account.file.path, lines, where, inserted, title)
    return [*removed, patch] if removed and patch is not None else []


def _without_keys(place: Place, container: Map, title: str) -> list[Patch]:
    env = container.get("env")
    if not isinstance(env, Seq):
        return []
    named = [index for index, one in enumerate(env) if isinstance(one, Map) and one.get("name") in KEYS]
    spans = [item_span(place.lines, env, index) for index in named]
    if len(named) == len(env):
        spans = [span(place.lines, container, "env")]
    found = []
    for one in spans:
        if one is None:
            return []
        found.append(Patch(title, place.path, one[0], one[1] - one[0] + 1, (), safe=False))
    return found


def _holders(estates: Estates) -> dict[tuple[str, int], tuple[Pod, Map]]:
    """The containers that have a key of AWS as a plain value, by the lines of the variable."""
    found: dict[tuple[str, int], tuple[Pod, Map]] | None = estates.indexes.get("keys of pods")
    if found is None:
        found = {}
        for pod in pod_specs(estates.kubernetes):
            for container in pod.containers() if in_yaml(pod.owner) else ():
                for item in listed(container.get("env")):
                    if isinstance(item, Map) and item.get("name") in KEYS and isinstance(item.get("value"), str):
                        for line in (item.line, item.at("name"), item.at("value")):
                            if not isinstance(line, Elsewhere):
                                found[pod.owner.file.path, line] = (pod, container)
        estates.indexes["keys of pods"] = found
    return found


def _roles(estates: Estates) -> dict[str, list[str]]:
    """The roles of a known account that trust each service account of a cluster, and no other subject."""
    found: dict[str, list[str]] | None = estates.indexes.get("roles of accounts")
    if found is None:
        found = {}
        for arn, who in sorted(estates.aws.identities.items()):
            if who.kind != "role" or who.trust is None or who.account == UNKNOWN_ACCOUNT or not _ROLE.fullmatch(arn):
                continue
            for statement in who.trust.statements:
                federated_by: Any = (statement.principals or {}).get("Federated", ())
                for provider in federated_by if statement.effect == "Allow" else ():
                    for subject in claimed(statement, provider, "sub"):
                        if arn not in found.setdefault(subject, []):
                            found[subject].append(arn)
        estates.indexes["roles of accounts"] = found
    return found
