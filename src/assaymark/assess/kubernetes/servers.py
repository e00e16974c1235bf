"""``open_server``: programs of machine learning that answer anyone who reaches them, unless they are told otherwise.

By the image, the command and the environment of a container. Sources: the documentation of each on authentication;
Ray's says that whoever reaches the dashboard or the job port runs code (CVE-2023-48022), Jupyter's that a server
without a token runs what it is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server. ``gives``: ``run`` (code), ``invoke`` (a model), ``data`` (reads and writes)."""

    name: str
    pattern: re.Pattern[str]
    gives: str
    guarded: Callable[[str, dict[str, str]], bool]
    tls: Callable[[str, dict[str, str]], bool]
    advice: str


@dataclass(frozen=True, slots=True)
class Running:
    """A server that a container runs. ``authenticated`` and ``tls`` as its words and variables say."""

    server: Server
    authenticated: bool
    tls: bool
    because: Because


def _never(_words: str, _variables: dict[str, str]) -> bool:
    return False


def _word(*patterns: str) -> Callable[[str, dict[str, str]], bool]:
    joined = re.compile("|".join(patterns))
    return lambda words, _variables: bool(joined.search(words))


def _variable(*names: str) -> Callable[[str, dict[str, str]], bool]:
    return lambda _words, variables: any(variables.get(name, "") not in ("", "0", "false", "False") for name in names)


def _either(*tests: Callable[[str, dict[str, str]], bool]) -> Callable[[str, dict[str, str]], bool]:
    return lambda words, variables: any(test(words, variables) for test in tests)


_RAY_TLS: Final = _variable("RAY_USE_TLS")
SERVERS: Final = (
    Server(
        "Ray",
        re.compile(r"\brayproject/ray|\bray start\b|/ray(?:-ml)?:|\brayproject/"),
        "run",
        _either(_variable("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"), _word("token-auth")),
        _RAY_TLS,
        "set RAY_AUTH_MODE=token and RAY_USE_TLS=1, and limit who reaches it",
    ),
    Server(
        "Jupyter",
        re.compile(r"\bjupyter(?:hub|-notebook|lab)?\b|kubeflownotebookswg/"),
        "run",
        lambda words, _variables: not re.search(r"(?:token|password)=(?:''|\"\"|\s|$)", words),
        _word(r"--certfile", r"ServerApp\.certfile"),
        "set a token or password",
    ),
    Server(
        "MLflow",
        re.compile(r"\bmlflow (?:server|ui)\b|/mlflow:|\bmlflow-tracking"),
        "data",
        _word(r"--app-name[= ]basic-auth", "basic-auth", "oidc-auth"),
        _word("--ssl"),
        "start it with --app-name basic-auth behind TLS",
    ),
    Server(
        "vLLM",
        re.compile(r"\bvllm/|\bvllm serve\b|vllm\.entrypoints|/vllm"),
        "invoke",
        _either(_word("--api-key"), _variable("VLLM_API_KEY")),
        _word("--ssl-certfile", "--ssl-keyfile"),
        "start it with --api-key",
    ),
    Server(
        "Text Generation Inference",
        re.compile(r"text-generation-(?:inference|launcher)"),
        "invoke",
        _either(_word("--api-key"), _variable("API_KEY")),
        _never,
        "start it with --api-key",
    ),
    Server(
        "Triton",
        re.compile(r"\btritonserver\b"),
        "invoke",
        _word(r"--http-restricted-api", r"--grpc-restricted-protocol"),
        _word(r"--grpc-use-ssl"),
        "restrict its protocols and put an authenticating proxy before it",
    ),
    Server(
        "TorchServe",
        re.compile(r"\btorchserve\b|pytorch/torchserve"),
        "run",
        lambda words, variables: (
            variables.get("TS_DISABLE_TOKEN_AUTHORIZATION", "false").lower() != "true"
            and "--disable-token-auth" not in words
        ),
        _word("private_key_file"),
        "keep token authorisation on and the management port closed",
    ),
    Server(
        "TensorFlow Serving",
        re.compile(r"tensorflow/serving|tensorflow_model_server"),
        "invoke",
        _never,
        _word("--ssl_config_file"),
        "put an authenticating proxy before it",
    ),
    Server(
        "Ollama",
        re.compile(r"\bollama/ollama|\bollama serve\b"),
        "invoke",
        _never,
        _never,
        "put an authenticating proxy before it",
    ),
    Server(
        "TensorBoard", re.compile(r"\btensorboard\b"), "data", _never, _never, "put an authenticating proxy before it"
    ),
    Server(
        "Dask",
        re.compile(r"\bdask-scheduler\b|\bdask scheduler\b|daskdev/dask"),
        "run",
        _never,
        _word("--tls-cert"),
        "start it with TLS and a certificate of the client's",
    ),
    Server(
        "Redis",
        re.compile(r"(?:^|[\s/])redis(?::|-server|-stack|\s|$)|/valkey:"),
        "data",
        _either(_word("--requirepass", "--aclfile"), _variable("REDIS_PASSWORD")),
        _word("--tls-port"),
        "set a password and TLS",
    ),
    Server(
        "MinIO",
        re.compile(r"\bminio/minio|\bminio server\b"),
        "data",
        lambda _words, variables: (
            variables.get("MINIO_ROOT_PASSWORD", "set") not in ("minioadmin", "minio123", "minio")
        ),
        _word("--certs-dir"),
        "set credentials of its own and TLS",
    ),
    Server(
        "Milvus",
        re.compile(r"milvusdb/milvus"),
        "data",
        _variable("COMMON_SECURITY_AUTHORIZATIONENABLED"),
        _never,
        "turn authorisation on",
    ),
    Server(
        "Qdrant",
        re.compile(r"qdrant/qdrant"),
        "data",
        _variable("QDRANT__SERVICE__API_KEY"),
        _variable("QDRANT__SERVICE__ENABLE_TLS"),
        "set an API key",
    ),
    Server(
        "Chroma",
        re.compile(r"chromadb/chroma"),
        "data",
        _variable("CHROMA_SERVER_AUTHN_PROVIDER"),
        _never,
        "set an authentication provider",
    ),
)


def open_servers(pod: Pod) -> list[Running]:
    """The servers that a pod's containers run."""
    found = []
    for container in pod.containers():
        words = container_words(container)
        variables = container_variables(container)
        for server in SERVERS:
            if server.pattern.search(words):
                authenticated = server.guarded(words, variables)
                found.append(Running(server, authenticated, server.tls(words, variables), pod.because(container)))
                break
    if pod.owner.kind in ("RayCluster", "RayService", "RayJob") and not any(
        one.server.name == "Ray" for one in found
    ):
        variables = {}
        for container in pod.containers():
            variables |= container_variables(container)
        ray = SERVERS[0]
        found.append(Running(ray, ray.guarded("", variables), ray.tls("", variables), pod.because()))
    return found


def container_words(container: Map) -> str:
    """Image, command and arguments of a container as one text."""
    parts = [str(container.get("image", ""))]
    for key in ("command", "args"):
        value = container.get(key)
        parts += [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
    return " ".join(parts)


def container_variables(container: Map) -> dict[str, str]:
    """Its environment; a value from elsewhere is ``<set>``."""
    found = {}
    for item in container.get("env") or ():
        if isinstance(item, Map) and isinstance(item.get("name"), str):
            value = item.get("value")
            found[item["name"]] = (
                "<set>" if value is None and "valueFrom" in item else str(value if value is not None else "")
            )
    return found
