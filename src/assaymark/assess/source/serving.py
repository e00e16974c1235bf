"""How applications are started: on which address, with which certificate, with a debugger, for which origins."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.assess.source.auth import unverified
from assaymark.assess.source.modules import argument, keyword, text_of, texts_of
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.applications import Applications
    from assaymark.assess.source.modules import Module

ANYWHERE: Final = frozenset(("0.0.0.0", "::", "[::]", "*"))  # noqa: S104 - what is looked for
_TLS: Final = frozenset(("ssl_context", "ssl_keyfile", "ssl_certfile", "ssl", "certfile", "keyfile", "ssl_options"))
_RUNNERS: Final = frozenset(
    ("uvicorn.run", "uvicorn.Config", "aiohttp.web.run_app", "waitress.serve", "bottle.run", "hypercorn.run")
)
_DEBUGGED: Final = frozenset(("Flask", "Quart"))  # their debuggers run what is typed into them


def serving(module: Module, applications: Applications) -> Iterator[Remark]:
    """What is remarkable about how a module starts servers."""
    for call, _ in module.calls:
        name = module.dotted(call.func)
        runs = name in _RUNNERS
        framework = ""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "run" and not runs:
            found = applications.find(module, call.func.value)
            framework = found.framework if found else ""
            runs = bool(framework)
        if runs:
            yield from _run(module, call, name or f"{framework}.run", framework)
        yield from _debug(module, call, name)
        yield from _other(module, call, name)
    for node in module.assigns:
        if isinstance(node.value, ast.Constant) and node.value.value is True:
            yield from _debug_set(module, node, applications)


def _host(module: Module, call: ast.Call, name: str) -> str:
    node = keyword(call, "host") or keyword(call, "server_name")
    if node is None and name == "waitress.serve":
        return str(module.constant(keyword(call, "listen")) or "0.0.0.0").rpartition(":")[0] or "0.0.0.0"  # noqa: S104
    if node is None and name == "aiohttp.web.run_app":
        return "0.0.0.0"  # noqa: S104 - aiohttp's default
    if node is None and name.endswith(".run") and name != "uvicorn.run" and call.args:
        node = call.args[0]
    value = module.constant(node)
    if isinstance(node, ast.Call):  # os.getenv("HOST", "0.0.0.0")
        value = next((text_of(one) for one in node.args[1:] if text_of(one)), None)
    return value if isinstance(value, str) else ""


def _run(module: Module, call: ast.Call, name: str, framework: str) -> Iterator[Remark]:
    host = _host(module, call, name)
    if any(item.arg is None for item in call.keywords):
        return  # what **options hold is not known
    if host in ANYWHERE and not any(_set(keyword(call, one)) for one in _TLS):
        message = f"{name} listens on {host} without a certificate: what is sent and answered can be read on the way"
        yield Remark("web-plaintext", name, message, (module.because(call),), None, Confidence.MEDIUM)
    debug = keyword(call, "debug") or keyword(call, "use_debugger")
    if isinstance(debug, ast.Constant) and debug.value is True:
        severity = Severity.HIGH if host in ANYWHERE or framework not in _DEBUGGED else Severity.MEDIUM
        message = f"{name} starts with debug=True" + (
            ": its debugger runs any code that is typed into an error page" if framework in _DEBUGGED else ""
        )
        yield Remark("web-debug", name, message, (module.because(call),), severity)


def _debug(module: Module, call: ast.Call, name: str) -> Iterator[Remark]:
    made = name in ("fastapi.FastAPI", "starlette.applications.Starlette", "tornado.web.Application", "sanic.Sanic")
    debug = keyword(call, "debug") if made else None
    if isinstance(debug, ast.Constant) and debug.value is True:
        message = f"{name} with debug=True shows stack traces, with values, to whoever causes an error"
        yield Remark("web-debug", name, message, (module.because(call),), Severity.MEDIUM)
    origins = keyword(call, "allow_origins") or keyword(call, "origins")
    credentials = keyword(call, "allow_credentials") or keyword(call, "supports_credentials")
    if (
        (
            "*" in texts_of(origins)
            or (isinstance(origins, ast.Name) and "*" in texts_of(module.values.get(origins.id)))
        )
        and isinstance(credentials, ast.Constant)
        and credentials.value is True
    ):
        message = "any web site may call it with the credentials of whoever visits that site"
        yield Remark("web-open-origins", "origins", message, (module.because(call),))


def _debug_set(module: Module, node: ast.Assign, applications: Applications) -> Iterator[Remark]:
    for target in node.targets:
        base: ast.expr | None = None
        if isinstance(target, ast.Attribute) and target.attr == "debug":
            base = target.value
        elif (
            isinstance(target, ast.Subscript)
            and text_of(target.slice) == "DEBUG"
            and isinstance(target.value, ast.Attribute)
        ):
            base = target.value.value
        found = applications.find(module, base) if base is not None else None
        if found is not None:
            message = f"{ast.unparse(target)} is True: errors show code and values to whoever causes them"
            yield Remark("web-debug", ast.unparse(target), message, (module.because(node),))


def _other(module: Module, call: ast.Call, name: str) -> Iterator[Remark]:
    last = name.rpartition(".")[2] or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    if last == "add_insecure_port" and module.imports("grpc"):
        message = "a gRPC server listens in plain text (add_insecure_port)"
        address = module.constant(argument(call, 0, "address"))
        local = isinstance(address, str) and address.startswith(("localhost", "127.", "unix:"))
        if not local:
            yield Remark("web-plaintext", "add_insecure_port", message, (module.because(call),))
    elif last == "insecure_channel" and name.startswith("grpc"):
        address = module.constant(argument(call, 0, "target"))
        if not (isinstance(address, str) and address.startswith(("localhost", "127.", "unix:"))):
            message = "a gRPC client talks in plain text (insecure_channel)"
            yield Remark(
                "web-plaintext", "insecure_channel", message, (module.because(call),), Severity.LOW, Confidence.MEDIUM
            )
    elif last == "launch" and (module.imports("gradio")):
        yield from _gradio(module, call)
    elif name == "ray.init" and module.constant(keyword(call, "dashboard_host")) in ANYWHERE:
        message = "Ray's dashboard listens on all addresses; whoever reaches it runs code (CVE-2023-48022)"
        yield Remark("build-server-open", "ray.init", message, (module.because(call),))
    elif name in ("jwt.decode", "jose.jwt.decode") and (
        unverified(call) or "none" in texts_of(keyword(call, "algorithms"))
    ):
        message = f"{name} does not verify the token's signature: anyone can write one"
        yield Remark("web-token-unverified", name, message, (module.because(call),))
    elif any(_verify_off(item) for item in call.keywords) and _client(module, call, name):
        message = (
            f"{name or last} does not verify the server's certificate: whoever is on the way can read and change all"
        )
        yield Remark("source-tls-unverified", name or last, message, (module.because(call),))
    elif name == "ssl._create_unverified_context":
        message = f"{name} does not verify certificates"
        yield Remark("source-tls-unverified", name, message, (module.because(call),))


def _verify_off(item: ast.keyword) -> bool:
    return (
        item.arg in ("verify", "verify_ssl", "verify_certs")
        and isinstance(item.value, ast.Constant)
        and item.value.value is False
    )


def _client(module: Module, call: ast.Call, name: str) -> bool:
    root = (module.meaning(call.func) or name).split(".")[0]
    known = (
        "requests",
        "httpx",
        "boto3",
        "minio",
        "elasticsearch",
        "opensearchpy",
        "hvac",
        "urllib3",
        "weaviate",
        "qdrant_client",
    )
    return root in known


def _gradio(module: Module, call: ast.Call) -> Iterator[Remark]:
    share = keyword(call, "share")
    guarded = _set(keyword(call, "auth"))
    if isinstance(share, ast.Constant) and share.value is True and not guarded:
        message = "Gradio publishes the application on the internet (share=True), for anyone who has its address"
        yield Remark("web-public-share", "launch", message, (module.because(call),))
    if module.constant(keyword(call, "server_name")) in ANYWHERE and not _set(keyword(call, "ssl_certfile")):
        message = "Gradio listens on all addresses without a certificate"
        yield Remark("web-plaintext", "launch", message, (module.because(call),), None, Confidence.MEDIUM)


def _set(node: ast.expr | None) -> bool:
    return node is not None and not (isinstance(node, ast.Constant) and node.value in (None, False, ""))
