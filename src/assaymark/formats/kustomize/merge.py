"""``merged``: strategic merge patches, with the lists that Kubernetes merges by a key.

Source: Kubernetes documentation, "Update API Objects in Place Using kubectl patch", and the API reference's patch
strategies and merge keys; objects of kinds that Kubernetes does not know have none, their lists are replaced.
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.formats.kustomize.edit import copied, items_of, sequence
from assaymark.formats.located import Map, Seq

Schema = dict[str, tuple[tuple[str, ...] | None, "Schema"]]
_DIRECTIVE: Final = "$patch"
_CONTAINER: Final[Schema] = {
    "env": (("name",), {}),
    "ports": (("containerPort", "protocol"), {}),
    "volumeMounts": (("mountPath",), {}),
    "volumeDevices": (("devicePath",), {}),
    "resources": (None, {"claims": (("name",), {})}),
}
_POD: Final[Schema] = {
    "containers": (("name",), _CONTAINER),
    "initContainers": (("name",), _CONTAINER),
    "ephemeralContainers": (("name",), _CONTAINER),
    "volumes": (("name",), {}),
    "imagePullSecrets": (("name",), {}),
    "hostAliases": (("ip",), {}),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"), {}),
    "resourceClaims": (("name",), {}),
    "schedulingGates": (("name",), {}),
}
_METADATA: Final[Schema] = {"ownerReferences": (("uid",), {}), "finalizers": ((), {})}
_TEMPLATE: Final[Schema] = {"metadata": (None, _METADATA), "spec": (None, _POD)}
_TEMPLATED: Final[Schema] = {"spec": (None, {"template": (None, _TEMPLATE)})}
_WEBHOOKS: Final[Schema] = {"webhooks": (("name",), {"matchConditions": (("name",), {})})}
_KINDS: Final[dict[str, Schema]] = {
    "Pod": {"spec": (None, _POD)},
    "PodTemplate": {"template": (None, _TEMPLATE)},
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), _TEMPLATED
    ),
    "CronJob": {"spec": (None, {"jobTemplate": (None, _TEMPLATED)})},
    "Service": {"spec": (None, {"ports": (("port", "protocol"), {})})},
    "ServiceAccount": {"secrets": (("name",), {})},
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "ValidatingWebhookConfiguration": _WEBHOOKS,
    "Node": {"spec": (None, {"taints": (("key", "effect"), {})})},
}
_DEFAULTS: Final = {"protocol": "TCP"}


def schema_of(api: str, kind: str) -> Schema:
    """Which lists of a kind are merged by which keys; none for kinds that Kubernetes itself does not have."""
    group = api.rpartition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return {}
    return {"metadata": (None, _METADATA), **_KINDS.get(kind, {})}


def merged(base: Map, patch: Map, schema: Schema) -> Map | None:
    """What a patch makes of an object; None when the patch deletes it. Lines of what is new are the patch's."""
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return None
    if directive == "replace":
        return _plain_map(patch)
    found = copied(base)
    for key, item in patch.items():
        if key == _DIRECTIVE:
            continue
        if item is None:
            found.pop(key, None)
            found.lines.pop(key, None)
            continue
        _put(found, key, item, patch.at(key), schema.get(key, (None, {})))
    return found


def _put(found: Map, key: str, item: Any, line: int, field: tuple[tuple[str, ...] | None, Schema]) -> None:
    keys, inner = field
    old = found.get(key)
    if isinstance(old, Map) and isinstance(item, Map):
        new = merged(old, item, inner)
        if new is None:
            found.pop(key)
            found.lines.pop(key, None)
        else:
            found.put(key, new, found.at(key))
    elif isinstance(item, Seq):
        found.put(key, _lists(old if isinstance(old, Seq) else Seq(line), item, keys, inner), line)
    elif not (isinstance(item, Map) and item.get(_DIRECTIVE) == "delete"):
        found.put(key, _plain(item), line)


def _lists(base: Seq, patch: Seq, keys: tuple[str, ...] | None, inner: Schema) -> Seq:
    """A list that a patch changes: what the patch names comes first."""
    named = [item.get(_DIRECTIVE) for item in patch if isinstance(item, Map)]
    if keys is None or "replace" in named:
        return sequence(((_plain(item), line) for item, line in items_of(patch) if not _directed(item)), patch.line)
    if not keys:
        added = [one for one in items_of(patch) if one[0] not in base]
        return sequence([*added, *items_of(base)], base.line)
    used = keys if all(isinstance(one, Map) and keys[-1] in one for one in (*base, *patch)) else keys[:1]
    places = {_key(item, used): index for index, item in reversed(list(enumerate(base)))}
    kept: list[tuple[Any, int] | None] = list(items_of(base))
    first: list[tuple[Any, int]] = []
    for item, line in items_of(patch):
        place = places.get(_key(item, used))
        old = kept[place] if place is not None else None
        if place is None or old is None or not isinstance(item, Map):
            if not _directed(item):
                first.append((_plain(item), line))
            continue
        new = merged(old[0], item, inner)
        if new is not None:
            first.append((new, old[1]))
        kept[place] = None
    return sequence([*first, *(one for one in kept if one is not None)], base.line)


def _key(item: Any, keys: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(item, Map):
        return ("",)
    return tuple(str(item.get(key, _DEFAULTS.get(key))) for key in keys)


def _directed(item: Any) -> bool:
    """Whether an item only says what is to be done."""
    return isinstance(item, Map) and item.get(_DIRECTIVE) in ("delete", "replace")


def _plain(value: Any) -> Any:
    """What a patch adds, without directives and without what it would take away."""
    if isinstance(value, Map):
        return _plain_map(value)
    if isinstance(value, Seq):
        return sequence(((_plain(item), line) for item, line in items_of(value) if not _directed(item)), value.line)
    return value


def _plain_map(value: Map) -> Map:
    found = Map(value.line, value.path)
    for key, item in value.items():
        if key != _DIRECTIVE and item is not None and not _directed(item):
            found.put(key, _plain(item), value.at(key))
    return found
