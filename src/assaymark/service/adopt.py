"""Adopt what is in service: log what was found as it is, with exceptions that end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode
from assaymark.core.errors import AssaymarkError, UsageError
from assaymark.core.statement import CONTAINMENT, EXCEPTION, SCAN, make_statement
from assaymark.core.words import counted
from assaymark.policy.conditions import Says, says
from assaymark.policy.containment import containment_state
from assaymark.policy.document import NEVER_EXCEPTED, About
from assaymark.policy.predicates import exception_predicate
from assaymark.scanning.identity.identified import DATA
from assaymark.service.attest import check_exception, check_schema
from assaymark.service.inventory import stamps
from assaymark.service.principals import principal_in
from assaymark.service.publish import publish, sign_statement
from assaymark.service.submit import release_statements, scan_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.core.decision import Reason
    from assaymark.core.statement import Statement
    from assaymark.core.subject import Manifest
    from assaymark.keys.signers import Signer
    from assaymark.policy.document import Environment, ExceptionRule, Requirement
    from assaymark.service.evidence import Evidence
    from assaymark.service.inventoried import Model
    from assaymark.service.model_standing import Standings
    from assaymark.service.workspace import Workspace

# Models logged in one append: what is not yet logged when the power fails is adopted by the next run.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose word models are adopted, why, until when (seconds), and whether unsafe ones are too."""

    owner: str
    reason: str
    until: int
    include_unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is done about one model in one environment: ``adopt``, ``skip`` (nothing is to do) or ``refuse``.

    ``requirements`` are excepted; empty when the model meets all that is asked for. ``why`` explains the other two.
    """

    model: Model
    environment: str
    action: str
    requirements: tuple[str, ...] = ()
    why: str = ""


def plan_adoption(
    models: Sequence[Model], standings: Standings, signers: Sequence[Signer], terms: Terms, now: int
) -> list[Adoption]:
    """What ``adopt`` will do, and with whose signatures; nothing is logged.

    Raises:
        UsageError: ``adopt-signers`` when the signers are not enough for an exception that is needed,
            ``exception-until`` for an end that the policy does not allow, ``key-unknown`` or ``key-former``.
    """
    root = standings.evidence("").tree.root
    for signer in signers:
        principal_in(root, signer)
    plans = [
        _plan(model, standing.environment, standings, terms)
        for model in models
        if model.manifest is not None or model.problem
        for standing in model.standing or ()
    ]
    policy = standings.evidence("").policy
    for environment in {item.environment for item in plans if item.action == "adopt" and item.requirements}:
        needed = {name for item in plans if item.environment == environment for name in item.requirements}
        rule = check_exception(policy, environment, tuple(sorted(needed)), terms.until, now)
        _enough(rule, environment, signers, standings)
    return plans


def adopt(
    workspace: Workspace,
    plans: Sequence[Adoption],
    standings: Standings,
    signers: Sequence[Signer],
    terms: Terms,
    clock: Callable[[], int],
) -> list[Adoption]:
    """Log a release, the scan and the exception of each model to adopt; returns what was done.

    The three are appended in one batch, so an interrupted adoption leaves no model half adopted, and one made again
    adopts only what is still unknown. The files stay where they are; their manifests are kept.

    Raises:
        AssaymarkError: as the stores, the keys and the log raise.
    """
    done: list[Adoption] = []
    todo = [item for item in plans if item.action == "adopt"]
    service = workspace.signer(None, name="service")
    for start in range(0, len(todo), BATCH):
        envelopes, scanned = [], set()
        for item in todo[start : start + BATCH]:
            if not _unchanged(item.model):
                done.append(replace(item, action="refuse", why="it changed since it was looked at"))
                continue
            manifest = item.model.manifest
            if manifest is not None:
                workspace.blobs.put(manifest.to_bytes())
            for statement in _statements(item, standings, terms, clock()):
                if statement.predicate_type == SCAN:
                    if manifest is None or manifest.digest in scanned:
                        continue
                    scanned.add(manifest.digest)
                    envelopes.append(sign_statement(statement.payload, [service]))
                elif statement.predicate_type == EXCEPTION:
                    envelopes.append(sign_statement(statement.payload, signers))
                else:
                    envelopes.append(sign_statement(statement.payload, signers[:1]))
            done.append(item)
        if envelopes:
            publish(workspace, envelopes, clock())
    return [*done, *(item for item in plans if item.action != "adopt")]


def _plan(model: Model, environment: str, standings: Standings, terms: Terms) -> Adoption:
    def no(action: str, why: str) -> Adoption:
        return Adoption(model, environment, action, (), why)

    standing = next(item for item in model.standing if item.environment == environment)
    if model.found.kind == DATA:
        return no("skip", "plain data, not a model")
    if standing.submitted:
        return no("skip", "submitted there already")
    if model.problem or model.manifest is None or model.report is None:
        return no("refuse", model.problem or "it was not scanned")
    if model.unsafe and not terms.include_unsafe:
        return no("refuse", "its scan has findings of high severity: --include-unsafe adopts it all the same")
    evidence = standings.evidence(model.manifest.digest)
    there = evidence.policy.environment(environment)
    if there is None:
        return no("refuse", "the policy has no such environment")
    decision = evidence.decide(standings.request(model.subject, environment), standings.now)
    stands = [reason.requirement for reason in decision.reasons if reason.stops and _never(reason)]
    if stands:
        return no("refuse", f"there is no exception from {', '.join(stands)}")
    names = _unmet(there, decision.reasons, _scan_of(model, evidence, 0), model.manifest)
    if names and there.exceptions is None:
        return no("refuse", f"{', '.join(names)} would be unmet, and the policy lets nobody make exceptions there")
    return Adoption(model, environment, "adopt", names)


def _never(reason: Reason) -> bool:
    return reason.requirement in NEVER_EXCEPTED


def _unmet(there: Environment, reasons: Sequence[Reason], scan: Statement, manifest: Manifest) -> tuple[str, ...]:
    """The requirements that will be unmet once the release and the scan are logged; in doubt one is named.

    An exception from a requirement that turns out to be met changes nothing: it is used only where one is not.
    """
    stopped = {reason.requirement for reason in reasons if reason.stops}
    names = {item.id for item in there.require if item.mode is Mode.ENFORCE and _may_stop(item, stopped, manifest)}
    met = {item.id for item in there.require if _meets(item, scan)}
    lineage = {name for name in stopped if name not in {item.id for item in there.require}}
    return tuple(sorted((names - met) | lineage))


def _may_stop(requirement: Requirement, stopped: set[str], manifest: Manifest) -> bool:
    # The release binds the configurations in the folder, and then what is asked of those is asked.
    binds = requirement.about is About.CONFIGURATION and len(manifest.files) > 1
    return requirement.id in stopped or binds


def _meets(requirement: Requirement, scan: Statement) -> bool:
    return (
        requirement.predicate == SCAN
        and requirement.about is About.MODEL
        and requirement.threshold == 1
        and "scanner" in requirement.roles
        and says(requirement.where, scan.predicate)[0] is Says.YES
    )


def _scan_of(model: Model, evidence: Evidence, now: int) -> Statement:
    if model.report is None:
        raise ValueError("only what was scanned is adopted")
    after = max((item.position for item in evidence.own if item.statement.predicate_type == CONTAINMENT), default=-1)
    return scan_statement(model.subject, model.report, now, after_entry=after + 1)


def _statements(item: Adoption, standings: Standings, terms: Terms, now: int) -> list[Statement]:
    model, subject = item.model, item.model.subject
    request = standings.request(subject, item.environment)
    evidence = standings.evidence(subject.digest)
    if model.manifest is None:
        return []
    made = release_statements(subject, request.scope, model.manifest)
    made.append(_scan_of(model, evidence, now))
    if item.requirements:
        state = containment_state(evidence.policy, evidence.attestations, request)
        predicate = exception_predicate(
            request.scope,
            item.requirements,
            after_entry=state.after_entry,
            owner=terms.owner,
            reason=terms.reason,
            until=terms.until,
            origin=evidence.tree.checkpoint.origin,
        )
        check_schema(EXCEPTION, predicate)
        made.append(make_statement((subject,), EXCEPTION, predicate))
    return made


def _enough(rule: ExceptionRule, environment: str, signers: Sequence[Signer], standings: Standings) -> None:
    root = standings.evidence("").tree.root
    able = {
        name
        for name in (principal_in(root, signer) for signer in signers)
        if not root.roles_of(name).isdisjoint(rule.roles)
    }
    if len(able) < rule.threshold:
        roles = ", ".join(sorted(rule.roles))
        raise UsageError(
            "adopt-signers",
            f"an exception in {environment} needs {counted(rule.threshold, 'principal')} in role {roles};"
            f" {len(able)} would sign: nothing was logged",
            remedy="name the keys of those who may: --key file:NAME.key, once for each",
        )


def _unchanged(model: Model) -> bool:
    from pathlib import Path

    try:
        return stamps(Path(model.places[0])) == model.stamped
    except AssaymarkError:
        return False
