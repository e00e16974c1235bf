"""``SERVERS``: programs of machine learning that answer anyone who reaches them, unless they are told otherwise.

By the image, the command and the environment of a container. Sources: the documentation of each on authentication;
Ray's says that whoever reaches the dashboard or the job port runs code (CVE-2023-48022), Jupyter's that a server
without a token runs what it is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


# By the documentation of each. What Ray and TorchServe run code by is not where they answer with predictions.
_PORTS: Final = {
    "Ray": (6379, 8265, 10001),
    "TorchServe": (7071, 8081),
    "Jupyter": (8888,),
    "Dask": (8786, 8787),
    "MLflow": (5000,),
    "TensorBoard": (6006,),
    "MinIO": (9000, 9001),
    "Redis": (6379,),
    "MongoDB": (27017,),
    "PostgreSQL": (5432,),
    "Milvus": (9091, 19530),
    "Qdrant": (6333, 6334),
    "Chroma": (8000,),
    "Weaviate": (8080, 50051),
    "vLLM": (8000,),
    "SGLang": (30000,),
    "llama.cpp": (8080,),
    "Ollama": (11434,),
    "Text Generation Inference": (80, 3000),
    "Text Embeddings Inference": (80, 3000),
    "LiteLLM": (4000,),
    "Triton": (8000, 8001, 8002),
    "TensorFlow Serving": (8500, 8501),
    "KServe": (8080, 8081),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server. ``gives``: ``run`` (code), ``invoke`` (a model), ``data`` (reads and writes).

    ``image`` is looked for in the image's name, ``command`` in command and arguments; ``guarded`` and ``tls`` say, by
    these and by the variables, whether it asks who calls and whether it encrypts.
    """

    name: str
    image: re.Pattern[str]
    command: re.Pattern[str] | None
    gives: str
    guarded: Callable[[str, dict[str, str]], bool]
    tls: Callable[[str, dict[str, str]], bool]
    advice: str
    by_variable: bool = True  # whether a variable can turn authentication on
    configured: bool = False  # whether a file that it is given can
    answers: str = "answers without authentication"

    @property
    def ports(self) -> frozenset[int]:
        """The ports on which it gives that, unless it is told others; none where nobody knows."""
        return frozenset(_PORTS.get(self.name, ()))


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
RAY: Final = Server(
    "Ray",
    re.compile(r"(?:^|/)rayproject/|/ray(?:-ml|-llm)?(?:[:@]|$)"),
    re.compile(r"\bray start\b"),
    "run",
    _either(_variable("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"), _word("token-auth")),
    _RAY_TLS,
    "set RAY_AUTH_MODE=token and RAY_USE_TLS=1, and limit who reaches it",
)
KSERVE: Final = Server(
    "KServe",
    re.compile(r"kserve/(?:huggingface|sklearn|xgb|lgb|paddle|pmml)server|seldonio/mlserver"),
    None,
    "invoke",
    _never,
    _never,
    "let the gateway or a policy of the mesh ask who calls",
    by_variable=False,
)
SERVERS: Final = (
    RAY,
    KSERVE,
    Server(
        "Jupyter",
        re.compile(
            r"(?:^|/)jupyter/|/jupyter(?:hub|lab|-(?!web-app)[\w-]+)?(?:[:@]|$)|kubeflownotebookswg/|jupyterhub/"
        ),
        re.compile(r"\bjupyter[- ](?:lab|notebook|server)\b|\bjupyterhub\b|\bstart-notebook\b"),
        "run",
        lambda words, variables: (
            not re.search(r"(?:token|password)=(?:''|\"\"|\s|$)", words) and variables.get("JUPYTER_TOKEN") != ""
        ),
        _word(r"--certfile", r"ServerApp\.certfile"),
        "set a token or password",
    ),
    Server(
        "MLflow",
        re.compile(r"/mlflow(?:-tracking|-server)?(?:[:@]|$)"),
        re.compile(r"\bmlflow (?:server|ui)\b"),
        "data",
        _word(r"--app-name[= ]basic-auth", "basic-auth", "oidc-auth"),
        _word("--ssl"),
        "start it with --app-name basic-auth behind TLS",
    ),
    Server(
        "vLLM",
        re.compile(r"(?:^|/)vllm/vllm-|/vllm[\w.-]*(?:[:@]|$)"),
        re.compile(r"\bvllm serve\b|\bvllm\.entrypoints"),
        "invoke",
        _either(_word("--api-key"), _variable("VLLM_API_KEY")),
        _word("--ssl-certfile", "--ssl-keyfile"),
        "start it with --api-key",
    ),
    Server(
        "Text Generation Inference",
        re.compile(r"text-generation-inference"),
        re.compile(r"\btext-generation-launcher\b"),
        "invoke",
        _either(_word("--api-key"), _variable("API_KEY")),
        _never,
        "start it with --api-key",
    ),
    Server(
        "Triton",
        re.compile(r"/tritonserver(?:[:@]|$)"),
        re.compile(r"\btritonserver\b"),
        "invoke",
        _word(r"--http-restricted-api", r"--grpc-restricted-protocol"),
        _word(r"--grpc-use-ssl"),
        "restrict its protocols and put an authenticating proxy before it",
    ),
    Server(
        "TorchServe",
        re.compile(r"pytorch/torchserve|/torchserve(?:-kfs)?(?:[:@]|$)"),
        re.compile(r"\btorchserve\b"),
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
        re.compile(r"tensorflow/serving"),
        re.compile(r"\btensorflow_model_server\b"),
        "invoke",
        _never,
        _word("--ssl_config_file"),
        "put an authenticating proxy before it",
    ),
    Server(
        "Ollama",
        re.compile(r"(?:^|/)ollama/ollama"),
        re.compile(r"\bollama serve\b"),
        "invoke",
        _never,
        _never,
        "put an authenticating proxy before it",
    ),
    Server(
        "TensorBoard",
        re.compile(r"/tensorboard(?:[:@]|$)"),
        re.compile(r"(?:^|\s)tensorboard\s+-|\btensorboard\.main\b"),
        "data",
        _never,
        _never,
        "put an authenticating proxy before it",
    ),
    Server(
        "Dask",
        re.compile(r"daskdev/dask"),
        re.compile(r"\bdask[- ]scheduler\b"),
        "run",
        _never,
        _word("--tls-cert"),
        "start it with TLS and a certificate of the client's",
    ),
    Server(
        "Redis",
        re.compile(r"(?:^|/)(?:redis|valkey)(?:-stack[\w-]*|-sentinel|-cluster)?(?:[:@]|$)"),
        re.compile(r"\b(?:redis|valkey)-server\b"),
        "data",
        _either(_word("--requirepass", "--aclfile"), _variable("REDIS_PASSWORD", "VALKEY_PASSWORD")),
        _word("--tls-port"),
        "set a password and TLS",
        configured=True,
    ),
    Server(
        "MinIO",
        re.compile(r"minio/minio"),
        re.compile(r"\bminio server\b"),
        "data",
        lambda _words, variables: (
            variables.get("MINIO_ROOT_PASSWORD", variables.get("MINIO_SECRET_KEY", ""))
            not in ("", "minioadmin", "minio123", "minio")
        ),
        _word("--certs-dir"),
        "set credentials of its own and TLS",
        answers="answers whoever knows the credentials of its examples",
    ),
    Server(
        "Milvus",
        re.compile(r"milvusdb/milvus"),
        None,
        "data",
        _variable("COMMON_SECURITY_AUTHORIZATIONENABLED"),
        _never,
        "turn authorisation on",
    ),
    Server(
        "Qdrant",
        re.compile(r"qdrant/qdrant"),
        None,
        "data",
        _variable("QDRANT__SERVICE__API_KEY"),
        _variable("QDRANT__SERVICE__ENABLE_TLS"),
        "set an API key",
    ),
    Server(
        "Chroma",
        re.compile(r"chromadb/chroma"),
        re.compile(r"\bchroma run\b"),
        "data",
        _variable("CHROMA_SERVER_AUTHN_PROVIDER"),
        _never,
        "set an authentication provider",
    ),
    Server(
        "SGLang",
        re.compile(r"lmsysorg/sglang"),
        re.compile(r"\bsglang\.launch_server\b|\bsglang serve\b"),
        "invoke",
        _word("--api-key"),
        _word("--ssl-certfile"),
        "start it with --api-key",
        by_variable=False,
    ),
    Server(
        "llama.cpp",
        re.compile(r"/llama\.cpp:(?:server|full)"),
        re.compile(r"\bllama-server\b"),
        "invoke",
        _either(_word("--api-key"), _variable("LLAMA_API_KEY")),
        _word("--ssl-cert-file"),
        "start it with --api-key",
    ),
    Server(
        "Text Embeddings Inference",
        re.compile(r"text-embeddings-inference"),
        re.compile(r"\btext-embeddings-router\b"),
        "invoke",
        _either(_word("--api-key"), _variable("API_KEY")),
        _never,
        "start it with --api-key",
    ),
    Server(
        "LiteLLM",
        re.compile(r"/litellm(?:-[\w-]+)?(?:[:@]|$)"),
        re.compile(r"(?:^|\s)litellm\s+--"),
        "invoke",
        _variable("LITELLM_MASTER_KEY"),
        _word("--ssl_certfile_path"),
        "set LITELLM_MASTER_KEY",
        configured=True,
    ),
    Server(
        "Weaviate",
        re.compile(r"semitechnologies/weaviate"),
        None,
        "data",
        lambda _words, variables: variables.get("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "false").lower() != "true",
        _never,
        "turn anonymous access off and set API keys",
    ),
    Server(
        "MongoDB",
        re.compile(r"(?:^|/)(?:mongo|mongodb-community-server)(?:[:@]|$)"),
        re.compile(r"(?:^|\s)mongod\b"),
        "data",
        _either(
            _word("--auth", "--keyFile"), _variable("MONGO_INITDB_ROOT_USERNAME", "MONGODB_INITDB_ROOT_USERNAME")
        ),
        _word("--tlsMode"),
        "set a root user, or start it with --auth",
        configured=True,
    ),
    Server(
        "PostgreSQL",
        re.compile(r"(?:^|/)(?:postgres|pgvector)(?:[:@]|$)"),
        None,
        "data",
        lambda _words, variables: variables.get("POSTGRES_HOST_AUTH_METHOD") != "trust",
        _word("ssl=on"),
        "set POSTGRES_PASSWORD and no trust method",
    ),
)
