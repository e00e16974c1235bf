"""What code asks of AWS by other libraries than its own client: addresses of S3, libraries that make clients.

pandas, PyArrow, fsspec, smart_open, Dask, Hugging Face's and others take ``s3://bucket/key`` wherever a path may
stand. What such a call does is told by its name (``read_csv``, ``to_parquet``); where that does not tell it, anything
may be asked of S3. A library that makes its own clients may ask anything of the services that it is for.
Sources: the documentation of each; SageMaker Python SDK, "Configure and use defaults"; AWS SDK for pandas, "API".
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import CloudCall
from assaymark.assess.source.cloud_calls import Finder
from assaymark.assess.source.modules import argument, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Module, Project

_MARKS: Final = (b"s3://", b"s3a://", b"s3n://")
_ADDRESS: Final = re.compile(r"s3[an]?://([^/]*)/?(.*)", re.DOTALL)
_READS: Final = re.compile(
    r"(?:read|scan|load|get|download|cat|info|exists|ls|glob|find|du|stat|isfile|isdir|walk|from|open_\w+)(?:_\w+)?"
    r"|dataset|ParquetFile|ParquetDataset|S3Path"
)
_WRITES: Final = re.compile(r"(?:to|write|save|put|upload|dump|export|mkdir|makedirs|touch)(?:_\w+)?")
_OPENS: Final = frozenset(("open", "open_files", "smart_open"))
_HARMLESS: Final = frozenset(
    (
        *(
            "print",
            "debug",
            "info",
            "warning",
            "error",
            "log",
            "format",
            "join",
            "replace",
            "split",
            "rsplit",
            "strip",
        ),
        *("rstrip", "lstrip", "startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"),
        *("append", "add_argument", "getenv", "urlparse", "urlsplit", "str", "len", "match", "fullmatch", "compile"),
        *("sub", "Field", "Option", "Argument", "option", "argument", "isinstance", "setdefault"),
    )
)
_PARTED: Final = re.compile(r"[^./]*|.*\.(?:parquet|zarr|delta|lance|arrow)")  # what may be a folder of parts
# Services that a library asks, whatever is called of it.
_LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "sagemaker": ("sagemaker", "sagemaker-runtime", "s3", "ecr", "logs", "iam"),
    "smdebug": ("s3",),
    "s3fs": ("s3",),
    "s3transfer": ("s3",),
    "s3torchconnector": ("s3",),
    "cloudpathlib": ("s3",),
    "awswrangler": ("s3", "glue", "athena"),
    "pyathena": ("athena", "glue", "s3"),
    "dvc": ("s3",),
    "mlflow": ("s3",),
    "langchain_aws": ("bedrock", "bedrock-runtime", "bedrock-agent-runtime"),
    "pynamodb": ("dynamodb",),
    "aws_encryption_sdk": ("kms",),
}


def library_calls(module: Module, project: Project) -> Iterator[CloudCall]:
    """What a module asks by them, in the order of its calls; libraries first."""
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for service in dict.fromkeys(one for name in names for one in _LIBRARIES.get(name.split(".")[0], ())):
                operation = "pass_role" if service == "iam" else "*"
                yield CloudCall(service, operation, {}, module.because(node))
    if not any(mark in module.file.data for mark in _MARKS):
        return
    finder = Finder(module, project)
    seen: set[str] = set()
    for call, _ in module.calls:
        for value in (*call.args, *(item.value for item in call.keywords)):
            text = finder.text(value)
            match = _ADDRESS.fullmatch(text)
            if match is not None:
                seen.add(text)
                for operation in _operations(module, call):
                    given = {"Bucket": match[1] or "*", "Key": _key(match[2])}
                    yield CloudCall("s3", operation, given, module.because(call))
    for node, text in _addresses(module.tree):
        if not any(one.startswith(text) for one in seen):
            yield CloudCall("s3", "*", {}, module.because(node))  # who gets it is not followed


def _key(text: str) -> str:
    """The objects that an address names: those below it, too, where it may be a folder."""
    last = text.rpartition("/")[2]
    return f"{text}*" if _PARTED.fullmatch(last) and not text.endswith("*") else text


def _addresses(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """The addresses that are written as texts, those of documentation apart."""
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = text_of(node) if isinstance(node, ast.Constant) and id(node) not in notes else ""
        if isinstance(node, ast.Constant) and _ADDRESS.fullmatch(text):
            yield node, text


def _operations(module: Module, call: ast.Call) -> tuple[str, ...]:
    """What a call with an address asks of S3; nothing for what only handles the text."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else module.dotted(function).rpartition(".")[2]
    if name in _OPENS:
        mode = text_of(argument(call, 1, "mode")) or "r"
        reads, writes = not set("wax") & set(mode), bool(set("wax+") & set(mode))
        return (*(("get_object", "list_objects_v2") if reads else ()), *(("put_object",) if writes else ()))
    if name in _HARMLESS:
        return ()
    if _WRITES.fullmatch(name):
        return ("put_object", "list_objects_v2")
    return ("get_object", "list_objects_v2") if _READS.fullmatch(name) else ("*",)
