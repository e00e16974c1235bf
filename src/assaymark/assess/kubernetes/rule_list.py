"""The rules about clusters: id, severity, title, case and references."""

from __future__ import annotations

from typing import Final

from assaymark.assess.rule import AssessRule
from assaymark.core.report import Severity

ROLE_WILDCARD = AssessRule(
    "k8s-role-wildcard",
    Severity.HIGH,
    "A subject that may do everything in the cluster or a namespace",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
SECRETS_ALL = AssessRule(
    "k8s-secrets-everywhere",
    Severity.HIGH,
    "A subject that may read the secrets of every namespace",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-732"),
)
ANONYMOUS = AssessRule(
    "k8s-anonymous-binding",
    Severity.CRITICAL,
    "Rights for whoever reaches the API server",
    "identity",
    ("AML.T0012", "AML.T0049", "AML.M0005", "CWE-306"),
)
NODE_ACCESS = AssessRule(
    "k8s-node-access",
    Severity.HIGH,
    "A pod that reaches the node it runs on",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
POD_SECURITY = AssessRule(
    "k8s-pod-security-missing",
    Severity.LOW,
    "A namespace that lets privileged pods in",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-1188"),
)
NO_POLICY = AssessRule(
    "k8s-network-policy-missing",
    Severity.MEDIUM,
    "A namespace whose pods everything in the cluster reaches",
    "tenancy",
    ("AML.T0049", "AML.M0019", "CWE-668"),
)
SERVER_OPEN = AssessRule(
    "k8s-server-open",
    Severity.HIGH,
    "A server of models, jobs or data that asks nobody who they are",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
SERVER_PLAIN = AssessRule(
    "k8s-server-plaintext",
    Severity.MEDIUM,
    "A server of models, jobs or data that talks in plain text",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
INGRESS_PLAIN = AssessRule(
    "k8s-ingress-plaintext",
    Severity.MEDIUM,
    "A way into the cluster without TLS",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
MESH_PERMISSIVE = AssessRule(
    "k8s-mesh-permissive",
    Severity.MEDIUM,
    "A service mesh that lets plain text in",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
STORAGE_PLAIN = AssessRule(
    "k8s-storage-plaintext",
    Severity.MEDIUM,
    "Workers that talk to storage or tracking in plain text",
    "transport",
    ("AML.T0020", "AML.M0012", "ML02:2023", "CWE-319"),
)
NFS = AssessRule(
    "k8s-nfs-plaintext",
    Severity.MEDIUM,
    "A volume over NFS without Kerberos",
    "transport",
    ("AML.T0020", "AML.M0012", "ML02:2023", "CWE-319"),
)
SECRET_LITERAL = AssessRule(
    "k8s-secret-in-manifest",
    Severity.HIGH,
    "A secret written into a manifest",
    "transport",
    ("AML.T0055", "AML.M0012", "CWE-312", "CWE-798"),
)
IMAGE_TAG = AssessRule(
    "k8s-image-unpinned",
    Severity.MEDIUM,
    "An image that is named by a tag, which may be moved",
    "supply-chain",
    ("AML.T0010", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
IMAGE_UNSIGNED = AssessRule(
    "k8s-image-unverified",
    Severity.LOW,
    "A cluster that runs images whose signatures nobody checks",
    "supply-chain",
    ("AML.T0010", "AML.M0013", "ML06:2023", "LLM03:2025", "CWE-347"),
)
TENANTS_NAMESPACE = AssessRule(
    "k8s-tenants-share-namespace",
    Severity.HIGH,
    "Several tenants in one namespace",
    "tenancy",
    ("AML.T0035", "AML.M0005", "LLM02:2025", "CWE-653"),
)
TENANTS_VOLUME = AssessRule(
    "k8s-tenants-share-volume",
    Severity.HIGH,
    "Several tenants' workloads with one volume or cache",
    "tenancy",
    ("AML.T0035", "AML.T0020", "AML.M0005", "LLM02:2025", "CWE-653"),
)
HOST_PATH = AssessRule(
    "k8s-host-path-cache",
    Severity.MEDIUM,
    "Models or caches on a folder of the node that other pods may write",
    "tenancy",
    ("AML.T0010", "AML.T0020", "AML.M0005", "ML10:2023", "CWE-668"),
)
ROOT = AssessRule(
    "k8s-container-root",
    Severity.LOW,
    "A container that may run as root",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
RULES: Final = (
    ROLE_WILDCARD,
    SECRETS_ALL,
    ANONYMOUS,
    NODE_ACCESS,
    POD_SECURITY,
    NO_POLICY,
    SERVER_OPEN,
    SERVER_PLAIN,
    INGRESS_PLAIN,
    MESH_PERMISSIVE,
    STORAGE_PLAIN,
    NFS,
    SECRET_LITERAL,
    IMAGE_TAG,
    IMAGE_UNSIGNED,
    TENANTS_NAMESPACE,
    TENANTS_VOLUME,
    HOST_PATH,
    ROOT,
)
