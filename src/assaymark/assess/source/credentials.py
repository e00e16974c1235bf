"""Credentials that are written into files: what has the shape of one, and what is called one.

Nothing of a credential leaves this module but its first four characters, and the id of an AWS access key, which is no
secret and tells the account that it belongs to. A value that says itself that it is an example is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import HeldKey, Secret
from assaymark.assess.source.beside import beside
from assaymark.assess.source.held_keys import ACCOUNT_KEY, AWS_KEY, CLIENT_SECRET, EMULATOR_KEY, PASSWORD, held_keys
from assaymark.assess.source.placeholders import placeholder, to_fill
from assaymark.core.errors import InputError
from assaymark.core.limits import SECRETS_MAX_BYTES
from assaymark.core.report import Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a credential looks like. ``hint``: a text without which the pattern cannot match, looked for first."""

    rule: str
    kind: str
    hint: str
    pattern: re.Pattern[str]
    severity: Severity


def _shape(rule: str, kind: str, hint: str, pattern: str, severity: Severity = Severity.HIGH) -> _Shape:
    return _Shape(rule, kind, hint, re.compile(pattern), severity)


_EDGE: Final = r"(?<![A-Za-z0-9_-])"
_END: Final = r"(?![A-Za-z0-9_-])"
_SHAPES: Final = (
    _shape(
        "secret-cloud-key",
        "an Azure storage key",
        "AccountKey=",
        r"AccountKey=([^;\"'\s]{8,200})",
        Severity.CRITICAL,
    ),
    _shape(
        "secret-cloud-key",
        "an Azure client secret",
        "8Q~",
        _EDGE + r"([A-Za-z0-9_~.]{3}8Q~[A-Za-z0-9_~.-]{31,34})",
        Severity.CRITICAL,
    ),
    _shape(
        "secret-cloud-key",
        "an Azure shared access key",
        "SharedAccessKey=",
        r"SharedAccessKey=([A-Za-z0-9+/]{43}=)",
        Severity.CRITICAL,
    ),
    _shape(
        "secret-cloud-key",
        "an Azure shared access signature",
        "sig=",
        r"[?&]s[vp]=[^\s\"']{0,500}[?&]sig=([A-Za-z0-9%+/]{40,})",
        Severity.HIGH,
    ),
    _shape("secret-cloud-key", "a Google API key", "AIza", _EDGE + r"(AIza[0-9A-Za-z_-]{35})" + _END, Severity.HIGH),
    _shape(
        "secret-cloud-key",
        "a Google OAuth client secret",
        "GOCSPX-",
        _EDGE + r"(GOCSPX-[A-Za-z0-9_-]{28})" + _END,
        Severity.HIGH,
    ),
    _shape("secret-token", "a GitHub token", "gh", _EDGE + r"(gh[pousr]_[A-Za-z0-9]{36,})" + _END),
    _shape("secret-token", "a GitHub token", "github_pat_", _EDGE + r"(github_pat_[A-Za-z0-9_]{60,})" + _END),
    _shape("secret-token", "a GitLab token", "glpat-", _EDGE + r"(glpat-[A-Za-z0-9_-]{20,})" + _END),
    _shape("secret-token", "a Hugging Face token", "hf_", _EDGE + r"(hf_[A-Za-z0-9]{30,})" + _END),
    _shape("secret-token", "an Anthropic API key", "sk-ant-", _EDGE + r"(sk-ant-[A-Za-z0-9_-]{30,})" + _END),
    _shape(
        "secret-token",
        "an OpenAI API key",
        "sk-",
        _EDGE + r"(sk-(?!ant-)(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,})" + _END,
    ),
    _shape("secret-token", "a Slack token", "xox", _EDGE + r"(xox[abeoprs]-[A-Za-z0-9-]{20,})" + _END),
    _shape(
        "secret-token",
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/(T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,})",
    ),
    _shape("secret-token", "a PyPI token", "pypi-AgE", _EDGE + r"(pypi-AgE[A-Za-z0-9_-]{50,})" + _END),
    _shape("secret-token", "an npm token", "npm_", _EDGE + r"(npm_[A-Za-z0-9]{36})" + _END),
    _shape("secret-token", "a Databricks token", "dapi", _EDGE + r"(dapi[0-9a-f]{32}(?:-\d)?)" + _END),
    _shape("secret-token", "a Docker Hub token", "dckr_pat_", _EDGE + r"(dckr_pat_[A-Za-z0-9_-]{27})" + _END),
    _shape("secret-token", "a Stripe key", "sk_live_", _EDGE + r"(sk_live_[A-Za-z0-9]{24,})" + _END),
    _shape("secret-token", "a SendGrid key", "SG.", _EDGE + r"(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})" + _END),
    _shape("secret-token", "a Replicate token", "r8_", _EDGE + r"(r8_[A-Za-z0-9]{37})" + _END),
    _shape("secret-token", "a Groq key", "gsk_", _EDGE + r"(gsk_[A-Za-z0-9]{50,})" + _END),
    _shape("secret-token", "a Vault token", "hvs.", _EDGE + r"(hvs\.[A-Za-z0-9_-]{24,})" + _END),
)
_AWS_SECRET: Final = re.compile(
    r"(?i:secret\w{0,30}|aws\w{0,30}key)[\"']?[ \t]{0,20}[:=]?>?[ \t]{0,20}(?:value[\"']?[ \t]{0,20}[:=][ \t]{0,20})?"
    r"[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_PRIVATE: Final = re.compile(
    r"-----BEGIN ((?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:\\n|\s|\")*([A-Za-z0-9+/=\\\s:,.-]{4,})"
)
_URL: Final = re.compile(
    r"\b([a-z][a-z0-9+.-]{2,20})://([^\s:/@\"'<>{}$]{0,60}):([^\s:/@\"'<>{}$]{3,100})@([A-Za-z0-9][\w.-]*)",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+|[-\"'{,][ \t]*|self\.|-e\s+|[\w.]{1,60}\[){0,4}[\"']?"
    r"((?:[A-Za-z][\w.-]{0,60}[_.-])?"
    r"(?:password|passwd|pwd|secret|api[_-]?key|secret[_-]?key|auth[_-]?token|access[_-]?token|api[_-]?token|client[_-]?secret|"
    r"private[_-]?key|encryption[_-]?key|signing[_-]?key|jwt[_-]?secret|token|"
    r"(?<=[_-])pass))[\"']?\]?[ \t]*(?::[ \t]*str[ \t]*)?(?:=|:)[ \t]*"
    r"([\"']?)([^\s\"'#,;(){}\[\]<>$]{6,200})\2[ \t]*(?:[,#;}].*)?$"
)
_PASS: Final = re.compile(
    r"(?i)(?:^|[_.-])(?:db|database|smtp|mail|email|mysql|postgres|pg|redis|mongo\w*|user|admin|root|ftp|sftp|ldap|mqtt|"
    r"rabbitmq|broker|proxy|registry|docker|auth|login|http|es|elastic\w*|kafka|sasl|basic|api|app|service)[_.-]pass$"
)
_INLINE: Final = re.compile(
    r"(?i)(?<![\w.])[\"']?((?:[a-z]\w{0,40}_)?(?:password|passwd|pwd|secret|api_?key|secret_?key|auth_?token|access_?token|"
    r"client_?secret|private_?key))[\"']?[ \t]{0,4}(?:=(?!=)|:)[ \t]{0,4}([\"'])([^\s\"'#,;(){}\[\]<>$]{6,200})\2"
)
_TERRAFORM: Final = re.compile(
    r"(?m)^[ \t]*\"?((?:\w{1,60}_)?(?:password|passwd|secret_key|client_secret|api_key|access_token|auth_token|"
    r"private_key|secret_string))\"?[ \t]*[=:][ \t]*\"([^\"$\n]{4,200})\"[ \t]*,?[ \t]*(?:#.*|//.*)?$"
)
_DEFAULT: Final = re.compile(
    r"\bvariable[ \t]+\"(\w{0,60}(?:password|passwd|secret|token|api_key|private_key))\"[ \t]*\{[^{}]{0,2000}?"
    r"^[ \t]*default[ \t]*=[ \t]*\"([^\"$\n]{4,200})\"",
    re.MULTILINE,
)
_NAMED_FILES: Final = (
    *(".py", ".env", ".ini", ".cfg", ".conf", ".toml", ".properties", ".sh", ".ipynb", ".tfvars", ".yaml", ".yml"),
    ".json",
)
# Formats with rules of their own for what is called a secret.
_ELSEWHERE: Final = re.compile(r"(?m)^(?:apiVersion|services)[ \t]*:|\"apiVersion\"|\"Statement\"")
_NOT_VALUE: Final = re.compile(
    r"^(?:true|false|none|null|str|string|int|bytes|optional\b.*|os\..*|get\w*|input|self\..*|settings\..*|config\..*|"
    r"request\..*|args\..*|[a-z_]+\.[a-z_.]+|/.*|\./.*|https?:.*|s3:.*|file:.*|\d+|[A-Z_]+|.*\.(?:json|ya?ml|pem|txt|key)|"
    r"bearer|basic|sha\d+|hs256|rs256|cls|pad|eos|bos|unk|mask)$",
    re.IGNORECASE,
)
_LEFT_OUT: Final = re.compile(
    r"\.(?:lock|min\.js|map|svg|csv|tsv|parquet|pt|bin|onnx|png|jpe?g|gif|pdf|zip|gz|tar|whl|so|dll|pyc|safetensors|h5|npz?|(?:md|rst)(?:\.gotmpl)?)$"
    r"|(?:^|/)(?:package-lock\.json|yarn\.lock|poetry\.lock|uv\.lock|pnpm-lock\.yaml|LICENSE[\w.]*)$",
    re.IGNORECASE,
)
_AZURE_KEY: Final = re.compile(r"[A-Za-z0-9+/]{86}==")
_AROUND: Final = 1500  # characters in which what tells whose a key is stands
_SHORT: Final = 64  # characters of a key that is none
_OF_SHAPE: Final = {
    "AccountKey=": ("azure-storage",),
    "sig=": ("azure-storage",),
    "8Q~": ("azure-client",),
}
_MILDER_HOSTS: Final = ("localhost", "127.0.0.1", "db", "postgres", "redis", "rabbitmq", "mongo", "mysql", "host")


def collect(inputs: Inputs, source: Source) -> None:
    """Searches every text file."""
    for file in inputs.files:
        _metadata(inputs, file, source)
        if len(file.data) > SECRETS_MAX_BYTES or _LEFT_OUT.search(file.path) or b"\0" in file.data[:8192]:
            continue
        try:
            text = file.text()
        except InputError:
            continue
        found = sorted(_secrets(file, text), key=lambda one: (one.because.line, one.kind))
        lines = {(one.because.line, one.shown) for one in found if one.rule != "secret-password"}
        if any(one.rule == "secret-aws-key" for one in found):  # which is its id and secret together
            lines |= {(_line(text, match.start(1)), match[1][:4]) for match in _AWS_SECRET.finditer(text)}
        source.secrets += [
            one for one in found if one.rule != "secret-password" or (one.because.line, one.shown) not in lines
        ]


def _metadata(inputs: Inputs, file: SourceFile, source: Source) -> None:
    """``aws iam list-access-keys``: whose key an id is."""
    if b"AccessKeyMetadata" in file.data:
        for document in inputs.documents_of(file):
            given = document.value.get("AccessKeyMetadata") if isinstance(document.value, Map) else None
            for one in given if isinstance(given, list) else ():
                if (
                    isinstance(one, Map)
                    and isinstance(one.get("AccessKeyId"), str)
                    and isinstance(one.get("UserName"), str)
                ):
                    source.owners[one["AccessKeyId"]] = (one["UserName"], file.because(one.line))
                    source.inactive |= {one["AccessKeyId"]} if one.get("Status") == "Inactive" else set()
                    inputs.reading.read.add(file.path)


def _secrets(file: SourceFile, text: str) -> Iterator[Secret]:
    for shape in _SHAPES:
        if shape.hint in text:
            for match in shape.pattern.finditer(text):
                yield from _shaped(file, text, shape, match)
    if "AKIA" in text or "ASIA" in text:
        yield from _aws(file, text)
    if "PRIVATE KEY" in text:
        yield from _keys(file, text)
    if "://" in text and "@" in text:
        yield from _urls(file, text)
    if "client" in text.lower() or '"appId"' in text:
        yield from _clients(file, text)
    if "==" in text:
        yield from _storage_pair(file, text)
    yield from _by_name(file, text)


def _by_name(file: SourceFile, text: str) -> Iterator[Secret]:
    """What is called a secret, in the ways of the file's format."""
    name = file.path.lower().rpartition("/")[2]
    if name.endswith(_NAMED_FILES) or name.startswith(".env"):
        yield from _named(file, text, python=name.endswith((".py", ".ipynb", ".json")))
    elif name.endswith((".tf", ".tf.json")):
        yield from _in_terraform(file, text)
    yield from _beside(file, text, name)


def _shaped(file: SourceFile, text: str, shape: _Shape, match: re.Match[str]) -> Iterator[Secret]:
    """A storage key stands where a program takes it from, so an example's is one too, if a milder one."""
    storage = shape.hint == "AccountKey="
    if (to_fill(match[1]) if storage else placeholder(match[1])) or match[1].startswith(EMULATOR_KEY):
        return
    near = text[max(0, match.start() - _AROUND) : match.end() + _AROUND]
    keys = [key for key in held_keys(near) if key.kind in _OF_SHAPE.get(shape.hint, ())]
    mild = storage and (placeholder(match[1]) or not _AZURE_KEY.fullmatch(match[1]))
    severity = Severity.MEDIUM if mild else shape.severity
    yield _secret(file, text, match.start(1), match[1], shape.rule, shape.kind, severity, keys[0] if keys else None)


def _line(text: str, start: int) -> int:
    """The line that a place in a text is on."""
    return text.count("\n", 0, start) + 1


def _secret(
    file: SourceFile,
    text: str,
    start: int,
    value: str,
    rule: str,
    kind: str,
    severity: Severity,
    key: HeldKey | None = None,
) -> Secret:
    line = _line(text, start)
    return Secret(rule, kind, value[:4], file.because(line), severity, key)


def _aws(file: SourceFile, text: str) -> Iterator[Secret]:
    """Ids of access keys. An example's counts, mildly, where a secret stands with it: a program takes both."""
    secrets = [match[1] for match in _AWS_SECRET.finditer(text) if not to_fill(match[1])]
    pairs = any(not placeholder(one) and len(set(one)) > 15 for one in secrets)  # noqa: PLR2004
    keys = {key.identity: key for key in held_keys(text) if key.kind == "aws"}
    for match in AWS_KEY.finditer(text):
        key = match[1]
        example = placeholder(key)
        if key not in keys or (example and not secrets):
            continue
        line = _line(text, match.start())
        if "AccessKeyMetadata" in text and not pairs:
            continue  # a list of whose keys there are
        temporary = key.startswith("ASIA")
        severity = Severity.MEDIUM if temporary or not pairs else Severity.CRITICAL
        kind = f"an AWS access key{' of a session' if temporary else '' if secrets else ' id'}"
        shown = Severity.LOW if example else severity
        yield Secret("secret-aws-key", kind, key[:4], file.because(line), shown, keys[key])


def _keys(file: SourceFile, text: str) -> Iterator[Secret]:
    for match in _PRIVATE.finditer(text):
        body = match[2]
        google = '"service_account"' in text and '"private_key"' in text
        example = placeholder(body[:40]) or re.search(r"example|\.\.\.", body, re.IGNORECASE)
        if "ENCRYPTED" in match[1] or (example and not google) or (len(body) < _SHORT and not google):
            continue
        if google:
            who = re.search(r'"client_email"\s*:\s*"([^"]+)"', text)
            key = HeldKey("google", who[1]) if who else None
            severity = Severity.MEDIUM if example or len(body) < _SHORT else Severity.CRITICAL
            kind = "a Google service account key"
            yield _secret(file, text, match.start(), "----", "secret-cloud-key", kind, severity, key)
        else:
            yield _secret(file, text, match.start(), "----", "secret-private-key", "a private key", Severity.HIGH)


def _clients(file: SourceFile, text: str) -> Iterator[Secret]:
    """The secret of an application of Entra ID beside its id, whatever form the secret has."""
    key = next((one for one in held_keys(text) if one.kind == "azure-client"), None)
    for match in CLIENT_SECRET.finditer(text) if key is not None else ():
        if not placeholder(match[1]) and "8Q~" not in match[1] and not _NOT_VALUE.match(match[1]):
            kind = "an Azure client secret"
            yield _secret(file, text, match.start(1), match[1], "secret-cloud-key", kind, Severity.HIGH, key)

    for match in PASSWORD.finditer(text):
        if not placeholder(match[2]):
            own = HeldKey("azure-client", match[1].lower())
            kind = "an Azure client secret"
            yield _secret(file, text, match.start(2), match[2], "secret-cloud-key", kind, Severity.HIGH, own)


def _storage_pair(file: SourceFile, text: str) -> Iterator[Secret]:
    """The key of a storage account that stands by itself, with the account where one is named."""
    known = [one for one in held_keys(text) if one.kind == "azure-storage" and not one.until and not one.decides]
    for match in ACCOUNT_KEY.finditer(text) if "==" in text else ():
        if not placeholder(match[1]) and not match[1].startswith(EMULATOR_KEY):
            key = known[0] if len(known) == 1 else None
            kind = "an Azure storage key"
            yield _secret(file, text, match.start(1), match[1], "secret-cloud-key", kind, Severity.CRITICAL, key)


def _urls(file: SourceFile, text: str) -> Iterator[Secret]:
    for match in _URL.finditer(text):
        scheme, user, password, host = match[1], match[2], match[3], match[4]
        if (
            placeholder(password)
            or (user and placeholder(user))
            or host.endswith(("example.com", "example.org"))
            or password == user
        ):
            continue
        if password.lower() in ("pass", "pwd", "passwd", "postgres", "guest", "root", "admin"):
            continue
        mild = host in _MILDER_HOSTS or "." not in host
        severity = Severity.MEDIUM if mild else Severity.HIGH
        yield _secret(
            file, text, match.start(3), password, "secret-password", f"a password for {scheme}://{host}", severity
        )


def _in_terraform(file: SourceFile, text: str) -> Iterator[Secret]:
    """Literals that resources are given, and defaults of variables: a weak one is used as it is, too."""
    for match in (*_TERRAFORM.finditer(text), *_DEFAULT.finditer(text)):
        name, value = match[1], match[2]
        if to_fill(value) or _NOT_VALUE.match(value) or value.lower() == name.lower() or "PRIVATE KEY" in value:
            continue
        severity = Severity.MEDIUM if placeholder(value) else Severity.HIGH
        yield _secret(file, text, match.start(2), value, "secret-password", f"a value of {name}", severity)


def _beside(file: SourceFile, text: str, name: str) -> Iterator[Secret]:
    for called, start, value in beside(name, text):
        if not placeholder(value) and not _NOT_VALUE.match(value):
            kind = f"a value of {called}"
            yield _secret(file, text, start, value, "secret-password", kind, Severity.HIGH)


def _names_secret(text: str, name: str) -> bool:
    """Whether a shell variable is the name of a secret that a command then asks for."""
    asked = r"(?:\bsecrets?\s+(?:generic\s+|tls\s+)?|--(?:secret|secret-id|secret-name)[=\s])"
    return re.search(rf"""{asked}["']?\$\{{?{re.escape(name)}\b""", text) is not None


def _named(file: SourceFile, text: str, *, python: bool) -> Iterator[Secret]:
    if _ELSEWHERE.search(text):
        return
    seen: set[int] = set()
    for match in (*_NAMED.finditer(text), *(_INLINE.finditer(text) if python else ())):
        name, quote, value = match[1], match[2], match[3]
        if match.start(3) in seen:
            continue
        seen.add(match.start(3))
        if python and not quote:
            continue
        if placeholder(value) or _NOT_VALUE.match(value) or value.lower() == name.lower():
            continue
        if name.lower().endswith("pass") and not _PASS.search(name):
            continue  # the forward pass of a model
        if name.lower() == "token" and (len(value) < 16 or not re.search(r"\d", value)):  # noqa: PLR2004 - words of models
            continue
        if not python and _names_secret(text, name):
            continue
        weak = not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)) and not re.search(r"[^\w.-]", value)
        severity = Severity.MEDIUM if weak else Severity.HIGH
        yield _secret(file, text, match.start(3), value, "secret-password", f"a value of {name}", severity)
