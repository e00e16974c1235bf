"""The rules of source: a line for each, with what they cite.

This is one file because it is one list, which the guide and the pages are held against.
"""

from __future__ import annotations

from typing import Final

from assaymark.assess.rule import AssessRule
from assaymark.core.report import Severity

WEB_OPEN = AssessRule(
    "web-no-authentication",
    Severity.HIGH,
    "A route that answers whoever calls it",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
WEB_LIMIT = AssessRule(
    "web-no-input-limit",
    Severity.MEDIUM,
    "A route that takes input of any size",
    "endpoint",
    ("AML.T0029", "AML.T0034.001", "AML.M0033", "LLM10:2025", "CWE-770"),
)
WEB_RATE = AssessRule(
    "web-no-rate-limit",
    Severity.LOW,
    "An application that lets anyone call its model without end",
    "endpoint",
    ("AML.T0034.000", "AML.T0024.002", "AML.M0004", "ML05:2023", "LLM10:2025", "CWE-799"),
)
WEB_PLAIN = AssessRule(
    "web-plaintext",
    Severity.MEDIUM,
    "A server that listens without TLS",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
WEB_DEBUG = AssessRule(
    "web-debug",
    Severity.HIGH,
    "A server that is started with its debugger",
    "endpoint",
    ("AML.T0049", "AML.M0019", "CWE-489"),
)
WEB_ORIGINS = AssessRule(
    "web-open-origins",
    Severity.MEDIUM,
    "An application that trusts any web site or host name",
    "endpoint",
    ("AML.T0049", "AML.T0078", "AML.M0019", "CWE-942"),
)
WEB_SHARE = AssessRule(
    "web-public-share",
    Severity.HIGH,
    "A demonstration that is published on the internet",
    "endpoint",
    ("AML.T0040", "AML.M0019", "ML05:2023", "CWE-668"),
)
WEB_TOKEN = AssessRule(
    "web-token-unverified",
    Severity.HIGH,
    "A token whose signature nobody verifies",
    "endpoint",
    ("AML.T0049", "AML.T0091.000", "AML.M0019", "CWE-347"),
)
LOG_REQUEST = AssessRule(
    "log-request",
    Severity.HIGH,
    "What clients send is written to a log",
    "endpoint",
    ("AML.T0036", "AML.T0057", "AML.M0012", "LLM02:2025", "CWE-532"),
)
LOG_PREDICTION = AssessRule(
    "log-prediction",
    Severity.MEDIUM,
    "What a model answers is written to a log",
    "endpoint",
    ("AML.T0063", "AML.T0057", "AML.M0012", "LLM02:2025", "CWE-532"),
)
LOG_CREDENTIAL = AssessRule(
    "log-credential",
    Severity.HIGH,
    "A credential is written to a log",
    "endpoint",
    ("AML.T0055", "AML.M0012", "CWE-532"),
)
LOG_BODY = AssessRule(
    "log-body-configured",
    Severity.HIGH,
    "A server is told to log the bodies of requests",
    "endpoint",
    ("AML.T0036", "AML.T0057", "AML.M0012", "LLM02:2025", "CWE-532"),
)
LOG_SHIPPED = AssessRule(
    "log-plaintext-shipping",
    Severity.MEDIUM,
    "Logs are sent in plain text",
    "transport",
    ("AML.T0036", "AML.M0012", "CWE-319"),
)
LOG_UNREDACTED = AssessRule(
    "log-no-redaction",
    Severity.LOW,
    "Logs leave without anything being taken out",
    "transport",
    ("AML.T0036", "AML.T0057", "AML.M0012", "LLM02:2025", "CWE-532"),
)
LOAD_PICKLE = AssessRule(
    "load-pickle",
    Severity.HIGH,
    "Code that unpickles",
    "supply-chain",
    ("AML.T0011.000", "AML.T0018.002", "AML.M0011", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-502"),
)
LOAD_TORCH = AssessRule(
    "load-torch",
    Severity.HIGH,
    "torch.load that may run what it reads",
    "supply-chain",
    ("AML.T0011.000", "AML.T0018.002", "AML.M0011", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-502"),
)
LOAD_YAML = AssessRule(
    "load-yaml",
    Severity.HIGH,
    "YAML that constructs objects",
    "supply-chain",
    ("AML.T0011.000", "AML.M0011", "CWE-502"),
)
LOAD_KERAS = AssessRule(
    "load-keras",
    Severity.HIGH,
    "A Keras model that may bring code",
    "supply-chain",
    ("AML.T0011.000", "AML.T0018.002", "AML.M0011", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-502"),
)
LOAD_REMOTE = AssessRule(
    "load-remote-code",
    Severity.HIGH,
    "Code of a model's repository is run",
    "supply-chain",
    ("AML.T0010.003", "AML.T0011.000", "AML.M0011", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-94", "CWE-829"),
)
LOAD_MLFLOW = AssessRule(
    "load-mlflow",
    Severity.MEDIUM,
    "A model of an MLflow registry is unpickled",
    "supply-chain",
    ("AML.T0010.003", "AML.T0011.000", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-502"),
)
LOAD_UNPINNED = AssessRule(
    "load-unpinned-model",
    Severity.MEDIUM,
    "A model or data set that may be another one tomorrow",
    "supply-chain",
    ("AML.T0010.003", "AML.T0109", "AML.M0014", "ML10:2023", "LLM03:2025", "CWE-494"),
)
LOAD_REQUEST = AssessRule(
    "load-from-request",
    Severity.CRITICAL,
    "What a client sends decides what is loaded",
    "endpoint",
    ("AML.T0049", "AML.T0011.000", "AML.M0033", "LLM05:2025", "CWE-502"),
)
CODE = AssessRule(
    "source-code-injection",
    Severity.CRITICAL,
    "What a client or a site sends is run",
    "endpoint",
    ("AML.T0049", "AML.T0050", "AML.M0033", "LLM05:2025", "CWE-94", "CWE-78"),
)
PATH = AssessRule(
    "source-path-injection",
    Severity.HIGH,
    "A client chooses the file that is opened",
    "endpoint",
    ("AML.T0049", "AML.T0037", "AML.M0033", "CWE-22"),
)
QUERY = AssessRule(
    "source-query-injection",
    Severity.HIGH,
    "A client's text is part of a query",
    "endpoint",
    ("AML.T0049", "AML.T0085", "AML.M0033", "LLM05:2025", "CWE-89"),
)
TEMPLATE = AssessRule(
    "source-template-injection",
    Severity.HIGH,
    "A client's text is a template",
    "endpoint",
    ("AML.T0049", "AML.T0050", "AML.M0033", "LLM05:2025", "CWE-1336"),
)
UNVERIFIED = AssessRule(
    "source-tls-unverified",
    Severity.MEDIUM,
    "TLS without looking at the certificate",
    "transport",
    ("AML.T0020", "AML.M0012", "CWE-295"),
)
SECRET_AWS = AssessRule(
    "secret-aws-key",
    Severity.CRITICAL,
    "An access key of AWS in a file",
    "identity",
    ("AML.T0055", "AML.T0012", "AML.M0005", "CWE-798", "CWE-312"),
)
SECRET_CLOUD = AssessRule(
    "secret-cloud-key",
    Severity.CRITICAL,
    "A key of Azure or Google Cloud in a file",
    "identity",
    ("AML.T0055", "AML.T0012", "AML.M0005", "CWE-798", "CWE-312"),
)
SECRET_TOKEN = AssessRule(
    "secret-token",
    Severity.HIGH,
    "A token of a service in a file",
    "identity",
    ("AML.T0055", "AML.T0091.000", "AML.M0005", "CWE-798", "CWE-312"),
)
SECRET_KEY = AssessRule(
    "secret-private-key",
    Severity.HIGH,
    "A private key in a file",
    "identity",
    ("AML.T0055", "AML.M0012", "CWE-321", "CWE-312"),
)
SECRET_PASSWORD = AssessRule(
    "secret-password",
    Severity.HIGH,
    "A password in a file",
    "identity",
    ("AML.T0055", "AML.T0012", "AML.M0005", "CWE-798", "CWE-312"),
)
IMAGE = AssessRule(
    "build-image-unpinned",
    Severity.MEDIUM,
    "An image that is named by a tag, which may be moved",
    "supply-chain",
    ("AML.T0010.004", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
ROOT = AssessRule(
    "build-root-user",
    Severity.LOW,
    "An image whose programs run as root",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
REMOTE_FILE = AssessRule(
    "build-remote-file",
    Severity.MEDIUM,
    "A build that takes in a file that nothing verifies",
    "supply-chain",
    ("AML.T0010", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
PIPE = AssessRule(
    "build-pipe-to-shell",
    Severity.HIGH,
    "What an address gives is run at once",
    "supply-chain",
    ("AML.T0010.001", "AML.T0011.001", "AML.M0013", "ML06:2023", "LLM03:2025", "CWE-494", "CWE-829"),
)
SECRET_IMAGE = AssessRule(
    "build-secret-in-image",
    Severity.HIGH,
    "A secret that stays in an image",
    "identity",
    ("AML.T0055", "AML.M0012", "CWE-538", "CWE-798"),
)
HOST = AssessRule(
    "build-host-access",
    Severity.HIGH,
    "A container that has the host",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
SERVER = AssessRule(
    "build-server-open",
    Severity.HIGH,
    "A server of models, jobs or data that asks nobody who they are",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
SERVER_PLAIN = AssessRule(
    "build-server-plaintext",
    Severity.MEDIUM,
    "A server of models, jobs or data that talks in plain text",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
DEPS_UNPINNED = AssessRule(
    "deps-unpinned",
    Severity.MEDIUM,
    "Requirements that any later release meets",
    "supply-chain",
    ("AML.T0010.001", "AML.T0011.001", "AML.M0014", "AML.M0023", "ML06:2023", "LLM03:2025", "CWE-1357"),
)
DEPS_UNHASHED = AssessRule(
    "deps-unhashed",
    Severity.LOW,
    "Requirements without digests",
    "supply-chain",
    ("AML.T0010.001", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
DEPS_MOVING = AssessRule(
    "deps-moving-source",
    Severity.MEDIUM,
    "A requirement from a branch or an address",
    "supply-chain",
    ("AML.T0010.001", "AML.T0109", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
DEPS_INDEX = AssessRule(
    "deps-extra-index",
    Severity.HIGH,
    "Packages from whichever index has the higher version",
    "supply-chain",
    ("AML.T0010.001", "AML.T0011.001", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-427"),
)
DEPS_PLAIN = AssessRule(
    "deps-insecure-index",
    Severity.HIGH,
    "Packages from an index that is not verified",
    "supply-chain",
    ("AML.T0010.001", "AML.M0013", "ML06:2023", "LLM03:2025", "CWE-295", "CWE-319"),
)
DEPS_CODE = AssessRule(
    "deps-install-code",
    Severity.HIGH,
    "A package that does more than install itself",
    "supply-chain",
    ("AML.T0011.001", "AML.M0013", "ML06:2023", "LLM03:2025", "CWE-506"),
)
DEPS_COMPONENT = AssessRule(
    "deps-component-unpinned",
    Severity.MEDIUM,
    "A pipeline step that installs what is newest when it runs",
    "supply-chain",
    ("AML.T0010.001", "AML.T0020", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-1357"),
)
CI_CHECKOUT = AssessRule(
    "ci-untrusted-checkout",
    Severity.CRITICAL,
    "A stranger's code runs with a repository's secrets",
    "supply-chain",
    ("AML.T0010.001", "AML.T0055", "AML.M0005", "ML06:2023", "LLM03:2025", "CWE-829"),
)
CI_INJECTION = AssessRule(
    "ci-script-injection",
    Severity.HIGH,
    "A stranger's text becomes part of a command",
    "supply-chain",
    ("AML.T0010.001", "AML.T0050", "AML.M0033", "ML06:2023", "CWE-78"),
)
CI_ACTION = AssessRule(
    "ci-action-unpinned",
    Severity.MEDIUM,
    "A step of others that may be changed any time",
    "supply-chain",
    ("AML.T0010.001", "AML.T0109", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-829"),
)
CI_WIDE = AssessRule(
    "ci-permissions-wide",
    Severity.MEDIUM,
    "A pipeline whose token may do everything",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250"),
)
CI_PRINTED = AssessRule(
    "ci-secret-printed",
    Severity.HIGH,
    "A pipeline that prints a secret",
    "identity",
    ("AML.T0055", "AML.M0012", "CWE-532"),
)
CI_SELF = AssessRule(
    "ci-self-hosted",
    Severity.HIGH,
    "A runner of one's own that runs strangers' code",
    "supply-chain",
    ("AML.T0010.001", "AML.T0112", "AML.M0005", "CWE-829"),
)
CI_KEY = AssessRule(
    "ci-static-cloud-key",
    Severity.MEDIUM,
    "A pipeline with a long-lived key of a cloud",
    "identity",
    ("AML.T0055", "AML.T0012", "AML.M0005", "CWE-798"),
)
RULES: Final = (
    WEB_OPEN,
    WEB_LIMIT,
    WEB_RATE,
    WEB_PLAIN,
    WEB_DEBUG,
    WEB_ORIGINS,
    WEB_SHARE,
    WEB_TOKEN,
    LOG_REQUEST,
    LOG_PREDICTION,
    LOG_CREDENTIAL,
    LOG_BODY,
    LOG_SHIPPED,
    LOG_UNREDACTED,
    LOAD_PICKLE,
    LOAD_TORCH,
    LOAD_YAML,
    LOAD_KERAS,
    LOAD_REMOTE,
    LOAD_MLFLOW,
    LOAD_UNPINNED,
    LOAD_REQUEST,
    CODE,
    PATH,
    QUERY,
    TEMPLATE,
    UNVERIFIED,
    SECRET_AWS,
    SECRET_CLOUD,
    SECRET_TOKEN,
    SECRET_KEY,
    SECRET_PASSWORD,
    IMAGE,
    ROOT,
    REMOTE_FILE,
    PIPE,
    SECRET_IMAGE,
    HOST,
    SERVER,
    SERVER_PLAIN,
    DEPS_UNPINNED,
    DEPS_UNHASHED,
    DEPS_MOVING,
    DEPS_INDEX,
    DEPS_PLAIN,
    DEPS_CODE,
    DEPS_COMPONENT,
    CI_CHECKOUT,
    CI_INJECTION,
    CI_ACTION,
    CI_WIDE,
    CI_PRINTED,
    CI_SELF,
    CI_KEY,
)
