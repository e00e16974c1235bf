"""Assignments by schedule: what privileged identity management lets somebody activate, and what is active for a time.

An eligible role is not held until its principal activates it, which may take an approval: whether it is decides what
follows from it. Source: Azure REST API, "Role Eligibility Schedule Instances", "Role Assignment Schedule Instances",
"Role Eligibility Schedule Requests"; Microsoft Graph, "unifiedRoleEligibilityScheduleInstance resource type",
"privilegedAccessGroupEligibilityScheduleInstance resource type".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.documents import field, text
from assaymark.assess.estate.azure import DirectoryRole
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.azure.records import Records
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.files import SourceFile

ACTIVATED: Final = "the eligible role is activated"
MEMBERSHIP: Final = "the eligible membership of the group is activated"
_OVER: Final = ("revoked", "canceled", "denied", "failed", "admindenied", "timedout")
_REMOVES: Final = ("adminremove", "selfdeactivate")


def is_on(since: str, until: str, now: datetime | None) -> bool:
    """Whether a time lies between two texts of ISO 8601, each empty or not a time for none; no ``now``: it does."""
    if now is None:
        return True
    start, end = _time(since), _time(until)
    return (start is None or start <= now) and (end is None or now < end)


def _time(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_schedule(records: Records, file: SourceFile, value: Map) -> bool:
    """Adds what a schedule of a role or of a group's membership says; whether the document was one."""
    kind = f"{text(value, 'type')} {text(value, 'id')}".lower()
    eligible = "/roleeligibilityschedule" in kind
    if eligible or "/roleassignmentschedule" in kind:
        if "schedulerequests" not in kind:  # what was asked for once is in the schedules, if it came to anything
            _assigned(records, file, value, eligible=eligible)
        return True
    if text(value, "groupId") and text(value, "principalId") and text(value, "accessId"):
        return _member(records, file, value)
    if text(value, "principalId") and text(value, "roleDefinitionId") and text(value, "directoryScopeId"):
        return _directory(records, file, value)
    return False


def requested(records: Records, file: SourceFile, value: Map, scope: str, opened: tuple[str, ...]) -> None:
    """Adds what a template's request for a schedule comes to. ``opened``: what else makes it unknown."""
    if text(value, "requestType").lower() in _REMOVES:
        return
    eligible = "roleeligibility" in text(value, "type").lower()
    principal, role = text(value, "principalId"), text(value, "roleDefinitionId")
    if principal and role:
        condition = text(value, "condition") or None
        more = (ACTIVATED,) if eligible else ()
        records.assign(principal, role, scope, file.because(value.line), condition=condition, opened=(*opened, *more))


def _assigned(records: Records, file: SourceFile, value: Map, *, eligible: bool) -> None:
    principal, role, scope = text(value, "principalId"), text(value, "roleDefinitionId"), text(value, "scope")
    if not scope:
        scope = text(value, "id").lower().partition("/providers/microsoft.authorization/role")[0] or "/"
    if not principal or not role:
        records.reading.skip(file.path, "a schedule that does not say whose role it is", value.line)
        return
    if text(value, "status").lower() in _OVER:
        return
    expanded = field(value, "expandedProperties")
    who = expanded.get("principal") if isinstance(expanded, Map) else None
    records.assign(
        principal,
        role,
        scope,
        file.because(value.line),
        kind=text(value, "principalType"),
        name=str(who.get("displayName") or "") if isinstance(who, Map) else "",
        condition=text(value, "condition") or None,
        opened=(ACTIVATED,) if eligible else (),
        since=text(value, "startDateTime"),
        until=text(value, "endDateTime"),
    )


def scoped(scope: str) -> tuple[str, ...]:
    """What a scope within the directory, an administrative unit or one application, leaves open of a role."""
    return () if scope in ("", "/") else (f"{scope}, at which it has the role, holds the one in question",)


def _is_eligible(value: Map) -> bool:
    """Whether a schedule of Graph is of eligibility: an active one says how it was assigned."""
    scheduled = "memberType" in value or "scheduleInfo" in value or "eligibilityScheduleId" in value
    return (scheduled and "assignmentType" not in value) or "roleEligibilityScheduleId" in value


def _directory(records: Records, file: SourceFile, value: Map) -> bool:
    opened = (*scoped(text(value, "directoryScopeId")), *((ACTIVATED,) if _is_eligible(value) else ()))
    role = text(value, "roleDefinitionId").lower()
    found = DirectoryRole(text(value, "principalId").lower(), role, file.because(value.line), open=opened)
    if text(value, "status").lower() not in _OVER:
        records.estate.directory.append(found)
    return True


def _member(records: Records, file: SourceFile, value: Map) -> bool:
    """A membership of a group by schedule; an owner of a group may add itself."""
    groups = records.estate.eligible if _is_eligible(value) else records.estate.groups
    group = groups.setdefault(text(value, "groupId").lower(), {})
    group.setdefault(text(value, "principalId").lower(), file.because(value.line))
    return True


def times_of(resource: TfResource) -> tuple[str, str]:
    """When a scheduled assignment of Terraform starts and ends, as it is written; empty for what is not."""

    def written(block: Map, name: str) -> str:
        found: Any = block.get(name)
        return str(found) if isinstance(found, str) else ""

    for block in resource.blocks("schedule"):
        ends = block.get("expiration")
        inner = ends if isinstance(ends, list) else [ends]
        until = next((end for one in inner if isinstance(one, Map) and (end := written(one, "end_date_time"))), "")
        return written(block, "start_date_time"), until
    return "", ""
