"""``by_proxy``: whether Google's Identity-Aware Proxy asks who calls before a service of a cluster.

Sources: Google Kubernetes Engine, "Enabling IAP for GKE" and "Configure Gateway resources using Policies": a
``BackendConfig`` that a service names for its ports, a ``GCPBackendPolicy`` that names the service.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Cluster, Object

_CONFIG: Final = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")
_CLASS: Final = "kubernetes.io/ingress.class"
_OURS: Final = ("", "gce", "gce-internal")


def by_proxy(cluster: Cluster, route: Object, service: Object | None, port: Any) -> bool:
    """Whether what a route passes on to a port of a service has shown the proxy who it is."""
    if service is None:
        return False
    if route.kind == "Ingress":
        spec = route.value.get("spec")
        named = spec.get("ingressClassName") if isinstance(spec, Map) else None
        if str(named or route.labels("annotations").get(_CLASS, "")) not in _OURS:
            return False
        name = _config(service, port)
        return any(
            one.name == name and one.namespace == service.namespace and _asks(one.value.get("spec"))
            for one in cluster.of("BackendConfig")
        )
    return route.kind == "HTTPRoute" and any(
        one.namespace == service.namespace and _is_about(one, service) for one in cluster.of("GCPBackendPolicy")
    )


def _config(service: Object, port: Any) -> str:
    """The configuration that a service names for a port, by its number or name, or for all; empty for none."""
    notes = service.labels("annotations")
    try:
        given = json.loads(next((notes[key] for key in _CONFIG if key in notes), "{}"))
    except ValueError:
        return ""
    ports = given.get("ports") if isinstance(given, dict) else None
    spec = service.value.get("spec")
    written = spec.get("ports") if isinstance(spec, Map) else None
    keys = {str(port)}
    for one in written if isinstance(written, list) else ():
        if isinstance(one, Map) and port in (one.get("port"), one.get("name")):
            keys |= {str(one.get("port")), str(one.get("name"))}
    found = next((value for key, value in ports.items() if key in keys), None) if isinstance(ports, dict) else None
    found = found or (given.get("default") if isinstance(given, dict) else None)
    return found if isinstance(found, str) else ""


def _is_about(policy: Object, service: Object) -> bool:
    spec = policy.value.get("spec")
    target = spec.get("targetRef") if isinstance(spec, Map) else None
    named = isinstance(target, Map) and (target.get("kind"), target.get("name")) == ("Service", service.name)
    return named and isinstance(spec, Map) and _asks(spec.get("default"))


def _asks(value: Any) -> bool:
    proxy = value.get("iap") if isinstance(value, Map) else None
    return isinstance(proxy, Map) and proxy.get("enabled") is True
