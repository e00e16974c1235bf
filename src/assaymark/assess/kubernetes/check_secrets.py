"""Values of secrets that are written down: in Secrets, variables, arguments, ConfigMaps and URLs.

What is no value (a reference, a placeholder, something that a tool encrypted) is passed over; the lists are of
spellings that are usual in templates and examples.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.rule_list import SECRET_LITERAL
from assaymark.assess.rule import found
from assaymark.assess.unresolved import Unresolved
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because
    from assaymark.core.report import Finding

_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|secret_?key|credentials?)"
    r"(?:$|[_.-])",
    re.IGNORECASE,
)
_OTHER_NAME: Final = re.compile(
    r"[_.-](?:file|path|dir|name|id|url|uri|mode|ttl|type|enabled|algorithm|header|prefix|length|expir\w*|endpoint"
    r"|issuer|audience|provider|store|backend|manager|engine|ref|version|namespace|minutes|seconds|limit)$",
    re.IGNORECASE,
)
_REPLACE: Final = re.compile(r"(?:^|\s)#.*(?:replace (?:with|this|me)|change ?me|\byour\b)", re.IGNORECASE)
_NO_VALUE: Final = re.compile(
    r"|true|false|yes|no|none|null|nil|enabled?|disabled?|on|off|[\d.]+|<.*>|\$.*|%.*|\{\{.*|\[.*\]|x+|\*+|\.\.\.|['\"]{2}"
    r"|(?:change|replace|your|insert|todo|fixme|example|placeholder|redacted|dummy|put|enter).*|.*[-_]here"
    r"|ENC\[.*|vault:.*|ref\+.*|op://.*|arn:.*|projects/.*|/.*|https?://.*|-----BEGIN (?:CERTIFICATE|PUBLIC KEY).*",
    re.IGNORECASE | re.DOTALL,
)
_IN_URL: Final = re.compile(r"^[a-z][\w+.-]*://[^/\s:@]*:([^@/\s]+)@", re.IGNORECASE)
_KNOWN_FORM: Final = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|hf_[A-Za-z]{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{35})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_FLAG: Final = re.compile(
    r"--?[\w.-]*(?:api[-_]?key|password|passwd|requirepass|token|secret[-_]key|client[-_]secret)(?:=(.*))?",
    re.IGNORECASE | re.DOTALL,
)
# Keys of Secrets whose values are no secrets, without their punctuation.
_OPEN_KEYS: Final = frozenset(
    (
        *("username", "user", "login", "email", "name", "host", "hostname", "server", "port", "database", "dbname"),
        *("db", "url", "uri", "endpoint", "region", "bucket", "namespace", "type", "cacrt", "tlscrt", "capem"),
        *("cert", "clientid", "issuer", "accesskey", "accesskeyid", "awsaccesskeyid", "project"),
    )
)
_OPEN_ENDS: Final = ("username", "user", "accountname", "address", "host", "hostname", "port", "dbname", "database")
_NO_CREDENTIALS: Final = ("helm.sh/release.v1",)


def check_secrets(network: Network) -> Iterator[Finding]:
    """Findings about values of secrets in manifests."""
    for one in network.cluster.of("Secret"):
        if one.value.get("type") not in _NO_CREDENTIALS:
            yield from _object(one)
    for one in network.cluster.of("ConfigMap"):
        data = one.value.get("data")
        for key, value in data.items() if isinstance(data, Map) else ():
            if isinstance(value, str) and "\n" not in value and _written(key, value):
                message = f"ConfigMap {one.namespace}/{one.name} has the value of {key}"
                yield found(SECRET_LITERAL, f"{one.id}#{key}", message, (one.because(data, key),))
    for pod in network.own_pods():
        for container in pod.containers():
            yield from _variables(pod, container)
            yield from _arguments(pod, container)


def _written(name: str, value: str) -> bool:
    """Whether a value is a secret by its own form, or by its name."""
    if isinstance(value, Unresolved):
        return False
    inside = _IN_URL.match(value)
    if inside:
        return not _NO_VALUE.fullmatch(inside[1])
    if _KNOWN_FORM.search(value):
        return True
    return bool(_SECRET_NAME.search(name)) and not _OTHER_NAME.search(name) and not _NO_VALUE.fullmatch(value)


def _variables(pod: Pod, container: Map) -> Iterator[Finding]:
    said = [
        item for item in listed(container.get("env")) if isinstance(item, Map) and isinstance(item.get("name"), str)
    ]
    paired = any("SECRET" in str(item["name"]).upper() for item in said)
    for item in said:
        name, value = str(item["name"]), item.get("value")
        # Beside a secret, an access key is its user's name.
        name_only = paired and name.upper().endswith("ACCESS_KEY") and "SECRET" not in name.upper()
        if isinstance(value, str) and _written(name, value) and not name_only and not _to_replace(pod, item):
            message = f"{pod.shown} has the value of {name} in its manifest"
            yield found(SECRET_LITERAL, f"{pod.id}#{name}", message, (pod.because(item),))


def _to_replace(pod: Pod, item: Map) -> bool:
    """Whether a comment beside a name or value asks to replace it."""
    lines = pod.owner.file.data.splitlines()
    number = item.at("value")
    return any(_REPLACE.search(line.decode("utf-8", "replace")) for line in lines[max(item.line - 1, 0) : number])


def _arguments(pod: Pod, container: Map) -> Iterator[Finding]:
    for key in ("command", "args"):
        words = [str(one) for one in listed(container.get(key))] if isinstance(container.get(key), list) else []
        for word, after in zip(words, [*words[1:], ""], strict=False):
            flag = _FLAG.fullmatch(word)
            if flag is None:
                continue
            value = flag[1] if flag[1] is not None else "" if after.startswith("-") else after
            if not _NO_VALUE.fullmatch(value):
                shown = word.partition("=")[0]
                message = f"{pod.shown} has the value of {shown} in its manifest"
                yield found(SECRET_LITERAL, f"{pod.id}#{shown}", message, (pod.because(container, key),))


def _object(one: Object) -> Iterator[Finding]:
    kept: list[tuple[bool, int, str, Because]] = []
    for field in ("data", "stringData"):
        values = one.value.get(field)
        for key, value in values.items() if isinstance(values, Map) else ():
            text = _decoded(value) if field == "data" else value
            if isinstance(text, str) and _kept(str(key), text):
                kept.append((not _written(str(key), text), len(kept), str(key), one.because(values, key)))
    if kept:
        _, _, key, place = min(kept)  # the one that says by its name what it is, else the first
        message = f"Secret {one.namespace}/{one.name} is in the repository with its value ({key})"
        yield found(SECRET_LITERAL, one.id, message, (place,))


def _kept(key: str, text: str) -> bool:
    if isinstance(text, Unresolved):
        return False
    if _IN_URL.match(text) or _KNOWN_FORM.search(text):
        return _written(key, text)
    letters = re.sub(r"[^a-z0-9]", "", key.lower())
    plain = letters in _OPEN_KEYS or letters.endswith(_OPEN_ENDS) or key.lower().endswith((".crt", ".pub", "_id"))
    return not plain and not _NO_VALUE.fullmatch(text)


def _decoded(value: Any) -> Any:
    """The text of a value in base64; as it is written when it is none, as where a tool has encrypted it."""
    if not isinstance(value, str) or isinstance(value, Unresolved):
        return value
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace").strip()
    except (binascii.Error, ValueError):
        return value
