"""Edges from principals of Google Cloud to data, models, secrets and keys, and what flows by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.gcp.constraints import PREVENTION, unless_enforced
from assaymark.assess.gcp.evaluate import ALL_USERS, AUTHENTICATED
from assaymark.assess.gcp.lasting import left
from assaymark.assess.kinds import INTERNET
from assaymark.assess.told_places import told_places
from assaymark.assess.values import texts_in
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.estate.gcp import Resource
    from assaymark.assess.gcp.fronts import Fronts
    from assaymark.assess.gcp.linking import Linking

KINDS: Final[dict[str, tuple[str, str]]] = {  # the kind of node, and what it is as a target
    "aiplatform:endpoint": ("endpoint", "endpoint"),
    "aiplatform:featurestore": ("database", "data"),
    "aiplatform:index-endpoint": ("endpoint", "endpoint"),
    "aiplatform:model": ("model", "model"),
    "artifactregistry:repository": ("registry", ""),
    "bigquery:dataset": ("database", "data"),
    "bigtable:instance": ("database", "data"),
    "cloudfunctions:function": ("function", ""),
    "cloudkms:key": ("key", "key"),
    "file:instance": ("volume", "data"),
    "pubsub:subscription": ("queue", ""),
    "pubsub:topic": ("queue", ""),
    "redis:instance": ("database", "data"),
    "run:service": ("function", ""),
    "secretmanager:secret": ("secret", "secret"),
    "spanner:database": ("database", "data"),
    "spanner:instance": ("database", "data"),
    "sql:instance": ("database", "data"),
    "storage:bucket": ("bucket", "data"),
}
# Who has one of these permissions on it may do this with it.
ALLOWS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "aiplatform:endpoint": {
        "invokes": ("aiplatform.endpoints.predict", "aiplatform.endpoints.explain"),
        "writes": ("aiplatform.endpoints.deploy", "aiplatform.endpoints.update"),
        "permissions": ("aiplatform.endpoints.setIamPolicy",),
    },
    "aiplatform:featurestore": {
        "reads": ("aiplatform.entityTypes.readFeatureValues", "aiplatform.featurestores.exportFeatures"),
        "writes": ("aiplatform.entityTypes.writeFeatureValues", "aiplatform.entityTypes.importFeatureValues"),
        "permissions": ("aiplatform.featurestores.setIamPolicy",),
    },
    "aiplatform:model": {
        "reads": ("aiplatform.models.export",),
        "writes": ("aiplatform.models.upload", "aiplatform.models.update", "aiplatform.models.delete"),
    },
    "artifactregistry:repository": {
        "reads": ("artifactregistry.repositories.downloadArtifacts",),
        "writes": ("artifactregistry.repositories.uploadArtifacts",),
        "permissions": ("artifactregistry.repositories.setIamPolicy",),
    },
    "bigquery:dataset": {
        "reads": ("bigquery.tables.getData", "bigquery.tables.export"),
        "writes": ("bigquery.tables.updateData", "bigquery.tables.delete"),
        "permissions": ("bigquery.datasets.setIamPolicy", "bigquery.datasets.update"),
    },
    "bigtable:instance": {
        "reads": ("bigtable.tables.readRows",),
        "writes": ("bigtable.tables.mutateRows",),
        "permissions": ("bigtable.instances.setIamPolicy",),
    },
    "cloudfunctions:function": {
        "invokes": ("cloudfunctions.functions.invoke", "run.routes.invoke"),
        "permissions": ("cloudfunctions.functions.setIamPolicy",),
    },
    "cloudkms:key": {
        "decrypts": ("cloudkms.cryptoKeyVersions.useToDecrypt",),
        "permissions": ("cloudkms.cryptoKeys.setIamPolicy",),
    },
    "pubsub:subscription": {
        "reads": ("pubsub.subscriptions.consume",),
        "permissions": ("pubsub.subscriptions.setIamPolicy",),
    },
    "pubsub:topic": {
        "reads": ("pubsub.topics.attachSubscription",),
        "writes": ("pubsub.topics.publish",),
        "permissions": ("pubsub.topics.setIamPolicy",),
    },
    "run:service": {"invokes": ("run.routes.invoke",), "permissions": ("run.services.setIamPolicy",)},
    "secretmanager:secret": {
        "reads": ("secretmanager.versions.access",),
        "writes": ("secretmanager.versions.add",),
        "permissions": ("secretmanager.secrets.setIamPolicy",),
    },
    "spanner:database": {
        "reads": ("spanner.databases.select", "spanner.databases.read"),
        "writes": ("spanner.databases.write",),
        "permissions": ("spanner.databases.setIamPolicy",),
    },
    "sql:instance": {
        "reads": ("cloudsql.instances.login", "cloudsql.instances.export", "cloudsql.users.create"),
        "writes": ("cloudsql.instances.login", "cloudsql.instances.import", "cloudsql.users.create"),
    },
    "storage:bucket": {
        "reads": ("storage.objects.get",),
        "writes": ("storage.objects.create", "storage.objects.update", "storage.objects.delete"),
        "permissions": ("storage.buckets.setIamPolicy",),
    },
}
ALLOWS["spanner:instance"] = ALLOWS["spanner:database"]
_MODEL_WORDS: Final = ("model", "weight", "checkpoint", "artifact", "registry", "mlflow")
_PLACE: Final = "gs://"
_IMAGES: Final = "-docker.pkg.dev/"


def node_kind(resource: Resource) -> tuple[str, str]:
    """The kind of node of a resource, and what it is as a target (empty for none)."""
    kind, target = KINDS.get(resource.kind, ("workload", ""))
    words = f"{resource.name} {' '.join(resource.labels.values())}".lower()
    if kind == "bucket" and any(word in words.rpartition("/")[2] for word in _MODEL_WORDS):
        target = "model"
    return kind, target


def link_data(run: Linking, fronts: Fronts) -> None:
    """Draws who reads, writes, calls and decrypts what; everyone too."""
    for member in run.members:
        for resource in run.within(member):
            if not any((member, place) in run.administrators for place in run.access.chain(resource.name)):
                _allowed(run, member, run.node_of(member), resource)
    for member in (ALL_USERS, AUTHENTICATED):
        for resource in run.within(member):
            _everyone(run, member, resource, fronts)
    _unasked(run, fronts)


def _allowed(run: Linking, member: str, node: str, resource: Resource) -> None:
    allows = ALLOWS.get(resource.kind, {})
    for relation, permissions in allows.items():
        answer, permission = run.any_of(member, permissions, resource.name)
        if answer.state is State.NO:
            continue
        given = left(run.access, member, resource, allows) if relation == "permissions" else None
        word = relation if given is None else "governs"
        run.draw(node, resource.name, word, f"its roles hold {permission}", answer, 0)
        for other, whole in (given or {}).items():
            run.draw(node, resource.name, other, f"it could let itself in ({permission})", answer.both(whole))


def _everyone(run: Linking, member: str, resource: Resource, fronts: Fronts) -> None:
    who = "everyone" if member == ALL_USERS else "everyone with a Google account"
    prevented = resource.settings.get("public_access_prevention") == "enforced"
    for relation, permissions in ALLOWS.get(resource.kind, {}).items():
        answer, permission = run.any_of(member, permissions, resource.name)
        if resource.kind == "storage:bucket":
            answer = unless_enforced(run.access, PREVENTION, resource.name, answer)
        if answer.state is State.NO or prevented:
            continue
        if relation == "invokes":
            answer = _from_outside(resource, answer, fronts)
            if answer.state is State.NO:
                continue
        run.builder.node(INTERNET, "internet", "internet", entry="internet")
        run.draw(INTERNET, resource.name, relation, f"{who} has {permission} on it", answer, 0)


def _from_outside(resource: Resource, answer: Answer, fronts: Fronts) -> Answer:
    """What is left where a service or function takes what comes from some networks only, or asks who calls."""
    internal = resource.settings.get("ingress_internal")
    asked = resource.settings.get("iap_enabled", resource.settings.get("iapEnabled"))
    if str(asked).lower() == "true":
        return NO
    named = resource.settings.get("default_uri_disabled", resource.settings.get("defaultUriDisabled"))
    if internal == "balanced" or (internal is not True and str(named).lower() == "true"):
        led = fronts.service(resource.name)
        return answer.unless("a load balancer of the internet leads to it") if led is None else answer.both(led)
    return NO if internal is True else answer


def _unasked(run: Linking, fronts: Fronts) -> None:
    """Services of Cloud Run that do not ask IAM who may call them."""
    for name, resource in sorted(run.estate.resources.items()):
        given = resource.settings.get("invoker_iam_disabled", resource.settings.get("invokerIamDisabled"))
        if resource.kind == "run:service" and str(given).lower() == "true":
            answer = _from_outside(resource, Answer(State.YES, (resource.because,)), fronts)
            if answer.state is State.NO:
                continue
            run.builder.node(INTERNET, "internet", "internet", entry="internet")
            run.draw(INTERNET, name, "invokes", "it asks nobody who calls (the invoker check is off)", answer, 0)


def link_flows(run: Linking) -> None:
    """Draws what runs as which service account, and what is loaded from where."""
    for name, resource in sorted(run.estate.resources.items()):
        because = Answer(State.YES, (resource.because,))
        if resource.account:
            node = run.access.account(resource.account)
            how = "what runs in it gets tokens of the service account"
            run.draw(name, node, "runs-as", how, because, 0)
        for text in sorted(set(texts_in(dict(resource.settings)))):
            source = _repository(run, text)
            if source and source != name:
                run.draw(source, name, "loaded-by", f"it loads {text}", because)
        for told in told_places(dict(resource.settings), resource.because):
            store = f"//storage.googleapis.com/{told.address.removeprefix(_PLACE).partition('/')[0]}"
            loads = told.address.startswith(_PLACE) and told.state is not State.NO
            if loads and run.builder.has(store) and store != name:
                how = f"it {'is told' if told.decides else 'loads'} {told.address}"
                run.draw(store, name, "loaded-by", how, Answer(told.state, because.because, told.decides))
        served = resource.settings.get("model")
        if isinstance(served, str) and resource.kind == "aiplatform:endpoint":
            target = f"//aiplatform.googleapis.com/{served}"
            run.draw(target, name, "serves", "the endpoint answers with this model", because)


def _repository(run: Linking, text: str) -> str:
    """The repository of images that a text of a resource's settings names; empty for none that is known."""
    if _IMAGES in text:
        location, _, rest = text.partition(_IMAGES)
        parts = rest.split("/")
        if len(parts) > 1:
            place = f"projects/{parts[0]}/locations/{location}/repositories/{parts[1]}"
            found = f"//artifactregistry.googleapis.com/{place}"
            return found if run.builder.has(found) else ""
    return ""
