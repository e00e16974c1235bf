"""Configuration of logging: Fluent Bit, Fluentd, Promtail, nginx, and Python's own; in files and ConfigMaps."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.source import Remark
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_SENDS: Final = frozenset(
    (
        *("http", "forward", "es", "opensearch", "elasticsearch", "loki", "splunk", "gelf", "tcp", "syslog", "kafka"),
        *("influxdb", "logdna", "nats", "datadog", "opentelemetry", "vivo_exporter", "websocket"),
    )
)
_ALWAYS_TLS: Final = frozenset(("datadog", "logdna"))
_LOCAL: Final = re.compile(r"^(?:localhost|127\.|::1|\[::1\]|unix:)")
_REDACTS: Final = re.compile(
    r"remove|redact|mask|replace|hash|delete|exclude|lua|scrub|gsub|drop|allowlist_key|script", re.IGNORECASE
)
_BODY: Final = re.compile(
    r"\$request_body|%\(request_body\)s|%REQUEST_BODY%|\$http_authorization|%\(body\)s|\$upstream_http_body"
)
_SECTION: Final = re.compile(r"^\s*\[(\w+)\]\s*$")


def collect(inputs: Inputs, estates: Estates) -> None:
    """Reads what is configuration of logging by its content."""
    _files(inputs, estates)
    _documents(inputs, estates)


def _files(inputs: Inputs, estates: Estates) -> None:
    source = estates.source
    for file in inputs.files:
        name = file.path.rpartition("/")[2].lower()
        if not (name.endswith((".conf", ".cfg", ".ini", ".fluent")) or "fluent" in name):
            continue
        if name.endswith((".yaml", ".yml", ".json", ".py", ".md", ".txt")):
            continue
        try:
            text = file.text()
        except InputError:
            continue  # no text, so no configuration of logging
        found = list(_text(text, file.path, file.because))
        if (
            found
            or re.search(r"^[ \t]*\[(?:OUTPUT|INPUT|SERVICE|FILTER)\]", text, re.MULTILINE | re.IGNORECASE)
            or "<match" in text
        ):
            inputs.reading.read.add(file.path)
            source.remarks += found


def _documents(inputs: Inputs, estates: Estates) -> None:
    source = estates.source
    for file, value in inputs.maps():
        if "apiVersion" in value:
            continue
        pipeline = value.get("pipeline")
        if isinstance(pipeline, Map) and isinstance(pipeline.get("outputs"), list):
            inputs.reading.read.add(file.path)
            source.remarks += _yaml(pipeline, file.because)
        clients = value.get("clients")
        if isinstance(clients, list) and ("scrape_configs" in value or "positions" in value):
            inputs.reading.read.add(file.path)
            source.remarks += _promtail(clients, file.because)
        if isinstance(value.get("handlers"), Map) and ("formatters" in value or "version" in value):
            inputs.reading.read.add(file.path)
            source.remarks += _handlers(value["handlers"], file.because)
    for one in estates.kubernetes.of("ConfigMap"):
        data = one.value.get("data")
        for key, text in data.items() if isinstance(data, Map) else ():
            if isinstance(text, str) and isinstance(data, Map):
                first = data.at(key) if "\n" in text else data.at(key) - 1
                source.remarks += _text(text, f"{one.id} {key}", partial(_below, one.file, first))


def _below(file: SourceFile, first: int, line: int) -> Because:
    return file.because(first + line)


def _text(text: str, about: str, at: Any) -> Iterator[Remark]:
    if "[" in text and re.search(r"^[ \t]*\[OUTPUT\]", text, re.MULTILINE | re.IGNORECASE):
        yield from _sections(text, about, at)
    if "<match" in text:
        yield from _fluentd(text, about, at)
    if "log_format" in text or "%(" in text or "access_log" in text:
        for number, line in enumerate(text.split("\n"), 1):
            if _BODY.search(line) and not line.lstrip().startswith("#"):
                message = "the server writes what clients send, or their credentials, to its access log"
                yield Remark("log-body-configured", about, message, (at(number),))


def _sections(text: str, about: str, at: Any) -> Iterator[Remark]:
    """Fluent Bit's classic format."""
    sections: list[tuple[str, int, dict[str, str], str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _SECTION.match(line)
        if match:
            sections.append((match[1].lower(), number, {}, ""))
        elif sections and line.strip() and not line.lstrip().startswith(("#", "@")):
            key, _, value = line.strip().partition(" ")
            kind, first, values, written = sections[-1]
            values[key.lower()] = value.strip()
            sections[-1] = (kind, first, values, f"{written}\n{line}")
    filters = [written for kind, _, _, written in sections if kind == "filter"]
    outputs = [(first, values) for kind, first, values, _ in sections if kind == "output"]
    yield from _outputs(outputs, any(_REDACTS.search(one) for one in filters), about, at)


def _outputs(outputs: list[tuple[int, dict[str, str]]], redacts: bool, about: str, at: Any) -> Iterator[Remark]:
    shipped = 0
    for line, values in outputs:
        name = values.get("name", "").lower()
        host = values.get("host", "") or values.get("brokers", "")
        if name not in _SENDS or _LOCAL.match(host):
            continue
        shipped += 1
        tls = values.get("tls", "").lower() in ("on", "true", "yes") or values.get(
            "rdkafka.security.protocol", ""
        ).upper() in ("SSL", "SASL_SSL")
        if not tls and name not in _ALWAYS_TLS and values.get("mode", "") != "tls":
            message = f"logs go to {host or name} in plain text ({name} without tls)"
            yield Remark("log-plaintext-shipping", f"{about} {name} {host}", message, (at(line),))
        elif values.get("tls.verify", "").lower() in ("off", "false", "no"):
            message = f"logs go to {host or name} without its certificate being verified"
            yield Remark("log-plaintext-shipping", f"{about} {name} {host}", message, (at(line),))
    if shipped and not redacts:
        line = outputs[0][0]
        message = "logs are sent away and no filter takes anything out of them"
        yield Remark("log-no-redaction", about, message, (at(line),), None, Confidence.MEDIUM)


def _fluentd(text: str, about: str, at: Any) -> Iterator[Remark]:
    outputs: list[tuple[int, dict[str, str]]] = []
    depth = ""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if bare.startswith("<match"):
            depth = "match"
            outputs.append((number, {}))
        elif bare.startswith("</match"):
            depth = ""
        elif depth and bare and not bare.startswith(("<", "#")):
            key, _, value = bare.partition(" ")
            values = outputs[-1][1]
            if key == "@type" and "name" not in values:
                values["name"] = {"elasticsearch": "es", "remote_syslog": "syslog"}.get(value.strip(), value.strip())
            elif key in ("host", "endpoint", "url", "hosts"):
                values.setdefault("host", value.strip())
            elif (key == "transport" and value.strip() == "tls") or (key == "scheme" and value.strip() == "https"):
                values["tls"] = "on"
            elif key in ("tls", "use_ssl", "ssl"):
                values["tls"] = value.strip()
    for _, values in outputs:
        if re.match(r"[\"']?https://", values.get("host", "")):
            values["tls"] = "on"
    yield from _outputs(outputs, "<filter" in text and bool(_REDACTS.search(text)), about, at)


def _yaml(pipeline: Map, at: Any) -> Iterator[Remark]:
    """Fluent Bit's YAML format."""
    outputs = [
        (one.line, {str(key).lower(): str(value) for key, value in one.items()})
        for one in pipeline["outputs"]
        if isinstance(one, Map)
    ]
    yield from _outputs(outputs, bool(_REDACTS.search(str(pipeline.get("filters", "")))), "pipeline", at)


def _promtail(clients: list[Any], at: Any) -> Iterator[Remark]:
    for one in clients:
        url = one.get("url") if isinstance(one, Map) else None
        if isinstance(url, str) and url.startswith("http://") and not _LOCAL.match(url[7:]):
            shown = re.sub(r"//[^/@\s]*@", "//", url)
            message = f"logs go to {shown} in plain text"
            yield Remark("log-plaintext-shipping", shown, message, (at(one.at("url")),))


def _handlers(handlers: Map, at: Any) -> Iterator[Remark]:
    """Python's ``logging.config.dictConfig`` as YAML or JSON."""
    for name, one in handlers.items():
        kind = str(one.get("class", "")) if isinstance(one, Map) else ""
        host = str(one.get("host") or one.get("address") or "") if isinstance(one, Map) else ""
        if _LOCAL.match(host):
            continue
        if (kind.endswith("HTTPHandler") and one.get("secure") is not True) or kind.endswith(
            ("SocketHandler", "DatagramHandler")
        ):
            message = f"the handler {name} sends logs in plain text ({kind})"
            yield Remark("log-plaintext-shipping", name, message, (at(one.line),), Severity.MEDIUM)
