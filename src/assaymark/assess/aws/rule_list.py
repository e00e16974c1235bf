"""The rules about AWS accounts: id, severity, title, case and references."""

from __future__ import annotations

from typing import Final

from assaymark.assess.rule import AssessRule
from assaymark.core.report import Severity

ADMIN = AssessRule(
    "aws-administrator",
    Severity.HIGH,
    "A role or user that may do everything in its account",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
SERVICE_WILDCARD = AssessRule(
    "aws-service-wildcard",
    Severity.MEDIUM,
    "Every action of a service that holds models, data or identities, on every resource",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-732"),
)
PASS_ROLE = AssessRule(
    "aws-passrole-any",
    Severity.HIGH,
    "A role or user that may pass every role to every service",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-269"),
)
OIDC_SUBJECT = AssessRule(
    "aws-federation-subject",
    Severity.HIGH,
    "A role that trusts tokens of a public issuer whoever they are for",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287", "CWE-1390"),
)
OIDC_AUDIENCE = AssessRule(
    "aws-federation-audience",
    Severity.MEDIUM,
    "A role that trusts tokens made for another audience",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-287"),
)
TRUST_ANYONE = AssessRule(
    "aws-trust-anyone",
    Severity.CRITICAL,
    "A role that every AWS account may assume",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-284"),
)
CONFUSED_DEPUTY = AssessRule(
    "aws-trust-external",
    Severity.MEDIUM,
    "A role that another account may assume without an external id, an organisation or a second factor",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-441"),
)
STATIC_KEY = AssessRule(
    "aws-static-key",
    Severity.MEDIUM,
    "A user with a long-lived access key",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-798"),
)
BUCKET_PUBLIC = AssessRule(
    "aws-bucket-public",
    Severity.CRITICAL,
    "A bucket whose policy or ACL gives everyone access",
    "tenancy",
    ("AML.T0035", "AML.M0005", "ML03:2023", "LLM02:2025", "CWE-732"),
)
BUCKET_BLOCK = AssessRule(
    "aws-bucket-public-block",
    Severity.LOW,
    "A bucket that does not block public access by itself",
    "tenancy",
    ("AML.T0035", "AML.M0005", "CWE-732"),
)
BUCKET_TLS = AssessRule(
    "aws-bucket-plaintext",
    Severity.MEDIUM,
    "A bucket that may be read and written without TLS",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-319"),
)
BUCKET_NETWORK = AssessRule(
    "aws-bucket-any-network",
    Severity.LOW,
    "A bucket of models that answers every network, though one's own has an endpoint of S3",
    "tenancy",
    ("AML.T0035", "AML.T0020", "AML.M0005", "CWE-668"),
)
BUCKET_KEY = AssessRule(
    "aws-bucket-key",
    Severity.LOW,
    "Models or a tenant's data in a bucket without a key of one's own",
    "tenancy",
    ("AML.T0035", "AML.M0012", "CWE-311"),
)
ENVIRONMENTS = AssessRule(
    "aws-environment-reads-other",
    Severity.MEDIUM,
    "A role of another environment that reaches production's data",
    "tenancy",
    ("AML.T0035", "AML.T0020", "AML.M0005", "CWE-653"),
)
TENANTS_KEY = AssessRule(
    "aws-tenants-share-key",
    Severity.MEDIUM,
    "Several tenants' data under one key",
    "tenancy",
    ("AML.T0035", "AML.M0012", "CWE-653"),
)
TENANTS_ACCESS = AssessRule(
    "aws-tenant-reads-other",
    Severity.HIGH,
    "A tenant's role that reaches another tenant's data",
    "tenancy",
    ("AML.T0035", "AML.M0005", "LLM02:2025", "CWE-639"),
)
KEY_ANYONE = AssessRule(
    "aws-key-anyone",
    Severity.CRITICAL,
    "A key whose policy lets everyone decrypt",
    "identity",
    ("AML.T0035", "AML.M0005", "CWE-732"),
)
KEY_ROTATION = AssessRule(
    "aws-key-rotation",
    Severity.LOW,
    "A key that is not rotated",
    "transport",
    ("AML.M0012", "CWE-324"),
)
NOTEBOOK_ROOT = AssessRule(
    "aws-notebook-open",
    Severity.MEDIUM,
    "A notebook with root access or a direct way to the internet",
    "endpoint",
    ("AML.T0049", "AML.M0019", "CWE-250", "CWE-668"),
)
SAGEMAKER_PLAIN = AssessRule(
    "aws-sagemaker-plaintext",
    Severity.MEDIUM,
    "Training or processing whose containers talk in plain text, or whose network is not isolated",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-319"),
)
API_OPEN = AssessRule(
    "aws-api-open",
    Severity.HIGH,
    "A route of an API Gateway that asks for no authentication",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
FUNCTION_URL = AssessRule(
    "aws-function-url-open",
    Severity.HIGH,
    "A function's URL that asks for no authentication",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
REGISTRY_MUTABLE = AssessRule(
    "aws-registry-mutable",
    Severity.MEDIUM,
    "A container registry whose tags may be moved",
    "supply-chain",
    ("AML.T0010", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
SECURITY_GROUP = AssessRule(
    "aws-security-group-open",
    Severity.HIGH,
    "A security group that lets the internet reach administration or model server ports",
    "endpoint",
    ("AML.T0049", "AML.M0019", "CWE-668"),
)
PLAIN_LISTENER = AssessRule(
    "aws-listener-plaintext",
    Severity.MEDIUM,
    "A load balancer that serves in plain text",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
EFS_PLAIN = AssessRule(
    "aws-file-system-plaintext",
    Severity.MEDIUM,
    "A shared file system that is not encrypted",
    "transport",
    ("AML.T0025", "AML.M0012", "CWE-311"),
)
RULES: Final = (
    ADMIN,
    SERVICE_WILDCARD,
    PASS_ROLE,
    OIDC_SUBJECT,
    OIDC_AUDIENCE,
    TRUST_ANYONE,
    CONFUSED_DEPUTY,
    STATIC_KEY,
    BUCKET_PUBLIC,
    BUCKET_BLOCK,
    BUCKET_TLS,
    BUCKET_NETWORK,
    BUCKET_KEY,
    ENVIRONMENTS,
    TENANTS_KEY,
    TENANTS_ACCESS,
    KEY_ANYONE,
    KEY_ROTATION,
    NOTEBOOK_ROOT,
    SAGEMAKER_PLAIN,
    API_OPEN,
    FUNCTION_URL,
    REGISTRY_MUTABLE,
    SECURITY_GROUP,
    PLAIN_LISTENER,
    EFS_PLAIN,
)
