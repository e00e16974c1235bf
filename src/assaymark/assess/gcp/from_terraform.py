"""The collector of Google Cloud resources that Terraform declares, planned or in HCL.

This is one file because the tables of types are one table, by what each step needs of a type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from assaymark.assess.estate.gcp import IAM, MANAGER, DenyRule, Provider, Role
from assaymark.assess.gcp import boundaries, constraints
from assaymark.assess.gcp.boundaries import BINDINGS
from assaymark.assess.gcp.constraints import PLACES
from assaymark.assess.gcp.names import ingress_of, project
from assaymark.assess.gcp.records import Records, member_of
from assaymark.assess.terraform.identity_clouds import GOOGLE, PARTS, shut
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.inputs import Inputs

_IAM: Final = re.compile(r"google_(.+?)_iam_(member|binding|policy)")
# Type: the host of its full resource name, and our kind.
KINDS: Final[dict[str, tuple[str, str]]] = {
    "artifact_registry_repository": ("artifactregistry", "artifactregistry:repository"),
    "bigquery_dataset": ("bigquery", "bigquery:dataset"),
    "bigtable_instance": ("bigtableadmin", "bigtable:instance"),
    "cloud_run_service": ("run", "run:service"),
    "cloud_run_v2_job": ("run", "run:job"),
    "cloud_run_v2_service": ("run", "run:service"),
    "cloudfunctions2_function": ("cloudfunctions", "cloudfunctions:function"),
    "cloudfunctions_function": ("cloudfunctions", "cloudfunctions:function"),
    "composer_environment": ("composer", "composer:environment"),
    "compute_instance": ("compute", "compute:instance"),
    "compute_instance_template": ("compute", "compute:instance"),
    "container_cluster": ("container", "container:cluster"),
    "dataproc_cluster": ("dataproc", "dataproc:cluster"),
    "dataproc_batch": ("dataproc", "dataproc:batch"),
    "filestore_instance": ("file", "file:instance"),
    "kms_crypto_key": ("cloudkms", "cloudkms:key"),
    "notebooks_instance": ("notebooks", "notebooks:instance"),
    "pubsub_subscription": ("pubsub", "pubsub:subscription"),
    "pubsub_topic": ("pubsub", "pubsub:topic"),
    "secret_manager_secret": ("secretmanager", "secretmanager:secret"),
    "spanner_database": ("spanner", "spanner:database"),
    "spanner_instance": ("spanner", "spanner:instance"),
    "sql_database_instance": ("sqladmin", "sql:instance"),
    "storage_bucket": ("storage", "storage:bucket"),
    "vertex_ai_endpoint": ("aiplatform", "aiplatform:endpoint"),
    "vertex_ai_featurestore": ("aiplatform", "aiplatform:featurestore"),
    "vertex_ai_index_endpoint": ("aiplatform", "aiplatform:index-endpoint"),
    "workbench_instance": ("notebooks", "notebooks:instance"),
    "workflows_workflow": ("workflows", "workflows:workflow"),
}
# What an IAM resource names what it is about by, where that is not the type's last word.
_NAMED_BY: Final = {
    "artifact_registry_repository": "repository",
    "bigquery_dataset": "dataset_id",
    "cloud_run_service": "service",
    "cloud_run_v2_job": "name",
    "cloud_run_v2_service": "name",
    "cloudfunctions2_function": "cloud_function",
    "cloudfunctions_function": "cloud_function",
    "compute_instance": "instance_name",
    "kms_crypto_key": "crypto_key_id",
    "notebooks_instance": "instance_name",
    "pubsub_subscription": "subscription",
    "pubsub_topic": "topic",
    "secret_manager_secret": "secret_id",
    "storage_bucket": "bucket",
    "vertex_ai_endpoint": "endpoint",
    "workbench_instance": "name",
}
# Where a resource names the service account that it runs as: blocks and, last, the attribute.
_ACCOUNTS: Final[dict[str, tuple[str, ...]]] = {
    "cloud_run_service": ("template.spec.service_account_name",),
    "cloud_run_v2_job": ("template.template.service_account",),
    "cloud_run_v2_service": ("template.service_account",),
    "cloudfunctions2_function": ("service_config.service_account_email",),
    "cloudfunctions_function": ("service_account_email",),
    "composer_environment": ("config.node_config.service_account",),
    "compute_instance": ("service_account.email",),
    "compute_instance_template": ("service_account.email",),
    "container_cluster": ("node_config.service_account",),
    "dataproc_cluster": ("cluster_config.gce_cluster_config.service_account",),
    "dataproc_batch": ("environment_config.execution_config.service_account",),
    "notebooks_instance": ("service_account",),
    "workbench_instance": ("gce_setup.service_accounts.email",),
    "workflows_workflow": ("service_account",),
}
_DEFAULT: Final = frozenset(  # these run as the project's default account of Compute Engine when they name none
    (
        "cloud_run_service",
        "cloud_run_v2_job",
        "cloud_run_v2_service",
        "cloudfunctions2_function",
        "container_cluster",
        "notebooks_instance",
        "workbench_instance",
        "dataproc_cluster",
        "dataproc_batch",
        "composer_environment",
    )
)


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what Terraform declares."""
    resources = [one for one in estates.terraform if one.kind.startswith("google_")]
    if not resources:
        return
    run = _Collecting(Records(inputs, estates.gcp), resources)
    for resource in resources:
        _STEPS.get(resource.kind, _thing)(run, resource)
    for resource in resources:
        match = _IAM.fullmatch(resource.kind)
        if match:
            _grants(run, resource, match[1], match[2])
        elif resource.kind == "google_org_policy_policy" or resource.kind in PLACES:
            constraints.of_terraform(run.records, resource)
        elif resource.kind == "google_iam_principal_access_boundary_policy" or resource.kind in BINDINGS:
            boundaries.of_terraform(run.records, resource)


class _Collecting:
    def __init__(self, records: Records, resources: list[TfResource]) -> None:
        self.records = records
        self.full: dict[tuple[str, str], str] = {}
        for one in resources:
            kind = one.kind.removeprefix("google_")
            if kind in KINDS:
                for text in (shut(one.get("id")), shut(one.get("name")), shut(one.get(GOOGLE[one.kind][0]))):
                    self.full.setdefault((kind, text), full_name(one))


def full_name(resource: TfResource) -> str:
    """The full resource name of what a resource of Terraform makes."""
    host, _ = KINDS[resource.kind.removeprefix("google_")]
    identifier = shut(resource.get("id")) or f"<{resource.address}>"
    if resource.kind == "google_cloud_run_service":
        match = re.fullmatch(r"locations/([^/]+)/namespaces/([^/]+)/services/(.+)", identifier)
        identifier = f"projects/{match[2]}/locations/{match[1]}/services/{match[3]}" if match else identifier
    if resource.kind == "google_sql_database_instance" and "/" not in identifier:
        identifier = f"projects/{_home(resource)}/instances/{identifier}"
    return f"//{host}.googleapis.com/{identifier}"


def _home(resource: TfResource) -> str:
    """The project of a resource."""
    return shut(resource.get("project")) or resource.account


def _inner(resource: TfResource, path: str) -> str:
    """A text within blocks; empty for none."""
    places: list[Any] = [resource.values]
    *blocks, key = path.split(".")
    for block in blocks:
        found = [place.get(block) for place in places]
        places = [
            one for some in found for one in (some if isinstance(some, list) else [some]) if isinstance(one, Map)
        ]
    return next((text for place in places if (text := shut(place.get(key)))), "")


def _noted(resource: TfResource) -> str:
    """What annotations of Knative say of ingress."""
    for block in resource.blocks("metadata"):
        notes = block.get("annotations")
        if isinstance(notes, dict):
            return str(notes.get("run.googleapis.com/ingress") or "")
    return ""


def _thing(run: _Collecting, resource: TfResource) -> None:
    kind = resource.kind.removeprefix("google_")
    if kind not in KINDS:
        return
    account = next((text for path in _ACCOUNTS.get(kind, ()) if (text := _inner(resource, path))), "")
    home = _home(resource)
    blocks = resource.blocks("service_account") if kind.startswith("compute_instance") else []
    if not account and (kind in _DEFAULT or blocks):
        account = f"<{home}.number>-compute@developer.gserviceaccount.com"
    if account == "default":
        account = f"<{home}.number>-compute@developer.gserviceaccount.com"
    settings: dict[str, object] = {key: value for key, value in resource.values.items() if value is not None}
    settings["terraform"] = resource.address
    configured = _inner(resource, "service_config.ingress_settings") or resource.text("ingress_settings")
    settings["ingress_internal"] = ingress_of(resource.text("ingress") or configured or _noted(resource))
    if kind == "kms_crypto_key":
        ring = shut(resource.get("key_ring"))
        match = re.search(r"projects/([^/]+)", ring)
        home = match[1] if match else home
    name = full_name(resource)
    run.records.resource(
        name,
        KINDS[kind][1],
        home,
        resource.because(),
        account=member_of(account).removeprefix("serviceAccount:") or account,
        labels=resource.get("labels"),
        settings=settings,
    )
    for block in resource.blocks("access") if kind == "bigquery_dataset" else ():
        _dataset_access(run, resource, name, block)


def _dataset_access(run: _Collecting, resource: TfResource, name: str, block: Map) -> None:
    """The entries of a dataset's own list: in place of what new datasets grant."""
    run.records.estate.whole.add(name)
    home = _home(resource)
    special = {"projectOwners": "projectOwner", "projectWriters": "projectEditor", "projectReaders": "projectViewer"}
    words = {
        "OWNER": "roles/bigquery.dataOwner",
        "WRITER": "roles/bigquery.dataEditor",
        "READER": "roles/bigquery.dataViewer",
    }
    role = words.get(str(block.get("role")), block.get("role"))
    group = str(block.get("special_group") or "")
    member = next(
        (
            f"{word}:{shut(block[key])}"
            for key, word in (("user_by_email", "user"), ("group_by_email", "group"), ("domain", "domain"))
            if block.get(key)
        ),
        "",
    )
    member = (
        shut(block.get("iam_member"))
        or member
        or (
            f"{special[group]}:{home}"
            if group in special
            else "allAuthenticatedUsers"
            if group == "allAuthenticatedUsers"
            else ""
        )
    )
    if member.endswith(".gserviceaccount.com") and member.startswith("user:"):
        member = f"serviceAccount:{member[5:]}"
    if member and role:
        run.records.bind(name, role, [member], resource.file.because(block.line))


def _project(run: _Collecting, resource: TfResource) -> None:
    home = shut(resource.get("project_id"))
    place = project(home)
    run.records.estate.places[place] = resource.because()
    if number := shut(resource.get("number")):
        run.records.estate.numbers[number] = home
    for key, word in (("folder_id", "folders/"), ("org_id", "organizations/")):
        if value := shut(resource.values.get(key)):
            run.records.estate.parents[place] = f"{MANAGER}{word}{value.removeprefix(word)}"


def _folder(run: _Collecting, resource: TfResource) -> None:
    place = f"{MANAGER}{shut(resource.get('name'))}"
    run.records.estate.places[place] = resource.because()
    parent = shut(resource.values.get("parent"))
    if parent:
        run.records.estate.parents[place] = f"{MANAGER}{parent}"


def _service_account(run: _Collecting, resource: TfResource) -> None:
    email, unique = shut(resource.get("email")), shut(resource.get("unique_id"))
    run.records.account(email, _home(resource), resource.because(), unique=unique)


def _key(run: _Collecting, resource: TfResource) -> None:
    named = shut(resource.get("service_account_id"))
    email = named.rpartition("/")[2]
    if email:
        known = run.records.estate.accounts.get(email)
        match = re.search(r"projects/([^/]+)", named)
        home = known.project if known else match[1] if match else email.partition("@")[2].partition(".")[0]
        run.records.account(email, home, resource.because(), keys=(resource.because(),))


def _custom(run: _Collecting, resource: TfResource) -> None:
    permissions = resource.get("permissions")
    items = (
        tuple(str(one) if type(one) is str else one for one in permissions if isinstance(one, str))
        if isinstance(permissions, list)
        else ()
    )
    name = shut(resource.get("id"))
    run.records.estate.roles[name] = Role(name, items, resource.because())


def _pool_provider(run: _Collecting, resource: TfResource) -> None:
    home = _home(resource)
    pool = f"projects/{home}/locations/global/workloadIdentityPools/{shut(resource.get('workload_identity_pool_id'))}"
    name = f"{pool}/providers/{shut(resource.get('workload_identity_pool_provider_id'))}"
    kind, issuer = "saml", ""
    audiences: tuple[str, ...] = ()
    for block in resource.blocks("oidc"):
        kind, issuer = "oidc", shut(block.get("issuer_uri"))
        audiences = tuple(str(one) for one in listed(block.get("allowed_audiences")))
    for block in resource.blocks("aws"):
        kind, issuer = "aws", shut(block.get("account_id"))
    mapping = resource.get("attribute_mapping")
    condition = resource.values.get("attribute_condition")
    run.records.estate.providers[name] = Provider(
        name,
        pool,
        kind,
        issuer.removeprefix("https://").rstrip("/"),
        resource.because(),
        {str(key): str(value) for key, value in mapping.items()} if isinstance(mapping, dict) else {},
        condition if isinstance(condition, str) and condition else None,
        tuple(audiences),
    )


def _membership(run: _Collecting, resource: TfResource) -> None:
    """``google_cloud_identity_group_membership``: the group by its key where that is declared, else by its name."""
    member = next((shut(block.get("id")) for block in resource.blocks("preferred_member_key")), "")
    group = shut(resource.get("group"))
    word = "serviceAccount" if member.endswith(".gserviceaccount.com") else "user"
    if member and "@" in group:
        run.records.estate.groups.setdefault(f"group:{group}", {})[f"{word}:{member}"] = resource.because()
    else:
        run.records.reading.skip(resource.file.path, f"{resource.address}: which group it is about", resource.line)


def _deny(run: _Collecting, resource: TfResource) -> None:
    parent = unquote(shut(resource.get("parent")))
    place = f"//{parent}" if parent.partition("/")[0] == "cloudresourcemanager.googleapis.com" else ""
    estate = run.records.estate
    estate.denies = estate.denies or []
    for outer in resource.blocks("rules"):
        for rule in [one for one in listed(outer.get("deny_rule")) if isinstance(one, Map)]:
            estate.denies.append(
                deny_rule(
                    place,
                    rule,
                    resource.file.because(rule.line),
                    (
                        "denied_principals",
                        "denied_permissions",
                        "exception_principals",
                        "exception_permissions",
                        "denial_condition",
                    ),
                )
            )


def deny_rule(place: str, rule: Map, because: Any, keys: tuple[str, str, str, str, str]) -> DenyRule:
    """A deny rule, by the names that its keys have in this format."""

    def texts(key: str) -> tuple[str, ...]:
        value = rule.get(key)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    condition = rule.get(keys[4])
    if isinstance(condition, list):
        condition = condition[0] if condition else None
    text = condition.get("expression") if isinstance(condition, dict) else None
    return DenyRule(place, texts(keys[0]), texts(keys[1]), because, texts(keys[2]), texts(keys[3]), text)


def _grants(run: _Collecting, resource: TfResource, about: str, form: str) -> None:
    place = _place(run, resource, about)
    if not place:
        run.records.reading.skip(
            resource.file.path, f"{resource.address}: what it grants access to is not known", resource.line
        )
        return
    if form == "policy":
        run.records.policy(place, resource.json("policy_data"), resource.file)
        if resource.json("policy_data") is None:
            run.records.reading.skip(
                resource.file.path, f"{resource.address}: its policy_data is not known", resource.line
            )
        return
    members = resource.get("members") if form == "binding" else [resource.get("member")]
    run.records.bind(place, resource.get("role"), members, resource.because(), resource.values.get("condition"))


def _place(run: _Collecting, resource: TfResource, about: str) -> str:
    """The full resource name of what an IAM resource is about; empty when it is not known."""
    if about == "project":
        home = _home(resource).removeprefix("projects/")
        run.records.estate.places.setdefault(project(home), resource.because())
        return project(home)
    if about in ("folder", "organization"):
        word = f"{about}s/"
        value = shut(resource.get(about if about == "folder" else "org_id")).removeprefix(word)
        return f"{MANAGER}{word}{value}" if value else ""
    if about == "service_account":
        named = shut(resource.get("service_account_id"))
        email = named.rpartition("/")[2]
        known = run.records.estate.accounts.get(email)
        return known.name if known else f"{IAM}{named}" if named.startswith("projects/") else ""
    if about == "kms_key_ring":
        return f"//cloudkms.googleapis.com/{shut(resource.get('key_ring_id'))}"
    if about not in KINDS:
        return ""
    named = shut(resource.get(_NAMED_BY.get(about, "name")))
    found = run.full.get((about, named)) or run.full.get((about, named.rpartition("/")[2]))
    if found:
        return found
    if not named:
        return ""
    host, kind = KINDS[about]
    if about == "storage_bucket":
        name = f"//storage.googleapis.com/{named.removeprefix('b/')}"
    elif named.startswith("projects/"):
        name = f"//{host}.googleapis.com/{named}"
    else:
        _, form = GOOGLE[f"google_{about}"]
        parts = {part: shut(resource.get(part)) or "-" for part in PARTS}
        name = f"//{host}.googleapis.com/" + form.format(project=_home(resource), name=named, **parts)
    run.records.resource(name, kind, _home(resource), resource.because(), settings={"outside": True})
    return name


_STEPS: Final[dict[str, Callable[[_Collecting, TfResource], None]]] = {
    "google_project": _project,
    "google_folder": _folder,
    "google_service_account": _service_account,
    "google_service_account_key": _key,
    "google_project_iam_custom_role": _custom,
    "google_organization_iam_custom_role": _custom,
    "google_iam_workload_identity_pool_provider": _pool_provider,
    "google_cloud_identity_group_membership": _membership,
    "google_iam_deny_policy": _deny,
}
