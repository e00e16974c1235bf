"""In which environment and tenant a thing lies, as its tags, labels and names say. Who says nothing lies in none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVIRONMENTS: Final = {
    "prod": "production",
    "prd": "production",
    "production": "production",
    "live": "production",
    "stage": "staging",
    "staging": "staging",
    "stg": "staging",
    "preprod": "staging",
    "uat": "staging",
    "dev": "development",
    "develop": "development",
    "development": "development",
    "sandbox": "development",
    "test": "test",
    "testing": "test",
    "qa": "test",
    "ci": "ci",
}
ENVIRONMENT_WORDS: Final = frozenset(_ENVIRONMENTS) - {"ci", "live"}  # which name nothing else by themselves
_ENVIRONMENT_KEYS: Final = ("environment", "env", "stage", "app.kubernetes.io/environment", "deployment-environment")
_TENANT_KEYS: Final = ("tenant", "tenant-id", "tenant_id", "tenantid", "customer", "customer-id", "client")
_WORDS: Final = re.compile(r"[a-z]+|[0-9]+")
_TENANT: Final = re.compile(r"(?:^|[-_/.])(?:tenant|customer|client)[-_]?([a-z0-9]+)(?=$|[-_/.])")
_PREFIX: Final = re.compile(r"^(?:tenant|customer|client)[-_]?")  # a tag says tenant-a where a name is of tenant a
# Words that follow in names of parts of a product: customer-support is nobody's tenant.
_NO_TENANT: Final = frozenset(
    (
        *("id", "ids", "data", "role", "roles", "s", "service", "services", "isolation", "api", "app", "apps"),
        *("support", "portal", "frontend", "backend", "db", "database", "web", "ui", "server", "proxy", "gateway"),
        *("operator", "controller", "manager", "registry", "store", "success", "care", "config", "cache", "side"),
        *("insights", "analytics", "profile", "profiles", "lib", "library", "sdk", "tools", "cli", "job", "worker"),
        *("churn", "segmentation", "feedback", "onboarding", "facing", "events", "metrics", "model", "models"),
        *("admin", "router", "provisioner", "mgmt", "management", "access", "key", "keys", "bucket", "secret"),
    )
)


def environment_of(name: str, tags: Mapping[str, str] | None = None) -> str:
    """``production``, ``staging``, ``test``, ``development``, ``ci``, or a tag's own word; empty for nobody knows."""
    for key, value in sorted((tags or {}).items()):
        if key.lower() in _ENVIRONMENT_KEYS and value:
            return _ENVIRONMENTS.get(value.lower(), value.lower())
    found = {_ENVIRONMENTS[word] for word in _WORDS.findall(name.lower()) if word in _ENVIRONMENTS and word != "ci"}
    return found.pop() if len(found) == 1 else ""


def tenant_of(name: str, tags: Mapping[str, str] | None = None) -> str:
    """The tenant that a tag or a name such as ``tenant-a-weights`` tells; empty for none."""
    for key, value in sorted((tags or {}).items()):
        if key.lower().rpartition("/")[2] in _TENANT_KEYS and value and value.lower() not in ("true", "false"):
            return _PREFIX.sub("", value.lower()) or value.lower()
    match = _TENANT.search(name.lower())
    return match[1] if match and match[1] not in _NO_TENANT else ""
