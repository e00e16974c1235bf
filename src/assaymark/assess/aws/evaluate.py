"""Whether one request is allowed: AWS's policy evaluation logic over all that applies to it.

Source: IAM User Guide, "Policy evaluation logic", "How AWS enforcement code logic evaluates requests", "Cross-account
policy evaluation logic", "Permissions boundaries for IAM entities", "IAM JSON policy elements: NotPrincipal"; AWS
Organizations User Guide, "SCP evaluation" and "Resource control policies"; AWS KMS Developer Guide, "Key policies"
and "Grants". Deny, wherever it is, wins. Then each of these must allow: every level of service and resource control
policies, and

- in one account: the identity's policies within boundary and session policy, or a resource policy that names the
  principal itself (a user or a session: without regard to the boundary; a role: within it); naming the account leaves
  it to the identity's policies;
- a role's trust policy and a key's policy are needed in any case, and enough where they name the principal itself;
- across accounts: the resource's policy, and the identity's within its boundary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.aws import actions, patterns
from assaymark.assess.aws.answers import NOT, YES, Answer, Part, joined
from assaymark.assess.aws.conditions import evaluate_condition, variable
from assaymark.assess.aws.organisation import UNSPOKEN, Controls, allows
from assaymark.assess.aws.principals import named
from assaymark.assess.aws.request import SERVICE_LINKED, Context, is_own
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.aws.request import Principal, Request
    from assaymark.assess.estate.aws import Grant, PolicyDocument, Statement

_CROSSING: Final = "sts:assumerolewith"  # requests that nobody signs


@dataclass(frozen=True, slots=True)
class Applies:
    """What applies to a request.

    ``identity``: policies of the identity, those of its groups too; ``opaque`` names such whose text is not known.
    ``boundary`` and ``session`` limit them, and so does ``endpoint``, the policy of the VPC endpoint that the request
    goes through, with the statements that name the principal. ``resource``: the resource's policy, for a role its
    trust policy, for a key its key policy; ``resource_seen`` is False when the input does not have the resource, so
    that one may exist. ``scps`` and ``rcps``: the organisation's policies for the principal's and the resource's
    account. ``management``: the principal's account is the organisation's management account. ``trusted_account``: an
    identity that the input does not have, and whose account can give it what it likes.
    """

    identity: tuple[PolicyDocument, ...] = ()
    boundary: PolicyDocument | None = None
    session: tuple[PolicyDocument, ...] | None = None
    endpoint: PolicyDocument | None = None
    resource: PolicyDocument | None = None
    resource_seen: bool = True
    scps: Controls = UNSPOKEN
    rcps: Controls = UNSPOKEN
    management: bool = False
    opaque: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    trusted_account: bool = False


def action_state(statement: Statement, action: str) -> State:
    """Whether Action or NotAction means the action."""
    if statement.not_actions is not None:
        return _any(patterns.action_matches(one, action) for one in statement.not_actions).inverse()
    return _any(patterns.action_matches(one, action) for one in statement.actions)


def resource_state(statement: Statement, version: str, resource: str, context: Context, *, implied: bool) -> State:
    """Whether Resource or NotResource means the resource; ``implied``: a policy without either means its own."""
    excluded = statement.not_resources is not None
    values = statement.not_resources if statement.not_resources is not None else statement.resources
    if not values and not excluded:
        return State.YES if implied else State.NO
    found = State.NO
    for value in values:
        text = patterns.substitute(value, version, lambda name: variable(context(name)))
        if text is not None:
            found = found.either(patterns.arn_matches(text, resource))
    return found.inverse() if excluded else found


def _any(states: Iterable[State]) -> State:
    found = State.NO
    for state in states:
        if state is State.YES:
            return state
        found = found.either(state)
    return found


class _Evaluation:
    def __init__(self, request: Request, applies: Applies) -> None:
        self.request = request
        self.applies = applies
        self.context = Context(request)

    def match(self, statement: Statement, document: PolicyDocument, *, implied: bool = False) -> Part:
        """Whether the statement means the request, but for its principal."""
        request = self.request
        decides: list[str] = []
        action = action_state(statement, request.action)
        if action is State.NO:
            return NOT
        resource = resource_state(statement, document.version, request.resource, self.context, implied=implied)
        if resource is State.NO:
            return NOT
        condition, words = evaluate_condition(statement.condition, document.version, self.context)
        if condition is State.NO:
            return NOT
        if State.UNKNOWN in (action, resource):
            decides += _open_elements(statement, request, action, resource)
        decides += words
        state = action.both(resource).both(condition)
        if statement.effect == "Deny":
            decides = [f"denied if {text}" for text in decides]
        return Part(state, (statement,), tuple(decides) if state is State.UNKNOWN else ())

    def layer(self, documents: Iterable[PolicyDocument], effect: str) -> Part:
        """Whether some statement of that effect in policies without principals means the request."""
        found = []
        for document in documents:
            for statement in document.statements:
                if statement.effect == effect:
                    part = self.match(statement, document)
                    if part.state is State.YES:
                        return part
                    found.append(part)
        return NOT.either(*found)

    def perhaps(self, document: PolicyDocument, words: str) -> Part:
        """What a policy denies that may apply or not: nothing is denied for sure."""
        part = self.layer((document,), "Deny")
        if part.state is not State.YES:
            return part
        return Part(State.UNKNOWN, part.statements, (f"denied if {words}",))

    def resource_layer(self, effect: str) -> dict[str, Part]:
        """The same of the resource's policy, by how the principal is named."""
        ways = dict.fromkeys(("direct", "session", "everyone", "account"), NOT)
        document = self.applies.resource
        for statement in document.statements if document else ():
            if statement.effect != effect:
                continue
            how = named(statement, self.request.principal)
            if how.state is State.NO:
                continue
            part = self.match(statement, document, implied=True)  # type: ignore[arg-type]  # it has statements
            for way in ways:
                state = getattr(how, way)
                if state is not State.NO:
                    words = tuple(f"denied if {text}" for text in how.decides) if effect == "Deny" else how.decides
                    ways[way] = ways[way].either(part.both(Part(state, (statement,), words)))
        return ways


def _open_elements(statement: Statement, request: Request, action: State, resource: State) -> list[str]:
    found = []
    if action is State.UNKNOWN:
        values = statement.not_actions if statement.not_actions is not None else statement.actions
        found.append(f"{request.action} is {_shown(values)}")
    if resource is State.UNKNOWN:
        values = statement.not_resources if statement.not_resources is not None else statement.resources
        found.append(f"{patterns.readable(request.resource)} is {_shown(values)}")
    return found


def _shown(values: Iterable[str]) -> str:
    return " or ".join(str(value) for value in values)


def evaluate(request: Request, applies: Applies) -> Answer:
    """Whether the request is allowed, with the statements that decide it.

    Where it is not known if principal and resource are of one account, both are evaluated, and the answer is unknown
    when they differ.
    """
    run = _Evaluation(request, applies)
    assumes: dict[str, None] = {}
    denied = _denied(run)
    if denied.state is State.YES:
        return Answer(State.NO, denied.statements)
    controls = _controls(run, assumes)
    if controls.state is State.NO:
        return Answer(State.NO)
    same = _same(request)
    if same is None:
        one, other = _allowed(run, True, assumes), _allowed(run, False, assumes)
        allowed = one
        if one.state is not other.state:
            either = one.either(other)
            words = f"{request.resource} is in account {request.principal.account}"
            allowed = replace(either, state=State.UNKNOWN, decides=(*either.decides, words))
        elif one.state is State.UNKNOWN:
            allowed = joined(State.UNKNOWN, (one, other))
    else:
        allowed = _allowed(run, same, assumes)
    if allowed.state is State.NO:
        return Answer(State.NO)
    open_denial = Part(State.UNKNOWN, denied.statements, denied.decides)
    whole = allowed.both(controls, *([open_denial] if denied.state is State.UNKNOWN else []))
    if not applies.resource_seen and same and whole.state is State.YES:
        assumes[f"{request.resource} has no policy that denies it; the input does not hold that resource"] = None
    for name in applies.opaque:
        assumes[f"{name} does not deny it; the input does not hold its text"] = None
    return Answer(whole.state, whole.statements, whole.decides, tuple(assumes), whole.grants)


def denied_by(request: Request, policy: PolicyDocument) -> Part:
    """Whether the resource's own policy denies it, whatever else does."""
    run = _Evaluation(request, Applies(resource=policy))
    return NOT.either(*run.resource_layer("Deny").values())


def _same(request: Request) -> bool | None:
    """Whether principal and resource are of one account, which services and the anonymous never are."""
    if request.principal.kind in ("service", "anonymous", "federated"):
        return False
    if request.action.lower().startswith(_CROSSING):
        return False
    return is_own(request.principal, request.owner, request.resource)


def _exempt(principal: Principal) -> bool:
    return SERVICE_LINKED in principal.arn


def _denied(run: _Evaluation) -> Part:
    """Whether some statement denies it."""
    applies = run.applies
    documents = list(applies.identity)
    documents += [applies.boundary] if applies.boundary else []
    documents += applies.session or ()
    documents += [applies.endpoint] if applies.endpoint else []
    organised = [applies.scps] if _under_scps(run) else []
    organised += [applies.rcps] if _under_rcps(run) else []
    documents += [document for one in organised for level in one.levels for document in level]
    perhaps = [run.perhaps(document, words) for one in organised for document, words in one.perhaps]
    found = run.layer(documents, "Deny")
    return found.either(*run.resource_layer("Deny").values(), *perhaps)


def _under_scps(run: _Evaluation) -> bool:
    principal = run.request.principal
    signed = principal.kind in ("user", "role", "root")
    return signed and not _exempt(principal) and not run.applies.management


def _under_rcps(run: _Evaluation) -> bool:
    return not _exempt(run.request.principal) and actions.is_under_rcp(run.request.action)


def _controls(run: _Evaluation, assumes: dict[str, None]) -> Part:
    """Whether the organisation's policies let it be allowed."""
    applies, request = run.applies, run.request
    found = YES if applies.endpoint is None else run.layer((applies.endpoint,), "Allow")
    if _under_scps(run):
        if not applies.scps.spoken:
            account = request.principal.account
            assumes[f"no service control policy of account {account} forbids it; the input holds none"] = None
        else:
            found = found.both(_levels(run, applies.scps, "service control policy"))
    if _under_rcps(run):
        found = found.both(_levels(run, applies.rcps, "resource control policy"))
    return found


def _levels(run: _Evaluation, controls: Controls, what: str) -> Part:
    """Whether all levels of the organisation allow it, and what may be one more."""
    found = _sure(run, controls, what)
    for document, words in controls.perhaps:
        if not allows(document):
            continue
        part = run.layer((document,), "Allow")
        if part.state is State.NO and found.state is not State.NO:
            found = found.both(Part(State.UNKNOWN, (), (f"denied if {words}",)))
        elif found.state is State.NO and part.state is not State.NO:
            found = Part(State.UNKNOWN, part.statements, (words, *part.decides))
        elif part.state is State.UNKNOWN:
            found = found.both(part)
    return found


def _sure(run: _Evaluation, controls: Controls, what: str) -> Part:
    if controls.known:
        return YES.both(*(run.layer(level, "Allow") for level in controls.levels))
    parts = [run.layer((document,), "Allow") for document in controls.allowing()]
    if not parts:  # each level must have one that allows; the input left out the one that AWS attaches
        return YES
    everywhere, somewhere = YES.both(*parts), NOT.either(*parts)
    if everywhere.state is somewhere.state:
        return everywhere if everywhere.state is not State.UNKNOWN else joined(State.UNKNOWN, parts)
    words = f"every level of the organisation has a {what} that allows it"
    return Part(State.UNKNOWN, somewhere.statements, (*somewhere.decides, words))


def _identity(run: _Evaluation, assumes: dict[str, None]) -> tuple[Part, Part]:
    """What the identity's own policies allow, and what boundary and session policy let through."""
    applies, principal = run.applies, run.request.principal
    if principal.kind == "root":
        return YES, YES
    if applies.trusted_account:
        assumes[f"account {principal.account} allows {principal.arn} what it likes; the input does not hold it"] = (
            None
        )
        return YES, YES
    allowed = run.layer(applies.identity, "Allow")
    if applies.opaque and allowed.state is not State.YES:
        words = tuple(
            f"{name}, whose text is not in the input, allows {run.request.action}" for name in applies.opaque
        )
        allowed = allowed.either(Part(State.UNKNOWN, (), words))
    limit = YES
    if applies.boundary is not None:
        limit = limit.both(run.layer((applies.boundary,), "Allow"))
    if applies.session is not None:
        limit = limit.both(run.layer(applies.session, "Allow"))
    return allowed, limit


def _allowed(run: _Evaluation, same: bool, assumes: dict[str, None]) -> Part:
    """Whether the policies of identity and resource allow it, organisation and denials apart."""
    request, applies = run.request, run.applies
    kind = request.principal.kind
    ways = run.resource_layer("Allow")
    granted = _granted(run)
    if kind in ("service", "anonymous", "federated"):
        if not applies.resource_seen:
            return Part(State.UNKNOWN, (), (f"the policy of {request.resource} allows {request.principal.arn}",))
        return granted.either(*ways.values())
    if request.action.lower().startswith(_CROSSING):
        return NOT
    own, limit = _identity(run, assumes)
    path = own.both(limit)
    if not applies.resource_seen and (not same or request.on_role or request.on_key):
        words = f"the policy of {request.resource} lets {request.principal.arn} do {request.action}"
        return path.both(Part(State.UNKNOWN, (), (words,)))
    whole = ways["account"].either(ways["direct"], ways["session"], ways["everyone"])
    if not same:
        return granted.either(path.both(whole))
    directly = ways["session"].either(_direct(run, ways, limit))
    if request.on_role or request.on_key:
        if request.on_key and applies.resource is None:
            assumes[f"{request.resource} has the key policy that AWS gives by default"] = None
            whole = YES
        return granted.either(directly, path.both(whole))
    return granted.either(path, directly)


def _direct(run: _Evaluation, ways: dict[str, Part], limit: Part) -> Part:
    """What the resource's policy gives the principal within its account without any identity policy."""
    kind = run.request.principal.kind
    if kind in ("user", "root"):
        return ways["direct"].either(ways["everyone"])
    words = f"a policy that allows everyone is not limited by the boundary of {run.request.principal.arn}"
    unlimited = limit.either(Part(State.UNKNOWN, (), (words,)))
    return ways["direct"].both(limit).either(ways["everyone"].both(unlimited))


def _granted(run: _Evaluation) -> Part:
    """Whether a grant on a key allows it."""
    request = run.request
    if not request.on_key:
        return NOT
    found = []
    operation = request.action.partition(":")[2].lower()
    for grant in run.applies.grants:
        if grant.key != request.resource or operation not in (one.lower() for one in grant.operations):
            continue
        if patterns.arn_matches(patterns.literal(grant.grantee), request.principal.arn) is State.NO:
            continue
        if grant.constrained:
            words = (f"the encryption context of the request is the one of the grant to {grant.grantee}",)
            found.append(Part(State.UNKNOWN, (), words, (grant,)))
        else:
            found.append(Part(State.YES, (), (), (grant,)))
    return NOT.either(*found)
