"""``threat_model``: for each component, which techniques of MITRE ATLAS apply, by whom, and what stands against it.

Nothing here is a list of what might be: a technique applies to a component by what it is, it is *open* when an
entry of the graph reaches the component in the way that the technique needs, or a rule found it, and the controls
are those that the files show, with their lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kinds import CONTROL, INVOKE, NETWORK, READ, WRITE
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.servers import open_servers
from assaymark.assess.paths.closure import Closure
from assaymark.assess.paths.ranked import entries
from assaymark.assess.paths.search import Search
from assaymark.core.limits import ASSESS_MAX_THREATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.graph import States
    from assaymark.core.graph import Because, Node
    from assaymark.core.report import Finding

TACTICS: Final = {
    "AML.TA0000": "AI Model Access",
    "AML.TA0001": "AI Attack Staging",
    "AML.TA0004": "Initial Access",
    "AML.TA0006": "Persistence",
    "AML.TA0009": "Collection",
    "AML.TA0010": "Exfiltration",
    "AML.TA0011": "Impact",
    "AML.TA0012": "Privilege Escalation",
    "AML.TA0013": "Credential Access",
}


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique of MITRE ATLAS: its id, name, tactics, and the mode in which a component must be held."""

    id: str
    name: str
    tactics: tuple[str, ...]
    mode: str


_SUPPLY = Technique("AML.T0010", "AI Supply Chain Compromise", ("AML.TA0004",), WRITE)
_ACCOUNTS = Technique("AML.T0012", "Valid Accounts", ("AML.TA0004", "AML.TA0012"), CONTROL)
_MANIPULATE = Technique("AML.T0018", "Manipulate AI Model", ("AML.TA0006", "AML.TA0001"), WRITE)
_POISON = Technique("AML.T0020", "Poison Training Data", ("AML.TA0004", "AML.TA0006"), WRITE)
_EXTRACT = Technique("AML.T0024", "Exfiltration via AI Inference API", ("AML.TA0010",), INVOKE)
_DENY = Technique("AML.T0029", "Denial of AI Service", ("AML.TA0011",), INVOKE)
_COLLECT = Technique("AML.T0035", "AI Artifact Collection", ("AML.TA0009", "AML.TA0010"), READ)
_ACCESS = Technique("AML.T0040", "AI Model Inference API Access", ("AML.TA0000",), INVOKE)
_FULL = Technique("AML.T0044", "Full AI Model Access", ("AML.TA0000",), READ)
_EXPLOIT = Technique("AML.T0049", "Exploit Public-Facing Application", ("AML.TA0004",), NETWORK)
_CREDENTIALS = Technique("AML.T0055", "Unsecured Credentials", ("AML.TA0013",), READ)
_ESCAPE = Technique("AML.T0105", "Escape to Host", ("AML.TA0012",), CONTROL)

APPLIES: Final[dict[str, tuple[Technique, ...]]] = {
    "bucket": (_POISON, _COLLECT),
    "database": (_POISON, _COLLECT),
    "endpoint": (_ACCESS, _EXTRACT, _DENY),
    "function": (_EXPLOIT,),
    "key": (_CREDENTIALS,),
    "model": (_MANIPULATE, _FULL),
    "node": (_ESCAPE,),
    "port": (_EXPLOIT,),
    "registry": (_SUPPLY,),
    "managed-identity": (_ACCOUNTS,),
    "role": (_ACCOUNTS,),
    "secret": (_CREDENTIALS,),
    "service-account": (_ACCOUNTS,),
    "service-principal": (_ACCOUNTS,),
    "user": (_ACCOUNTS,),
    "volume": (_POISON, _COLLECT),
}


@dataclass(frozen=True, slots=True)
class Control:
    """Something that stands against a threat, and where it is written."""

    text: str
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Threat:
    """A technique on a component.

    ``by``: the entries that could use it, the worst first; ``perhaps`` those where an unknown condition decides.
    ``findings``: ids of rules that found it here.
    """

    component: Node
    technique: Technique
    by: tuple[str, ...]
    perhaps: tuple[str, ...]
    findings: tuple[str, ...]
    controls: tuple[Control, ...]

    @property
    def open(self) -> bool:
        """Whether somebody who should not could use it."""
        return bool(self.by or self.findings)


def threat_model(states: States, estates: Estates, findings: Iterable[Finding]) -> tuple[Threat, ...]:
    """All threats, open ones first, at most ``ASSESS_MAX_THREATS``. A tenant is no threat to what is its own."""
    strangers = [
        node for node in entries(states) if node.props["entry"] in ("internet", "outside", "tenant", "supply-chain")
    ]
    reach = {sure: Closure(Search(states, unknown=not sure).arcs()) for sure in (True, False)}
    rules: dict[str, dict[str, None]] = {}
    for finding in findings:
        rules.setdefault(finding.name.partition("#")[0], {})[finding.rule] = None
    controls = _controls(estates)
    threats = []
    for node in states.graph.nodes.values():
        for technique in APPLIES.get(node.kind, ()):
            state = states.number.get((node.id, technique.mode), states.number[node.id, CONTROL])
            who: dict[bool, list[str]] = {True: [], False: []}
            for entry in strangers:
                if _own(entry, node):
                    continue
                start = states.number[entry.id, CONTROL]
                if start != state and reach[True].leads(start, state):
                    who[True].append(entry.id)
                elif start != state and reach[False].leads(start, state):
                    who[False].append(entry.id)
            matched = tuple(rule for rule in rules.get(node.id.partition("#")[0], ()) if _cites(rule, technique))
            if node.kind != "port" or who[True] or who[False] or matched:
                threats.append(
                    Threat(
                        node,
                        technique,
                        tuple(who[True]),
                        tuple(who[False]),
                        matched,
                        controls.get(node.id.partition("#")[0], ()),
                    )
                )
    threats.sort(
        key=lambda one: (not one.open, not one.perhaps, one.component.kind, one.component.id, one.technique.id)
    )
    return tuple(threats[:ASSESS_MAX_THREATS])


def _own(entry: Node, node: Node) -> bool:
    tenant = entry.boundary.get("tenant")
    return bool(tenant) and tenant == node.boundary.get("tenant")


def _cites(rule: str, technique: Technique) -> bool:
    from assaymark.assess.rules import RULES

    return technique.id in RULES[rule].refs


def _controls(estates: Estates) -> dict[str, tuple[Control, ...]]:
    """What the files show that guards each component."""
    seen: dict[str, list[Control]] = {}
    for identifier, control in (*_of_cluster(estates), *_of_aws(estates), *_of_clouds(estates)):
        seen.setdefault(identifier, []).append(control)
    return {identifier: tuple(dict.fromkeys(some)) for identifier, some in seen.items()}


def _of_cluster(estates: Estates) -> Iterator[tuple[str, Control]]:
    cluster = estates.kubernetes
    pods = pod_specs(cluster)
    network = Network(cluster, pods)
    strict = {
        one.namespace: one
        for one in cluster.of("PeerAuthentication")
        if _mode(one.value.get("spec")) == "STRICT" and not (one.value.get("spec") or {}).get("selector")
    }
    for pod in pods:
        owner = pod.owner
        for policy in network.policies(pod, "Ingress"):
            yield pod.id, Control(f"network policy {policy.name} limits who reaches it", (policy.because(),))
        if owner.namespace in strict:
            yield pod.id, Control("the mesh lets mutual TLS in only", (strict[owner.namespace].because(),))
        level = network.namespace_labels(owner.namespace).get("pod-security.kubernetes.io/enforce")
        if level in ("baseline", "restricted"):
            yield pod.id, Control(f"the namespace enforces the Pod Security level {level}", (owner.because(),))
        for running in open_servers(pod):
            if running.authenticated:
                yield pod.id, Control(f"{running.server.name} asks who calls", (running.because,))
            if running.tls:
                yield pod.id, Control(f"{running.server.name} speaks TLS", (running.because,))
        if pod.spec.get("automountServiceAccountToken") is False:
            yield owner.id, Control("its pods hold no token", (pod.because(None, "automountServiceAccountToken"),))


def _mode(spec: Any) -> str:
    mutual = spec.get("mtls") if isinstance(spec, dict) else None
    return str(mutual.get("mode")) if isinstance(mutual, dict) else ""


def _of_aws(estates: Estates) -> Iterator[tuple[str, Control]]:
    for arn, resource in sorted(estates.aws.resources.items()):
        blocked = resource.settings.get("public_access_block")
        if isinstance(blocked, dict) and blocked.get("restrict_public_buckets") is True:
            yield arn, Control("it blocks public access", (resource.because,))
        for statement in resource.policy.statements if resource.policy else ():
            keys = sorted({key for operator in statement.condition.values() for key in operator})
            if statement.effect == "Deny":
                words = f" unless {', '.join(keys)} fit" if keys else ""
                yield (
                    arn,
                    Control(
                        f"its policy denies {', '.join(statement.actions[:3]) or 'much'}{words}", (statement.because,)
                    ),
                )
            elif keys:
                yield arn, Control(f"its policy allows only where {', '.join(keys)} fit", (statement.because,))
        if resource.settings.get("encryption"):
            yield arn, Control("it is encrypted", (resource.because,))
        if resource.settings.get("image_tag_mutability") == "IMMUTABLE":
            yield arn, Control("its tags cannot be moved", (resource.because,))
    for arn, identity in sorted(estates.aws.identities.items()):
        if identity.boundary is not None:
            yield (
                arn,
                Control(
                    f"a boundary limits it ({identity.boundary.name.rpartition('/')[2]})",
                    (identity.boundary.because,),
                ),
            )
        for statement in identity.trust.statements if identity.trust else ():
            keys = sorted({key for operator in statement.condition.values() for key in operator})
            if keys:
                yield arn, Control(f"its trust asks for {', '.join(keys)}", (statement.because,))


def _of_clouds(estates: Estates) -> Iterator[tuple[str, Control]]:
    for name, thing in sorted(estates.gcp.resources.items()):
        if thing.settings.get("public_access_prevention") == "enforced":
            yield name, Control("it prevents public access", (thing.because,))
        if thing.settings.get("ingress_internal") is True:
            yield name, Control("it lets in callers of the internal network only", (thing.because,))
    for name, provider in sorted(estates.gcp.providers.items()):
        if provider.condition is not None:
            yield name, Control(f"the pool takes tokens only where {provider.condition}", (provider.because,))
    for identifier, resource in sorted(estates.azure.resources.items()):
        if resource.settings.get("firewall") == "deny":
            yield identifier, Control("it answers no network but those that are named", (resource.because,))
        if resource.settings.get("shared_key") is False or resource.settings.get("local") is False:
            yield identifier, Control("it takes no keys, identities only", (resource.because,))
        if resource.settings.get("blob_public") is False:
            yield identifier, Control("it allows no public access to blobs", (resource.because,))
