"""The names that ``flows`` goes by: of requests' parts, loggers, redaction, and of what converts or keeps content."""

from __future__ import annotations

import re
from typing import Final

# Which labels matter where.
_SENT: Final = frozenset(("body", "headers", "query", "upload"))
PLAIN: Final = "'"  # after a label: a field that says nothing of the client, but is chosen by the client all the same
_PLAIN: Final = frozenset(f"{label}{PLAIN}" for label in _SENT)
_PART: Final = frozenset(("part",))  # of an address between two slashes: it can name no other folder
MATTERS: Final[dict[str, frozenset[str]]] = {
    "log": frozenset(("body", "headers", "upload", "prediction", "secret")),
    "print": frozenset(("body", "headers", "upload", "prediction", "secret")),
    "file": frozenset(("body", "headers", "prediction", "secret")),
    "code": _SENT | _PLAIN | _PART | {"fetched", "prediction", "stored"},
    "command": _SENT | _PLAIN | _PART | {"fetched", "prediction", "stored"},
    "loader": _SENT | _PLAIN | {"fetched", "stored"},
    "path": _SENT - {"upload"} | _PLAIN,
    "template": _SENT | _PLAIN | _PART,
    "query": _SENT | _PLAIN | _PART,
}
CHOOSES: Final = _SENT | _PART  # what a client names something by
OF_REQUEST: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("json", "get_json", "get_body", "data", "get_data", "form", "values", "body", "stream", "post", "read"),
        "body",
    ),
    **dict.fromkeys(("text", "POST", "forms", "multipart", "receive_text", "receive_json", "receive_bytes"), "body"),
    **dict.fromkeys(("media", "get_argument", "get_body_argument", "body_arguments", "bounded_stream"), "body"),
    **dict.fromkeys(("files", "FILES"), "upload"),
    **dict.fromkeys(("url", "full_path", "base_url", "path", "path_info", "raw_path"), "query"),
    **dict.fromkeys(("headers", "cookies", "META", "COOKIES"), "headers"),
    **dict.fromkeys(
        (
            "args",
            "query_params",
            "GET",
            "query",
            "query_string",
            "rel_url",
            "match_info",
            "path_params",
            "params",
            "route_params",
        ),
        "query",
    ),
}
HEADER: Final = re.compile(r"auth|cookie|token|key|secret|session|signature", re.IGNORECASE)
SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|api_?key|private_?key|access_?token|auth_?token|refresh_?token|"
    r"secret_?key|secret_?access_?key|hf_?token|bearer_?token|credentials)$",
    re.IGNORECASE,
)
# Names of what is counted: of tokens that models read and write, not of those that let somebody in.
COUNTS: Final = re.compile(
    r"^(?:n|num|max|min|total|prompt|completion|input|output|cached|reasoning|generated|new)_(?:\w+_)?tokens?$"
    r"|(?:^|_)tokens?_(?:count|usage|limit|budget|len|length)$|^(?:usage|tokens|vocab_size|model_max_length)$",
    re.IGNORECASE,
)
# Fields of what a client sends that say nothing of it.
PLAIN_FIELD: Final = re.compile(
    r"(?:^|_)(?:id|uuid|version|model|model_name|timestamp|type|status|count|size|length|n|k|top_k|max_tokens|seed|"
    r"temperature|format|lang|language|locale|stream|mode|trace|span|content_type|filename|name|shape|dtype|task)$",
    re.IGNORECASE,
)
PERSONAL: Final = re.compile(
    r"user|patient|customer|client|person|member|subscriber|account|national|passport|ssn|social|full_?name|last_?name|"
    r"first_?name|employee|student|tax|phone|mail",
    re.IGNORECASE,
)
REDACTS: Final = re.compile(
    r"redact|mask(?!ed_lm)|anonymi[sz]e|pseudonymi[sz]e|scrub|saniti[sz]e|obfuscate|censor|strip_pii|remove_pii|"
    r"filter_(?:pii|sensitive)|de_?identif|sha(?:1|224|256|384|512)\b|blake|hexdigest|hmac|encrypt|fingerprint|"
    r"secure_filename|^basename$|^hash(?:ed)?(?:_|$)|_hash$|digest|Sensitive|PII(?:Filter)?",
    re.IGNORECASE,
)
CLEAN: Final = frozenset(
    (
        *("len", "type", "isinstance", "id", "int", "float", "bool", "hash", "any", "all", "sum", "range", "ord"),
        *("hasattr", "callable", "keys", "count", "startswith", "endswith", "find", "index", "isdigit", "isalpha"),
        *("exists", "is_file", "time", "perf_counter", "getsizeof", "model_json_schema", "sha256", "issubset"),
        *(
            "accuracy_score",
            "mean",
            "std",
            "round",
            "nbytes",
            "model_fields_set",
            "isidentifier",
            "validate_on_submit",
        ),
    )
)
PREDICTS: Final = re.compile(
    r"^(?:predict\w*|generate\w*|infer\w*|classify\w*|transcribe|forward|score|decision_function|invoke|complet\w+|"
    r"chat|embed\w*|summari[sz]e\w*|translate\w*|detect\w*|pipeline|ainvoke|agenerate|run_inference)$"
)
CONVERTS: Final = re.compile(
    r"^(?:str|repr|dict|list|tuple|set|frozenset|bytes|bytearray|format|sorted|reversed|copy|deepcopy|dumps|loads|load|"
    r"pformat|vars|asdict|jsonable_encoder|array|asarray|tensor|DataFrame|Series|from_numpy|BytesIO|StringIO|zip|"
    r"enumerate|map|filter|b64decode|b64encode|decode|unquote|quote|urlencode|join|max|min|next|iter|json|open|"
    r"parse\w*|preprocess\w*|prepare\w*|build\w*|to_\w+|as_\w+|extract\w*|transform\w*|normali[sz]e\w*|clean\w*|"
    r"convert\w*|from_\w+|shorten|truncate|escape|literal_eval|safe_load|model_validate\w*|gather|wait_for|cast)$"
)
# Calls that make something of another library: a client, a tokenizer; not containers, and not what wraps bytes.
MAKES: Final = re.compile(
    r"^from_(?:pretrained|config|env|hub|connection_string|url|api_key)$|^(?:client|resource|login|init_chat_model)$"
    r"|^(?!(?:DataFrame|Series|BytesIO|StringIO|Path|PurePath|Template|Exception|\w+Error|\w*Dict|Namespace|Response"
    r"|JSONResponse|HTTPException|Markup|Text|Request|SecretBytes)$)[A-Z]\w*[a-z]\w*$"
)
ACTS: Final = re.compile(
    r"^(?:send|save|commit|delete|remove|submit|publish|upload|execute|write|close|create|insert|register|notify|"
    r"post|put|patch|run|start|stop|acquire|release|validate|verify|check|refresh|connect)(?:_\w+)?$"
)
CONFINES: Final = frozenset(("is_relative_to", "relative_to", "commonpath"))
NUMBERS: Final = frozenset(("int", "float", "bool"))  # types of what keeps no content
KEEPS: Final = frozenset(("append", "extend", "update", "add", "insert", "put", "setdefault", "format", "join"))
LOG_METHODS: Final = frozenset(
    (
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "trace", "success"),
        *("msg", "ainfo", "adebug", "aerror", "awarning", "notice", "bind"),
    )
)
LOGGER: Final = re.compile(r"(?:^|[._])(?:log|logger|logging|_log|_logger|audit_?log(?:ger)?|applog)$", re.IGNORECASE)
LOG_CALLS: Final = frozenset(
    ("sentry_sdk.capture_message", "sentry_sdk.set_context", "sentry_sdk.set_extra", "warnings.warn", "syslog.syslog")
)
LOG_FILE: Final = re.compile(
    r"\.log\b|log(?:s|file|_file|_path)?\b|audit|requests?\.(?:jsonl?|csv|txt)|history", re.IGNORECASE
)
# What stores of objects give under a name.
STORED: Final = frozenset(
    ("get_object", "download_file", "download_fileobj", "blob", "get_blob", "get_blob_client", "download_blob")
)
FETCHES: Final = re.compile(
    r"^(?:requests|httpx)\.(?:get|post|request)$|^urllib\.request\.urlopen$|^urllib\d?\.urlopen$|^aiohttp\.\w+\.get$|"
    r"^fsspec\.open$|^wget\.download$"
)
LOADERS: Final = frozenset(  # beside what runs what it loads in any case, which ``executes`` knows
    (
        *("yaml.unsafe_load", "keras.models.load_model", "tensorflow.keras.models.load_model"),
        *("mlflow.pyfunc.load_model", "mlflow.sklearn.load_model"),
    )
)
# What visitors of Streamlit write and send; what they choose is of what the program offers.
STREAMLIT: Final = {
    **dict.fromkeys(("text_input", "text_area", "chat_input"), "body"),
    **dict.fromkeys(("file_uploader", "camera_input", "audio_input"), "upload"),
}
