"""The cluster roles that every cluster has, by the groups, resources and verbs that matter here.

Source: Kubernetes documentation, "Using RBAC Authorization", default roles and role bindings; those for users
(``view``, ``edit``, ``admin``, ``cluster-admin``) are whole, those of components are not.
"""

from __future__ import annotations

from typing import Final, TypeAlias

RBAC: Final = "rbac.authorization.k8s.io"
Rules: TypeAlias = tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]
_READ: Final = ("get", "list", "watch")
_CHANGE: Final = ("create", "delete", "deletecollection", "patch", "update")
_SETS: Final = ("deployments", "replicasets", "statefulsets")
_SCALES: Final = ("deployments/scale", "replicasets/scale", "statefulsets/scale")
_WORK: Final = (*_SETS, *_SCALES, "daemonsets")
_OLD: Final = ("daemonsets", "deployments", "deployments/scale", "ingresses", "networkpolicies", "replicasets")
_OLD_SCALES: Final = ("replicasets/scale", "replicationcontrollers/scale")
_OBJECTS: Final = (
    *("configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers"),
    *("replicationcontrollers/scale", "serviceaccounts", "services"),
)
_ENTERED: Final = ("pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy")
_VIEW: Final[Rules] = (
    (("",), _OBJECTS, _READ),
    (
        ("",),
        (
            *("persistentvolumeclaims/status", "services/status", "bindings", "events", "limitranges"),
            *("namespaces", "namespaces/status", "pods/log", "pods/status", "replicationcontrollers/status"),
            *("resourcequotas", "resourcequotas/status"),
        ),
        _READ,
    ),
    (("discovery.k8s.io",), ("endpointslices",), _READ),
    (("apps",), ("controllerrevisions", *_WORK, *(f"{one}/status" for one in (*_SETS, "daemonsets"))), _READ),
    (("autoscaling",), ("horizontalpodautoscalers", "horizontalpodautoscalers/status"), _READ),
    (("batch",), ("cronjobs", "cronjobs/status", "jobs", "jobs/status"), _READ),
    (
        ("extensions",),
        (
            *(*_OLD, *_OLD_SCALES, "daemonsets/status", "deployments/status"),
            *("ingresses/status", "replicasets/status"),
        ),
        _READ,
    ),
    (("policy",), ("poddisruptionbudgets", "poddisruptionbudgets/status"), _READ),
    (("networking.k8s.io",), ("ingresses", "ingresses/status", "networkpolicies"), _READ),
)
_EDIT: Final[Rules] = (
    (("",), _ENTERED, _READ),
    (("",), ("serviceaccounts",), ("impersonate",)),
    (("",), ("pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"), _CHANGE),
    (("",), ("pods/eviction", "serviceaccounts/token"), ("create",)),
    (
        ("",),
        (*(one for one in _OBJECTS if one not in ("pods", "endpoints")), "events", "secrets", "services/proxy"),
        _CHANGE,
    ),
    (("apps",), (*_WORK, "deployments/rollback"), _CHANGE),
    (("autoscaling",), ("horizontalpodautoscalers",), _CHANGE),
    (("batch",), ("cronjobs", "jobs"), _CHANGE),
    (("extensions",), (*_OLD, *_OLD_SCALES, "deployments/rollback"), _CHANGE),
    (("policy",), ("poddisruptionbudgets",), _CHANGE),
    (("networking.k8s.io",), ("ingresses", "networkpolicies"), _CHANGE),
    (("coordination.k8s.io",), ("leases",), (*_READ, *_CHANGE)),
    *_VIEW,
)
_ADMIN: Final[Rules] = (
    (("authorization.k8s.io",), ("localsubjectaccessreviews",), ("create",)),
    ((RBAC,), ("roles", "rolebindings"), (*_READ, *_CHANGE)),
    *_EDIT,
)
BUILT_IN: Final[dict[str, Rules]] = {
    "cluster-admin": ((("*",), ("*",), ("*",)),),
    "admin": _ADMIN,
    "edit": _EDIT,
    "view": _VIEW,
    "system:auth-delegator": (
        (("authentication.k8s.io",), ("tokenreviews",), ("create",)),
        (("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    ),
    **dict.fromkeys(("system:basic-user", "system:discovery", "system:public-info-viewer", "system:monitoring"), ()),
    "system:node": ((("",), ("secrets", "configmaps", "pods", "nodes"), _READ),),
}
WHOLE: Final = ("cluster-admin", "admin", "edit", "view", "system:auth-delegator")
BUILT_IN_ROLES: Final = (("kube-system", "extension-apiserver-authentication-reader"),)  # reads a ConfigMap
# Whose labelled roles the controller adds to those that every cluster has: what views may edit, and so on.
TAKES_IN: Final = {"view": ("view",), "edit": ("view", "edit"), "admin": ("view", "edit", "admin")}
