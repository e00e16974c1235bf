"""A team's own cases for its policy: what the log holds, what is asked, and what must come out.

Format: docs/spec/policy-cases.md. The statements are as if they had been signed and logged. They serve ``run_case``
alone, whose result is no decision: nothing supposed here is ever signed, logged or enforced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.attestation import Attestation, Signer
from assaymark.core.decision import DEFAULT_TENANT, LogPosition, Outcome, Reason, Request, Scope, TrustState
from assaymark.core.digest import digest_hex, sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import CASES_MAX, CASES_MAX_BYTES, POLICY_MAX_VALUES
from assaymark.core.names import NAME_FORM, is_name
from assaymark.core.provenance import RECORD_BUILD
from assaymark.core.statement import (
    APPROVAL,
    ASSESSMENT,
    CONFIGURATION,
    CONTAINMENT,
    CONVERSION,
    DATASET,
    EXCEPTION,
    IN_TOTO_PAYLOAD_TYPE,
    OPINION,
    PROVENANCE,
    RELEASE,
    SCAN,
    Signature,
    is_predicate_type,
    make_envelope,
    make_statement,
)
from assaymark.core.subject import Subject
from assaymark.core.times import MAX_TIME, parse_time
from assaymark.policy import form
from assaymark.policy.decide import decide

if TYPE_CHECKING:
    from assaymark.policy.document import Policy

CASES_FORMAT: Final = "assaymark:policy-cases/v1"
KINDS: Final = ("model", "dataset", "configuration", "policy")
OUTCOMES: Final = ("PERMIT", "DENY", "INDETERMINATE")
SHORT_TYPES: Final = {
    "approval": APPROVAL,
    "assessment": ASSESSMENT,
    "configuration": CONFIGURATION,
    "containment": CONTAINMENT,
    "conversion": CONVERSION,
    "dataset": DATASET,
    "exception": EXCEPTION,
    "opinion": OPINION,
    "provenance": PROVENANCE,
    "release": RELEASE,
    "scan": SCAN,
}
SUBJECT: Final = "subject"
RELATED: Final = {"base": "model", "configuration": "configuration", "data": "dataset"}
_SCOPED: Final = (APPROVAL, CONTAINMENT, EXCEPTION, RELEASE)
_SAY_AFTER: Final = (APPROVAL, CONTAINMENT, EXCEPTION, OPINION)
_CASE_KEYS: Final = ("name", "environment", "tenant", "subject", "now", "statements", "expect", "unmet")
_STATEMENT_KEYS: Final = ("type", "about", "predicate", "signers", "parents", "logged")
_ORIGIN: Final = "policy-cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One question, and the answer that the team wants. ``unmet`` None when it does not matter which are.

    ``attestations`` are suppositions; no signature stands behind them.
    """

    name: str
    request: Request
    now: int
    attestations: tuple[Attestation, ...]
    expect: Outcome
    unmet: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one file. ``policy`` is the policy's file as written there, relative to it; empty for none."""

    policy: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came out. ``problems`` is empty when the case passed; ``unmet`` are the requirements that stop it."""

    case: Case
    outcome: Outcome
    unmet: tuple[str, ...]
    reasons: tuple[Reason, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all came out as the team wants it."""
        return not self.problems


def parse_cases(data: bytes) -> Cases:
    """Read a file of cases. Every key is known, every value has the type that the format gives it.

    Raises:
        InputError: the codes of ``parse_policy``, or a ``json-*`` code for a predicate that could not be signed, with
            the TOML path as position.
    """
    document = form.load(data, CASES_MAX_BYTES)
    form.check_format(document, CASES_FORMAT, "a file of cases")
    form.check_keys(document, ("format", "policy", "cases"), "")
    items = form.typed(document, "cases", list, "")
    if not items:
        raise form.refused("policy-missing", "there is no case: a test of nothing passes nothing", "cases")
    cases: list[Case] = []
    budget = CASES_MAX
    for i, item in enumerate(items):
        path = f"cases[{i}]"
        table = form.table(item, path)
        budget -= 1 + len(form.typed(table, "statements", list, path, default=[]))
        if budget < 0:
            raise form.refused("policy-limit", f"more than {CASES_MAX} cases and statements", path)
        case = _case(table, path)
        if any(case.name == other.name for other in cases):
            raise form.refused("policy-id", f"the case {case.name!r} occurs twice", f"{path}.name")
        cases.append(case)
    return Cases(form.text(document, "policy", ""), tuple(cases))


def run_case(policy: Policy, policy_digest: str, case: Case) -> CaseResult:
    """Decide a case under a policy, and say where the decision differs from what the team wants."""
    trust = TrustState(1, sha256_digest(b""), MAX_TIME)
    position = LogPosition(_ORIGIN, len(case.attestations), "0" * 64)
    decision = decide(policy, policy_digest, case.attestations, case.request, case.now, trust, position)
    unmet = tuple(reason.requirement for reason in decision.reasons if reason.stops)
    problems: list[str] = []
    if decision.outcome is not case.expect:
        problems.append(f"expected {case.expect}, and it is {decision.outcome}")
    if case.unmet is not None:
        problems += [f"{name} is met, and was expected not to be" for name in case.unmet if name not in unmet]
        problems += [f"{name} is not met, and was expected to be" for name in unmet if name not in case.unmet]
    return CaseResult(case, decision.outcome, unmet, decision.reasons, tuple(problems))


def _case(table: dict[str, Any], path: str) -> Case:
    form.check_keys(table, _CASE_KEYS, path)
    name = form.printable(form.typed(table, "name", str, path), f"{path}.name")
    scope = Scope(_name(table, "tenant", path, DEFAULT_TENANT), _name(table, "environment", path, None))
    kind = form.choice(table, "subject", path, KINDS)
    subject = Subject(name, sha256_digest(b"subject"), kind)
    now = _time(table, "now", path, None)
    form.typed(table, "expect", str, path)
    unmet = form.names(table, "unmet", path) if table.get("unmet") != [] and "unmet" in table else ()
    attestations = tuple(
        _statement(item, f"{path}.statements[{i}]", i, subject, scope, now)
        for i, item in enumerate(table.get("statements", ()))
    )
    return Case(
        name,
        Request(subject, scope),
        now,
        attestations,
        Outcome(form.choice(table, "expect", path, OUTCOMES)),
        unmet if "unmet" in table else None,
    )


def _statement(item: Any, path: str, position: int, own: Subject, scope: Scope, now: int) -> Attestation:
    table = form.table(item, path)
    form.check_keys(table, _STATEMENT_KEYS, path)
    name = form.typed(table, "type", str, path)
    predicate_type = SHORT_TYPES.get(name, name)
    if not is_predicate_type(predicate_type):
        known = ", ".join(SHORT_TYPES)
        raise form.refused("policy-value", f"a type is one of {known}, or a URI", f"{path}.type")
    about = table.get("about", SUBJECT)
    refs = about if isinstance(about, list) else [about]
    if not 0 < len(refs) <= POLICY_MAX_VALUES:
        raise form.refused("policy-value", f"a statement is about 1 to {POLICY_MAX_VALUES} subjects", f"{path}.about")
    subjects = tuple(_related(ref, own, f"{path}.about") for ref in refs)
    predicate = dict(form.typed(table, "predicate", dict, path, default={}))
    if predicate_type in _SCOPED:
        predicate = {"environment": scope.environment, "tenant": scope.tenant} | predicate
    if predicate_type in _SAY_AFTER:
        predicate = {"afterEntry": position} | predicate
    if predicate_type == PROVENANCE:
        predicate = _provenance(predicate, _parents(table, own, path))
    elif "parents" in table:
        raise form.refused("policy-value", "only provenance names parents", f"{path}.parents")
    signers = tuple(
        sorted(
            (
                _signer(entry, f"{path}.signers[{i}]")
                for i, entry in enumerate(form.typed(table, "signers", list, path, default=[]))
            ),
            key=lambda signer: signer.principal,
        )
    )
    if len({signer.key_id for signer in signers}) != len(signers):
        raise form.refused("policy-value", "a principal signs a statement once", f"{path}.signers")
    try:
        statement = make_statement(subjects, predicate_type, predicate)
    except InputError as error:
        raise form.refused(error.code, error.message, f"{path}.predicate", error.remedy) from None
    signatures = tuple(Signature(signer.key_id, b"") for signer in signers)
    envelope = make_envelope(IN_TOTO_PAYLOAD_TYPE, statement.payload, signatures)
    return Attestation(statement, envelope, signers, position, _time(table, "logged", path, now))


def _signer(item: Any, path: str) -> Signer:
    table = form.table(item, path)
    form.check_keys(table, ("principal", "roles", "registered-by"), path)
    principal = _name(table, "principal", path, None)
    roles = form.names(table, "roles", path) if table.get("roles", []) != [] else ()
    registered_by = _name(table, "registered-by", path, "")
    kind = "workload" if registered_by else "person"
    return Signer(principal, f"key of {principal}", frozenset(roles), kind, registered_by)


def _related(ref: Any, own: Subject, path: str) -> Subject:
    """The case's own subject, or another one by what it is to it and a name, such as ``data:customers``."""
    if ref in (SUBJECT, own.kind):
        return own
    relation, _, name = ref.partition(":") if isinstance(ref, str) else ("", "", "")
    if relation not in RELATED or not is_name(name):
        forms = ", ".join(f"{relation}:NAME" for relation in RELATED)
        raise form.refused("policy-value", f"expected {SUBJECT}, {own.kind}, {forms}", path)
    return Subject(name, sha256_digest(f"{relation}:{name}".encode()), RELATED[relation])


def _parents(table: dict[str, Any], own: Subject, path: str) -> list[dict[str, Any]]:
    refs = form.typed(table, "parents", list, path, default=[])
    if len(refs) > POLICY_MAX_VALUES:
        raise form.refused("policy-limit", f"more than {POLICY_MAX_VALUES} parents", f"{path}.parents")
    parents = [_related(ref, own, f"{path}.parents[{i}]") for i, ref in enumerate(refs)]
    return [
        {
            "annotations": {"how": "declared", "kind": parent.kind},
            "digest": {"sha256": digest_hex(parent.digest)},
            "name": parent.name,
        }
        for parent in parents
    ]


def _provenance(predicate: dict[str, Any], parents: list[dict[str, Any]]) -> dict[str, Any]:
    """The predicate with the parents added, and with what SLSA provenance must have where it is not said."""
    definition = predicate.get("buildDefinition", {})
    details = predicate.get("runDetails", {"builder": {"id": _ORIGIN}})
    if not isinstance(definition, dict):
        return predicate  # provenance that nobody can read is a case too
    there = definition.get("resolvedDependencies", [])
    dependencies = [*there, *parents] if isinstance(there, list) else there
    definition = {"buildType": RECORD_BUILD} | definition | {"resolvedDependencies": dependencies}
    return predicate | {"buildDefinition": definition, "runDetails": details}


def _name(table: dict[str, Any], key: str, path: str, default: str | None) -> str:
    name = str(form.typed(table, key, str, path, default=default))
    if name != default and not is_name(name):
        raise form.refused("policy-value", f"expected a name of the form {NAME_FORM}", f"{path}.{key}")
    return name


def _time(table: dict[str, Any], key: str, path: str, default: int | None) -> int:
    text = form.typed(table, key, str, path, default="" if default is not None else None)
    if default is not None and key not in table:
        return default
    try:
        return parse_time(text)
    except InputError as error:
        raise form.refused("policy-value", error.message, f"{path}.{key}", error.remedy) from None
