"""The collector of what ``gcloud`` and the asset inventory write: policies, roles, accounts, pools, resources.

Each document is known by its content. An IAM policy by itself (``get-iam-policy``) does not say what it is the policy
of: the name of its file does, else the project that its service accounts are of; what was taken is said.

This is one file because each form that a document may have is a few lines over the same records.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.gcp import IAM, MANAGER, Provider, Role
from assaymark.assess.estate.use import once
from assaymark.assess.gcp.boundaries import read_boundary
from assaymark.assess.gcp.constraints import read_policy
from assaymark.assess.gcp.from_terraform import deny_rule
from assaymark.assess.gcp.names import ingress_of, project, project_in, project_of_account
from assaymark.assess.gcp.parts import KINDS as PARTS
from assaymark.assess.gcp.records import Records
from assaymark.assess.gcp.used import uses
from assaymark.assess.knative import is_cloud_run
from assaymark.core.errors import InputError
from assaymark.formats.located import Map, listed, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_ROLE: Final = re.compile(r"(?:projects/[^/]+|organizations/[^/]+)?/?roles/[\w.]+")
_PROVIDER: Final = re.compile(r"(projects/[^/]+/locations/global/workloadIdentityPools/[^/]+)/providers/[^/]+")
_KEY: Final = re.compile(r"projects/[^/]+/serviceAccounts/([^/]+)/keys/[^/]+")
# The collection in a resource's name, and what it must have: the host of its full name and our kind.
_COLLECTIONS: Final[dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]]] = {
    "services": (("run", "run:service", ("template", "uri", "ingress", "latestReadyRevision")),),
    "functions": (("cloudfunctions", "cloudfunctions:function", ()),),
    "endpoints": (("aiplatform", "aiplatform:endpoint", ("deployedModels", "displayName")),),
    "models": (("aiplatform", "aiplatform:model", ("artifactUri", "versionId", "displayName")),),
    "secrets": (("secretmanager", "secretmanager:secret", ("replication",)),),
    "cryptoKeys": (("cloudkms", "cloudkms:key", ()),),
    "repositories": (("artifactregistry", "artifactregistry:repository", ("format",)),),
    "topics": (("pubsub", "pubsub:topic", ()),),
    "subscriptions": (("pubsub", "pubsub:subscription", ("topic",)),),
    "instances": (
        ("notebooks", "notebooks:instance", ("gceSetup", "serviceAccount", "machineType", "proxyUri")),
        ("redis", "redis:instance", ("redisVersion", "memorySizeGb")),
    ),
    "workflows": (("workflows", "workflows:workflow", ()),),
    "jobs": (("run", "run:job", ("template",)),),
    "customJobs": (("aiplatform", "aiplatform:custom-job", ("jobSpec",)),),
    "environments": (("composer", "composer:environment", ("config",)),),
    "triggers": (("cloudbuild", "cloudbuild:trigger", ("build", "filename")),),
}
_ASSETS: Final[dict[str, str]] = {
    "storage.googleapis.com/Bucket": "storage:bucket",
    "bigquery.googleapis.com/Dataset": "bigquery:dataset",
    "secretmanager.googleapis.com/Secret": "secretmanager:secret",
    "cloudkms.googleapis.com/CryptoKey": "cloudkms:key",
    "run.googleapis.com/Service": "run:service",
    "run.googleapis.com/Job": "run:job",
    "cloudfunctions.googleapis.com/CloudFunction": "cloudfunctions:function",
    "cloudfunctions.googleapis.com/Function": "cloudfunctions:function",
    "compute.googleapis.com/Instance": "compute:instance",
    "container.googleapis.com/Cluster": "container:cluster",
    "aiplatform.googleapis.com/Endpoint": "aiplatform:endpoint",
    "aiplatform.googleapis.com/Model": "aiplatform:model",
    "artifactregistry.googleapis.com/Repository": "artifactregistry:repository",
    "pubsub.googleapis.com/Topic": "pubsub:topic",
    "pubsub.googleapis.com/Subscription": "pubsub:subscription",
    "notebooks.googleapis.com/Instance": "notebooks:instance",
    "sqladmin.googleapis.com/Instance": "sql:instance",
    "redis.googleapis.com/Instance": "redis:instance",
    "spanner.googleapis.com/Database": "spanner:database",
}
_RUN: Final = {"Service": "run:service", "Job": "run:job"}
_NOTES: Final = ("labels", "annotations")
_SUFFIX: Final = re.compile(r"(?:[-_.](?:iam|policy|policies|bindings|get|project|export))+$|^(?:iam|policy)[-_.]+")
_PROJECT_ID: Final = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what the documents of the input say. What names things is read before what speaks of them."""
    records = Records(inputs, estates.gcp)
    documents = list(_documents(inputs))
    for passes in (_names, _things, _policies):
        for file, value in documents:
            if passes(records, file, value):
                inputs.reading.read.add(file.path)
    estates.gcp.uses += once(uses(inputs, estates.gcp))


def _documents(inputs: Inputs) -> Iterator[tuple[SourceFile, Map]]:
    yield from inputs.maps()
    for file in inputs.named(".json", ".jsonl", ".ndjson"):
        if b"assetType" in file.data or b"asset_type" in file.data:
            found = _lines(file)
            if found:
                inputs.reading.skipped[:] = [one for one in inputs.reading.skipped if one.path != file.path]
                yield from ((file, value) for value in found)


def _lines(file: SourceFile) -> list[Map]:
    """The documents of a file with one on each line; none when it is another kind of file."""
    try:
        texts = file.text().splitlines()
        values = [read_json(text, index + 1) for index, text in enumerate(texts) if text.strip()]
    except InputError:
        return []
    return [one for one in values if isinstance(one, Map)] if len(values) > 1 else []


def _number(records: Records, value: Map) -> None:
    """A project's number, which what the inventory says of the project itself has beside its id."""
    named = value.get("resource") if isinstance(value.get("resource"), str) else value.get("name")
    kind, _, identifier = str(named).removeprefix(MANAGER).partition("/")
    above = [value.get("project"), *listed(value.get("ancestors"))[:1]]
    number = next((one.removeprefix("projects/") for one in above if isinstance(one, str)), "")
    own = str(named).startswith(MANAGER) and kind == "projects" and not identifier.isdigit()
    if own and "/" not in identifier and number.isdecimal():
        records.estate.numbers.setdefault(number, identifier)


def _names(records: Records, file: SourceFile, value: Map) -> bool:
    """Projects, folders, service accounts, keys, roles: what others refer to."""
    because, estate = file.because(value.line), records.estate
    _number(records, value)
    identifier, name = value.get("projectId"), str(value.get("name", ""))
    if isinstance(identifier, str) and isinstance(value.get("projectNumber"), (str, int)):
        _place(records, project(identifier), value, because)
        estate.numbers[str(value["projectNumber"])] = identifier
        return True
    if name.startswith(("folders/", "organizations/")) and "displayName" in value and name.count("/") == 1:
        _place(records, f"{MANAGER}{name}", value, because)
        return True
    email = value.get("email")
    if isinstance(email, str) and email.endswith(".gserviceaccount.com") and "/serviceAccounts/" in name:
        home = str(value.get("projectId") or project_of_account(email) or project_in(name))
        records.account(email, home, because, unique=str(value.get("uniqueId") or value.get("oauth2ClientId") or ""))
        return True
    match = _KEY.fullmatch(name)
    if match:
        if value.get("keyType") != "SYSTEM_MANAGED":
            records.account(match[1], project_in(name) or project_of_account(match[1]), because, keys=(because,))
        return True
    if isinstance(value.get("includedPermissions"), list) and _ROLE.fullmatch(name):
        texts = tuple(str(one) for one in value["includedPermissions"])
        estate.roles[name] = Role(name, texts, because)
        return True
    return _pool(records, value, name, because)


def _place(records: Records, place: str, value: Map, because: Any) -> None:
    records.estate.places[place] = because
    parent = value.get("parent")
    if isinstance(parent, Map) and parent.get("type") and parent.get("id"):
        records.estate.parents[place] = f"{MANAGER}{parent['type']}s/{parent['id']}"
    elif isinstance(parent, str) and parent:
        records.estate.parents[place] = f"{MANAGER}{parent}"


def _pool(records: Records, value: Map, name: str, because: Any) -> bool:
    match = _PROVIDER.fullmatch(name)
    if match is None:
        return "/workloadIdentityPools/" in name
    oidc, aws, mapping = value.get("oidc"), value.get("aws"), value.get("attributeMapping")
    kind, issuer = "saml", ""
    audiences: tuple[str, ...] = ()
    if isinstance(oidc, Map):
        kind, issuer = "oidc", str(oidc.get("issuerUri", ""))
        audiences = tuple(str(one) for one in listed(oidc.get("allowedAudiences")))
    elif isinstance(aws, Map):
        kind, issuer = "aws", str(aws.get("accountId", ""))
    condition = value.get("attributeCondition")
    records.estate.providers[name] = Provider(
        name,
        match[1],
        kind,
        issuer.removeprefix("https://").rstrip("/"),
        because,
        {str(key): str(one) for key, one in mapping.items()} if isinstance(mapping, dict) else {},
        condition if isinstance(condition, str) and condition else None,
        tuple(audiences),
    )
    return True


def _run(records: Records, value: Map, kind: str, because: Any) -> None:
    """A service or job of Cloud Run, in the form of Knative that ``gcloud run`` prints and takes."""
    metadata = value["metadata"]
    both = (metadata.get(name) for name in _NOTES)
    labels, notes = ({str(key): one for key, one in some.items()} if isinstance(some, Map) else {} for some in both)
    home = _identifier(records, str(metadata.get("namespace") or "")) or _home(records)
    place = labels.get("cloud.googleapis.com/location") or "-"
    collection = "services" if kind == "Service" else "jobs"
    name = f"//run.googleapis.com/projects/{home}/locations/{place}/{collection}/{metadata.get('name')}"
    found = Map(value.line, value.path)
    found.put("spec", value.get("spec"), value.at("spec"))
    found.put("labels", metadata.get("labels"), value.line)
    for key, note in (("ingress", "ingress"), ("invokerIamDisabled", "invoker-iam-disabled")):
        given = notes.get(f"run.googleapis.com/{note}")
        if given is not None:
            found.put(key, given, value.line)
    _add(records, name, _RUN[kind], home, found, because)


def _of_kind(records: Records, value: Map, because: Any) -> bool:
    """What says its kind: rules of firewalls, parts of load balancing, instances of Cloud SQL."""
    kind, home = value.get("kind"), value.get("project")
    if isinstance(kind, str) and kind in _RUN and isinstance(value.get("metadata"), Map) and is_cloud_run(value):
        _run(records, value, kind, because)
    elif kind == "compute#firewall":
        records.estate.firewalls.append((value, because))
    elif isinstance(kind, str) and kind.startswith("compute#") and kind[8:] in PARTS:
        records.estate.parts.append((kind[8:], value, because))
    elif kind == "sql#instance" and isinstance(home, str):
        place = f"//sqladmin.googleapis.com/projects/{home}/instances/{value.get('name')}"
        _add(records, place, "sql:instance", home, value, because)
    else:
        return False
    return True


def _things(records: Records, file: SourceFile, value: Map) -> bool:
    """Resources, by what their names and fields tell; assets with their data."""
    because, name = file.because(value.line), str(value.get("name", ""))
    if _of_kind(records, value, because):
        return True
    kind = str(value.get("assetType") or value.get("asset_type") or "")
    about = value.get("resource")
    if kind in _ASSETS and isinstance(about, str) and about.startswith("//"):  # search-all-iam-policies
        home = _identifier(records, _project_of(value, about))
        records.resource(about, _ASSETS[kind], home or "-", because)
        return True
    if kind and name.startswith("//"):
        return _asset(records, file, value, name, kind)
    if value.get("kind") == "storage#bucket" or str(value.get("storage_url", "")).startswith("gs://"):
        bucket = name or str(value.get("storage_url", ""))[5:].rstrip("/")
        _add(records, f"//storage.googleapis.com/{bucket}", "storage:bucket", _home(records), value, because)
        return True
    if value.get("kind") == "compute#instance" or ("selfLink" in value and "/instances/" in str(value["selfLink"])):
        path = str(value.get("selfLink", "")).partition("/compute/v1/")[2]
        if path:
            _add(records, f"//compute.googleapis.com/{path}", "compute:instance", project_in(path), value, because)
        return bool(path)
    if "/clusters/" in str(value.get("selfLink", "")) and "container.googleapis" in str(value["selfLink"]):
        path = str(value["selfLink"]).partition("/v1/")[2].replace("/zones/", "/locations/")
        _add(records, f"//container.googleapis.com/{path}", "container:cluster", project_in(path), value, because)
        return True
    reference = value.get("datasetReference")
    if isinstance(reference, Map):
        path = f"projects/{reference.get('projectId')}/datasets/{reference.get('datasetId')}"
        _add(
            records,
            f"//bigquery.googleapis.com/{path}",
            "bigquery:dataset",
            str(reference.get("projectId")),
            value,
            because,
        )
        return True
    parts = name.split("/")
    if len(parts) > 3 and parts[0] == "projects":  # noqa: PLR2004 - projects/P/<collection>/<id> at least
        for host, ours, fields in _COLLECTIONS.get(parts[-2], ()):
            if not fields or any(one in value for one in fields):
                _add(records, f"//{host}.googleapis.com/{name}", ours, _identifier(records, parts[1]), value, because)
                return True
    return False


def _identifier(records: Records, word: str) -> str:
    """A project's id, by its number where that is known."""
    return records.estate.numbers.get(word, word)


def _home(records: Records) -> str:
    """The project of what does not say: the only one that the input speaks of."""
    found = {project_in(place) for place in records.estate.places} - {""}
    found = found or {one.project for one in records.estate.accounts.values()}
    return found.pop() if len(found) == 1 else "-"


def _add(records: Records, name: str, kind: str, home: str, value: Map, because: Any) -> None:
    settings: dict[str, object] = {str(key): item for key, item in value.items() if item is not None}
    configuration = value.get("iamConfiguration")
    prevention = (
        configuration.get("publicAccessPrevention")
        if isinstance(configuration, Map)
        else value.get("public_access_prevention")
    )
    if prevention == "enforced":
        settings["public_access_prevention"] = "enforced"
    served = value.get("serviceConfig")
    inner = served.get("ingressSettings") if isinstance(served, Map) else value.get("ingressSettings")
    settings["ingress_internal"] = ingress_of(value.get("ingress", inner))
    account = _account(value)
    if not account and kind == "container:cluster" and _is_default(value):
        number = next((one for one, known in records.estate.numbers.items() if known == home), f"<{home}.number>")
        account = f"{number}-compute@developer.gserviceaccount.com"
    records.resource(name, kind, home, because, account=account, labels=value.get("labels"), settings=settings)


def _is_default(value: Map) -> bool:
    """Whether nodes of a cluster run as the project's default account."""
    places = [
        value.get("nodeConfig"),
        *(one.get("config") for one in listed(value.get("nodePools")) if isinstance(one, Map)),
    ]
    return any(isinstance(one, Map) and one.get("serviceAccount") == "default" for one in places)


def _account(value: Any, depth: int = 0) -> str:
    """The email of the service account that a description says it runs as; empty for none."""
    found = ""
    if isinstance(value, Map) and depth < 6:  # noqa: PLR2004 - template.spec.containers and the like
        for key, item in value.items():
            if key in ("serviceAccount", "serviceAccountEmail", "serviceAccountName", "email") and isinstance(
                item, str
            ):
                if "@" in item:
                    return item.rpartition("/")[2]
            elif isinstance(item, (Map, list)) and key not in ("status", "labels"):
                found = found or _account(item, depth + 1)
    elif isinstance(value, list) and depth < 6:  # noqa: PLR2004 - the same
        for item in value[:8]:
            found = found or _account(item, depth + 1)
    return found


def _asset(records: Records, file: SourceFile, value: Map, name: str, kind: str) -> bool:
    because = file.because(value.line)
    _ancestors(records, name, value)
    home = _identifier(records, _project_of(value, name))
    resource = value.get("resource")
    data = resource.get("data") if isinstance(resource, Map) else None
    if kind in _ASSETS:
        _add(records, name, _ASSETS[kind], home, data if isinstance(data, Map) else Map(value.line), because)
        records.estate.parents.setdefault(name, project(home)) if home else None
    if isinstance(data, Map) and kind == "compute.googleapis.com/Firewall":
        records.estate.firewalls.append((data, because))
    elif isinstance(data, Map) and _part_of(kind) in PARTS:
        records.estate.parts.append((_part_of(kind), data, because))
    elif isinstance(data, Map):
        _names(records, file, data)
        _names_of_key(records, data, kind, name, because)
    return True


def _part_of(kind: str) -> str:
    """The kind of a part of load balancing, by the inventory's type; empty for another one."""
    host, _, word = kind.partition("/")
    word = word.removeprefix("Region").removeprefix("Global")
    return f"{word[:1].lower()}{word[1:]}" if host == "compute.googleapis.com" else ""


def _names_of_key(records: Records, data: Map, kind: str, name: str, because: Any) -> None:
    if kind == "iam.googleapis.com/ServiceAccountKey" and data.get("keyType") != "SYSTEM_MANAGED":
        match = _KEY.fullmatch(str(data.get("name", name)).removeprefix(IAM))
        if match:
            records.account(match[1], project_of_account(match[1]), because, keys=(because,))


def _project_of(value: Map, name: str) -> str:
    text = str(value.get("project") or "")
    if text.startswith("projects/"):
        return text.removeprefix("projects/")
    for one in listed(value.get("ancestors")):
        if isinstance(one, str) and one.startswith("projects/"):
            return one.removeprefix("projects/")
    return project_in(name)


def _ancestors(records: Records, name: str, value: Map) -> None:
    """The chain of an asset's places: ``ancestors``, or ``project``, ``folders`` and ``organization``."""
    chain = [str(one) for one in listed(value.get("ancestors")) if isinstance(one, str)]
    if not chain:
        chain = [str(value[key]) for key in ("project",) if value.get(key)]
        chain += [str(one) for one in listed(value.get("folders"))]
        chain += [str(value[key]) for key in ("organization",) if value.get(key)]
    places = [_canonical(records, one) for one in chain]
    for below, above in pairwise(places):
        records.estate.parents.setdefault(below, above)
    if places and name not in places and not name.startswith(MANAGER):
        records.estate.parents.setdefault(name, places[0])


def _canonical(records: Records, place: str) -> str:
    kind, _, name = place.partition("/")
    return f"{MANAGER}{kind}/{_identifier(records, name) if kind == 'projects' else name}"


def _policies(records: Records, file: SourceFile, value: Map) -> bool:
    """Policies: of IAM, denials, of the organisation, boundaries."""
    if read_policy(records, file, value) or read_boundary(records, file, value):
        return True
    named = value.get("resource") if isinstance(value.get("resource"), str) else value.get("name")
    policy = value.get("policy") or value.get("iamPolicy") or value.get("iam_policy")
    if isinstance(policy, Map) and isinstance(named, str) and named.startswith("//"):
        place = named
        if named.startswith(MANAGER):
            place = _canonical(records, named.removeprefix(MANAGER))
        if "searchable" not in value:
            _ancestors(records, place, value)
        records.policy(place, policy, file, whole=place in records.estate.resources)
        return True
    if str(value.get("kind", "")) == "DenyPolicy" or "/denypolicies/" in str(value.get("name", "")):
        return _denies(records, file, value)
    bindings = value.get("bindings")
    if isinstance(bindings, list) and any(
        isinstance(one, Map) and "role" in one and "members" in one for one in bindings
    ):
        place = _about(records, file, value)
        records.policy(place, value, file, whole=place in records.estate.resources)
        return True
    return False


def _denies(records: Records, file: SourceFile, value: Map) -> bool:
    text = str(value.get("name", "")).replace("%2F", "/").replace("%2f", "/")
    place = text.partition("policies/")[2].partition("/denypolicies/")[0]
    place = _canonical(records, place.partition("/")[2]) if place.startswith("cloudresourcemanager") else f"//{place}"
    records.estate.denies = records.estate.denies or []
    keys = ("deniedPrincipals", "deniedPermissions", "exceptionPrincipals", "exceptionPermissions", "denialCondition")
    for one in listed(value.get("rules")):
        rule = one.get("denyRule") if isinstance(one, Map) else None
        if isinstance(rule, Map):
            records.estate.denies.append(deny_rule(place, rule, file.because(rule.line), keys))
    return True


def _about(records: Records, file: SourceFile, value: Map) -> str:
    """What a policy that does not say is the policy of."""
    stem = posixpath.basename(file.path).rpartition(".")[0]
    short = _SUFFIX.sub("", stem)
    for name, resource in records.estate.resources.items():
        if name.rpartition("/")[2] == short:
            return resource.name
    for email, account in records.estate.accounts.items():
        if short in (email, email.partition("@")[0]):
            return account.name
    members = [
        str(one)
        for binding in value["bindings"]
        if isinstance(binding, Map)
        for one in listed(binding.get("members"))
    ]
    roles = [str(binding.get("role")) for binding in value["bindings"] if isinstance(binding, Map)]
    if any(role.startswith("roles/storage.legacy") for role in roles):
        name = f"//storage.googleapis.com/{short}"
        home = next((one.partition(":")[2] for one in members if one.startswith("project")), _home(records))
        records.resource(name, "storage:bucket", home, file.because(value.line))
        return name
    known = {project_in(place) for place in records.estate.places} - {""}
    counted = Counter(found for one in members if (found := project_of_account(one.partition(":")[2])))
    likely = counted.most_common(1)[0][0] if counted else short if _PROJECT_ID.fullmatch(short) else "unknown-project"
    home = short if short in known else known.pop() if len(known) == 1 else likely
    records.reading.gap(f"{file.path} does not say whose policy it is; taken as that of the project {home}")
    records.estate.places.setdefault(project(home), file.because(value.line))
    return project(home)
