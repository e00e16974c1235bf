"""What calls of client libraries of Kubernetes, Google Cloud and Azure need, cut to what the old policies allow."""

from __future__ import annotations

import pytest
from tests.support.clouds import NOW
from tests.support.source_estate import assessed_files

from assaymark.assess.azure import called as azure
from assaymark.assess.azure.evaluate import Access as AzureAccess
from assaymark.assess.estate.azure import Assignment, Azure, Permission, RoleDefinition
from assaymark.assess.estate.azure import Resource as AzureResource
from assaymark.assess.estate.gcp import MANAGER, Binding, Gcp, Resource, Role
from assaymark.assess.gcp import called as gcp
from assaymark.assess.gcp.evaluate import Access as GcpAccess
from assaymark.assess.kubernetes import called as kubernetes
from assaymark.assess.kubernetes.rbac import Rule
from assaymark.core.graph import Because

WHERE = Because("a", 1, "")
HEAD = "from kubernetes import client, watch\nfrom kubernetes.stream import stream\nv1 = client.CoreV1Api()\n"


def calls(text):
    found = assessed_files({"app/main.py": text}).estates.source.cloud_calls
    return [one for one in found if one.platform != "aws"]


def rule(resources, verbs, namespace="", names=(), groups=("",)):
    return Rule(tuple(groups), tuple(resources), tuple(verbs), tuple(names), namespace, ())


EVERYTHING = [rule(["*"], ["*"], groups=["*"])]


@pytest.mark.parametrize(
    ("text", "old", "want"),
    [
        ("v1.list_namespaced_secret('ml')", EVERYTHING, {("list secrets", "ml")}),
        ("v1.read_namespaced_secret('db', 'ml')", EVERYTHING, {("get secrets", "ml/db")}),
        ("v1.read_namespaced_secret(name=n, namespace=m)", [rule(["secrets"], ["get"], "ml", ["db"])], {("get secrets", "ml/db")}),
        ("v1.read_namespaced_secret(f'a-{n}', 'ml')", [rule(["secrets"], ["get"], "ml", ["a-1", "b"])], {("get secrets", "ml/a-1")}),
        ("v1.list_pod_for_all_namespaces()", EVERYTHING, {("list pods", "*")}),
        ("v1.list_pod_for_all_namespaces()", [rule(["pods"], ["list"], "ml")], {("list pods", "*")}),  # not allowed
        ("v1.list_namespaced_config_map(x)", [rule(["configmaps"], ["list"], "ml")], {("list configmaps", "ml")}),
        ("v1.read_namespaced_pod_log('p', 'ml')", EVERYTHING, {("get pods/log", "ml/p")}),
        ("v1.create_namespaced_pod('ml', body)", EVERYTHING, {("create pods", "ml")}),
        ("v1.delete_collection_namespaced_pod('ml')", EVERYTHING, {("deletecollection pods", "ml")}),
        ("v1.replace_namespaced_endpoints('e', 'ml', b)", EVERYTHING, {("update endpoints", "ml/e")}),
        ("v1.list_node()", EVERYTHING, {("list nodes", "*")}),
        ("v1.create_namespaced_service_account_token('t', 'ml', b)", EVERYTHING, {("create serviceaccounts/token", "ml/t")}),
        ("watch.Watch().stream(v1.list_namespaced_pod, 'ml')", EVERYTHING, {("list pods", "ml"), ("watch pods", "ml")}),
        ("stream(v1.connect_get_namespaced_pod_exec, 'p', 'ml', command=c)", [rule(["pods/exec"], ["create"], "ml")], {("create pods/exec", "ml/p")}),
        ("client.BatchV1Api().patch_namespaced_cron_job('n', 'ml', b)", EVERYTHING, {("patch cronjobs.batch", "ml/n")}),
        ("client.NetworkingV1Api().list_namespaced_network_policy('ml')", EVERYTHING, {("list networkpolicies.networking.k8s.io", "ml")}),
        (
            "client.CustomObjectsApi().get_namespaced_custom_object('ray.io', 'v1', 'ml', 'rayjobs', 'j')",
            EVERYTHING,
            {("get rayjobs.ray.io", "ml/j")},
        ),
        ("helper(v1)", [rule(["pods", "secrets"], ["get"], "ml"), rule(["jobs"], ["list"], groups=["batch"])], {("get pods", "ml"), ("get secrets", "ml")}),
        ("helper(v1)", EVERYTHING, {("* *", "*")}),
    ],
)  # fmt: skip
def test_the_client_of_kubernetes(text, old, want):
    assert {pair for call in calls(HEAD + text) for pair in kubernetes.needed(call, old)} == want


ME = "user:a@b.c"
PROJECT, BUCKET = f"{MANAGER}projects/acme", "//storage.googleapis.com/models"
CUSTOM = Role("projects/acme/roles/r", ("storage.objects.get", "storage.objects.list", "storage.odd.thing"), WHERE)
STORE = "from google.cloud import storage\ngcs = storage.Client()\n"


def google(text, *bindings):
    some = Gcp(bindings=[Binding(place, role, (ME,), WHERE) for role, place in bindings], roles={CUSTOM.name: CUSTOM})
    some.resources[BUCKET] = Resource(BUCKET, "storage:bucket", "acme", WHERE)
    access = GcpAccess(some, NOW)
    return {pair for call in calls(text) for pair in gcp.needed(call, access, ME)}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("gcs.bucket('models').blob('x').download_as_bytes()", {("storage.objects.get", BUCKET)}),
        ("b = gcs.get_bucket(name)\nb.blob('x').exists()", {("storage.objects.get", PROJECT), ("storage.buckets.get", PROJECT)}),
        ("gcs.bucket('models').blob(f'{x}').upload_from_string('a')", {("storage.objects.create", BUCKET), ("storage.objects.delete", BUCKET)}),
        ("for one in gcs.list_blobs('models'):\n    print(one.name)\n    one.delete()", {("storage.objects.list", BUCKET), ("storage.objects.delete", BUCKET)}),
        ("names = [one.name for one in gcs.list_blobs('models')]", {("storage.objects.list", BUCKET)}),
    ],
)  # fmt: skip
def test_the_client_of_cloud_storage(text, want):
    assert google(STORE + text, ("roles/storage.admin", PROJECT)) == want


def test_what_the_old_bindings_do_not_allow_stays_a_need():
    text = STORE + "gcs.bucket('models').blob('x').delete()"
    assert google(text, (CUSTOM.name, BUCKET)) == {("storage.objects.delete", BUCKET)}
    assert google(STORE + "gcs.bucket(x).delete()", (CUSTOM.name, BUCKET)) == {("storage.buckets.delete", "*")}


def test_a_client_that_is_handed_on_keeps_all_of_its_service():
    whole = {(one, BUCKET) for one in CUSTOM.permissions}
    assert google(STORE + "train(gcs)", (CUSTOM.name, BUCKET)) == whole
    assert google(STORE + "blobs = list(gcs.list_blobs('models'))", (CUSTOM.name, BUCKET)) >= whole
    found = google(STORE + "train(gcs)", ("roles/storage.objectViewer", BUCKET))
    assert ("storage.*", BUCKET) in found  # what no table speaks of
    assert ("storage.objects.get", BUCKET) in found
    assert google("from google.cloud import aiplatform\n", (CUSTOM.name, BUCKET)) == whole


def test_secrets_and_topics():
    text = (
        "from google.cloud import secretmanager, pubsub_v1\n"
        "secretmanager.SecretManagerServiceClient().access_secret_version(name='projects/acme/secrets/db/versions/latest')\n"
        "p = pubsub_v1.PublisherClient()\np.publish(p.topic_path('acme', 't'), b'')\n"
    )
    want = {
        ("secretmanager.versions.access", "//secretmanager.googleapis.com/projects/acme/secrets/db"),
        ("pubsub.topics.publish", PROJECT),
    }
    assert google(text, ("roles/owner", PROJECT)) >= {("pubsub.topics.publish", PROJECT)}
    assert google(text, ("roles/secretmanager.secretAccessor", PROJECT), ("roles/pubsub.publisher", PROJECT)) == want


P = "11111111-1111-1111-1111-111111111111"
RG = "/subscriptions/s/resourcegroups/g"
ACCOUNT = f"{RG}/providers/microsoft.storage/storageaccounts/acct"
VAULT = f"{RG}/providers/microsoft.keyvault/vaults/v"
BLOBS = "data:Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
AZ = (
    "from azure.storage.blob import BlobServiceClient\n"
    "az = BlobServiceClient('https://acct.blob.core.windows.net', credential=c)\n"
)


def microsoft(text, *assignments, roles=()):
    some = Azure(assignments=[Assignment(P, role, scope, WHERE) for role, scope in assignments])
    some.roles = {one.id: one for one in roles}
    for identifier in (ACCOUNT, VAULT):
        kind = "/".join(identifier.split("/")[6:8])
        some.resources[identifier] = AzureResource(identifier, kind, identifier.rpartition("/")[2], WHERE)
    access = AzureAccess(some)
    return {pair for call in calls(text) for pair in azure.needed(call, access, P)}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "az.get_blob_client('prod', 'x').download_blob().readall()",
            {(f"{BLOBS}/read", f"{ACCOUNT}/blobservices/default/containers/prod")},
        ),
        ("az.get_container_client(c).upload_blob(n, d)", {(f"{BLOBS}/write", ACCOUNT)}),
        (
            "box = az.get_container_client(container='prod')\nbox.delete_blob('x')",
            {(f"{BLOBS}/delete", f"{ACCOUNT}/blobservices/default/containers/prod")},
        ),
    ],
)
def test_the_client_of_blobs(text, want):
    assert microsoft(AZ + text, ("storage blob data contributor", RG)) == want


def test_the_client_of_key_vaults():
    text = (
        "from azure.keyvault.secrets import SecretClient\n"
        "SecretClient(vault_url='https://v.vault.azure.net', credential=c).get_secret('db')\n"
    )
    want = {("data:Microsoft.KeyVault/vaults/secrets/getSecret/action", f"{VAULT}/secrets/db")}
    assert microsoft(text, ("key vault secrets user", RG)) == want
    assert microsoft(text) == want  # nothing allows it: it stays a need


def test_a_client_of_blobs_that_is_handed_on():
    role = RoleDefinition("r", "r", (Permission(data_actions=("Microsoft.Storage/*/blobs/read",)),), WHERE)
    found = microsoft(AZ + "train(az)", ("r", ACCOUNT), roles=[role])
    assert (f"{BLOBS}/read".lower(), ACCOUNT) in found
    assert ("Microsoft.Storage/storageAccounts/*", ACCOUNT) in found
