"""What calls of libraries give of a store, and where they put it.

Of the clients of S3, Google's and Azure's storage, fsspec's file systems, Hugging Face's hub and MLflow.
Sources: boto3's documentation, S3 (``get_object``, ``download_file``, ``Bucket``, ``Object``); the references of
``google.cloud.storage``, ``azure.storage.blob``, fsspec, ``tf.io.gfile``, ``huggingface_hub``, MLflow's
``artifacts`` and ``tracking``, AWS Glue's ``getResolvedOptions``.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Given, Store, Words
from assaymark.assess.source.addresses import address, joined, plain, until
from assaymark.assess.source.loads import is_folder
from assaymark.assess.source.modules import argument, keyword, text_of
from assaymark.assess.source.stored_values import NOTHING, Kept, Text, Thing, kept, texts, things

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.source.modules import Module
    from assaymark.assess.source.stored_values import Atom, Value
    from assaymark.core.graph import Because

# What opens an address as if it were a path, and gives what lies there.
_OPENERS: Final = re.compile(
    r"^(?:fsspec\.(?:open|open_files|open_local|core\.url_to_fs|get_mapper)|smart_open\.(?:smart_)?open|blobfile\.BlobFile"
    r"|(?:tensorflow|tf)\.(?:compat\.v1\.)?(?:io\.)?gfile\.(?:GFile|Open|FastGFile)|tensorflow\.io\.read_file"
    r"|cloudpathlib\.\w*Path|cloudpathlib\.\w+\.\w*Path|upath\.UPath|s3path\.S3Path|gcsfs\.open"
    r"|requests\.(?:get|request)|urllib\.request\.(?:urlopen|urlretrieve)|httpx\.get|wget\.download"
    r"|mlflow\.artifacts\.(?:download_artifacts|load_\w+)|google\.cloud\.storage\.(?:blob\.)?Blob\.from_(?:string|uri)"
    r"|pandas\.read_\w+|torch\.hub\.load_state_dict_from_url|torch\.hub\.download_url_to_file)$"
)
_COPIES: Final = re.compile(
    r"(?:^|\.)(?:gfile\.copy|gfile\.Copy|urlretrieve|download_url_to_file|copyfile|copy2?|move|rename|unpack_archive"
    r"|copytree|wget\.download)$"
)
_FILE_SYSTEMS: Final = {
    "s3fs.S3FileSystem": "s3",
    "s3fs.core.S3FileSystem": "s3",
    "pyarrow.fs.S3FileSystem": "s3",
    "gcsfs.GCSFileSystem": "gs",
    "gcsfs.core.GCSFileSystem": "gs",
    "pyarrow.fs.GcsFileSystem": "gs",
    "adlfs.AzureBlobFileSystem": "azure",
    "adlfs.spec.AzureBlobFileSystem": "azure",
    "huggingface_hub.HfFileSystem": "hub",
}
_PROTOCOLS: Final = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
}
_OPENS_FILE: Final = frozenset(
    ("open", "open_input_file", "open_input_stream", "cat", "cat_file", "read_bytes", "get", "get_file", "download")
)
_HUB: Final = re.compile(r"^huggingface_hub\.(?:\w+\.)*(hf_hub_download|snapshot_download|cached_download)$")
_HUB_METHODS: Final = frozenset(("hf_hub_download", "snapshot_download"))
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_MODE: Final = re.compile(r"[rwabtx+]{1,3}|cpu|cuda(?::\d+)?|mps|latin1|utf-?8")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# Methods that put what they bring where an argument says: the number of that argument.
_PUTS: Final = {
    "download_to_filename": 0,
    "download_to_file": 0,
    "readinto": 0,
    "extractall": 0,
    "extract": 1,
    "download_blob_to_file": 1,
    "get": 1,
    "get_file": 1,
    "download": 1,
}
_ADDRESSES_TAKEN: Final = re.compile(
    r"^pandas\.read_pickle$|^mlflow\.\w+\.load_model$|^(?:tensorflow\.)?(?:keras|tf_keras)\.(?:\w+\.)*load_model$"
    r"|^torch\.hub\.load_state_dict_from_url$"
)
_CLOUD_COPIES: Final = frozenset(("cp", "sync", "copy", "rsync", "mirror", "mv"))
_CLIS: Final = frozenset(("aws", "gsutil", "gcloud", "azcopy", "s5cmd", "mc", "rclone", "s3cmd"))


class Call:
    """A call, with what its parts may be. ``holder``: what its method is of."""

    def __init__(
        self, module: Module, node: ast.Call, holder: Value, given: list[Value], named: Mapping[str, Value]
    ) -> None:
        self.module = module
        self.node = node
        self.name = module.dotted(node.func)
        self.meaning = module.meaning(node.func)
        self.method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        self.holder = holder
        self.given = given
        self.named = named
        self.place = module.because(node)

    def at(self, index: int, *names: str) -> Value:
        """What an argument may be, by its place or one of its names."""
        for name in names:
            if name in self.named:
                return self.named[name]
        return self.given[index] if 0 <= index < len(self.given) else NOTHING

    def words(self, index: int, *names: str) -> list[Text]:
        """The texts that an argument may be; an unknown one for what is given and not known."""
        value = self.at(index, *names)
        found = list(texts(value))
        return found or [Text((None,), self.place)]

    def every(self) -> Value:
        """All that it is given."""
        return frozenset().union(*self.given, *self.named.values())


def brought(call: Call) -> Value | None:
    """What a call gives of a store, or to ask one by; None for a call that is no library's known here."""
    for find in (_clients, _of_s3, _of_objects, _of_files, _of_hub, _of_mlflow):
        found = find(call)
        if found is not None:
            return found
    if _OPENERS.match(call.name):
        return frozenset(opened(call.every()))
    return None


def opened(value: Value) -> Iterator[Atom]:
    """A value whose texts are taken for addresses."""
    for one in value:
        store = address(one.words) if isinstance(one, Text) else None
        yield Kept(store, one.origin) if store is not None else one


def taken(call: Call) -> Value:
    """What a call that loads is given; of addresses what lies there, where it takes them in place of paths."""
    first = call.given[0] if call.given else NOTHING
    if call.name.endswith(".spec_from_file_location"):
        return call.at(1, "location")
    value = first.union(*(item for name, item in call.named.items() if name != "**"))
    if _ADDRESSES_TAKEN.match(call.name):
        value = frozenset(opened(value))
    elif _true(keyword(call.node, "trust_remote_code")):
        value |= _repositories(call, first | call.at(-1, "repo_id", "path", "model", "pretrained_model_name_or_path"))
    return value


def paths(call: Call, value: Value) -> list[Text]:
    """The paths of the disk that a call loads; one that is not known where nothing shows it."""
    found = [one for one in texts(value) if not _MODE.fullmatch(plain(one.words) or "-")]
    unseen = not found and not call.name.endswith(("loads", "decode", "eval", "exec"))
    return [Text((None,), call.place)] if unseen else found


def puts(call: Call) -> Iterator[tuple[ast.expr, Value]]:
    """The arguments of a call that say where it puts something of a store, with what that is."""
    args, method = call.node.args, call.method
    held = frozenset(kept(call.holder))
    if method in ("download_file", "download_fileobj"):
        found = frozenset(kept(_of_s3(call) or NOTHING))
        if not found:
            return
        last = keyword(call.node, "Filename") or keyword(call.node, "Fileobj") or (args[-1] if args else None)
        if last is not None:
            yield last, found
    elif method in ("write", "write_bytes") and isinstance(call.node.func, ast.Attribute):
        found = frozenset(kept(call.every()))
        if found:
            yield call.node.func.value, found
    elif method in _PUTS and (held or things(call.holder, "files")):
        found = held or frozenset(kept(_of_files(call) or NOTHING))
        where = argument(call.node, _PUTS[method], "path" if method == "extractall" else "filename")
        if found and where is not None:
            yield where, found
    elif _COPIES.search(call.name) and len(args) > 1:
        found = frozenset(kept(opened(call.given[0])))
        if found:
            yield args[1], found


def copied(parts: list[Words], place: Because) -> tuple[Words, Kept] | None:
    """Where a command of a cloud's own tool copies something to, and what: ``aws s3 cp s3://... PATH``."""
    said = [plain(one) for one in parts]
    if not (_CLIS & set(said) and _CLOUD_COPIES & set(said)):
        return None
    at = next(index for index, word in enumerate(said) if word in _CLOUD_COPIES)
    rest = [one for one in parts[at + 1 :] if not plain(one).startswith("-")]
    store = address(rest[0]) if len(rest) > 1 else None
    return (rest[1], Kept(store, place)) if store is not None else None


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


# clients


def _clients(call: Call) -> Value | None:
    """An object that a store is asked by."""
    name, place = call.name, call.place
    if name in _FILE_SYSTEMS:
        within = call.words(0, "account_name")[0].words if "adlfs" in name else ()
        return frozenset((Thing("files", _FILE_SYSTEMS[name], place, within=within),))
    if name in ("fsspec.filesystem", "fsspec.core.filesystem"):
        protocol = _PROTOCOLS.get(text_of(argument(call.node, 0, "protocol")), "address")
        within = next(iter(call.words(-1, "account_name"))).words
        return frozenset((Thing("files", protocol, place, within=within),))
    last = call.name.rpartition("azure.storage.blob.")[2] if "azure.storage.blob." in call.name else ""
    first = last.split(".")[-2:] if last else []
    kind = next((one for one in first if one in ("BlobServiceClient", "ContainerClient", "BlobClient")), "")
    return _azure(call, kind, last.rpartition(".")[2]) if kind else None


def _azure(call: Call, kind: str, maker: str) -> Value:
    place = call.place
    if maker in ("from_container_url", "from_blob_url"):
        found = set()
        for text in call.words(0, "container_url", "blob_url"):
            store = address(text.words)
            if store is not None and store.platform == "azure":
                found.add(Kept(store, text.origin))
        return frozenset(found)
    account: Words = ()
    if maker != "from_connection_string":
        url = call.words(0, "account_url")[0].words
        account = until(until(url, "//")[1] or url, ".")[0]
    if kind == "BlobServiceClient":
        return frozenset((Thing("account", "azure", place, within=account),))
    return frozenset(Kept(Store("azure", one.words, account), one.origin) for one in call.words(1, "container_name"))


def _of_s3(call: Call) -> Value | None:
    """What boto3's clients and resources give."""
    method, buckets = call.method, things(call.holder, "bucket")
    of_bucket = [one for one in buckets if one.platform == "s3"]
    if method == "get_object" or (
        method in ("download_file", "download_fileobj") and not of_bucket and not kept(call.holder)
    ):
        named = "Bucket" in call.named or (method != "get_object" and len(call.given) > 1)
        found = call.words(0, "Bucket") if named else []
        return frozenset(Kept(Store("s3", one.words), one.origin) for one in found) if found else None
    if method in ("Object", "download_file", "download_fileobj") and of_bucket:
        return frozenset(Kept(Store("s3", one.name), one.origin) for one in of_bucket)
    if method in ("Bucket", "Object") and not of_bucket and call.module.imports("boto3", "aioboto3"):
        texts_of = call.words(0, "name" if method == "Bucket" else "bucket_name")
        if method == "Object":
            return frozenset(Kept(Store("s3", one.words), one.origin) for one in texts_of)
        return frozenset(Thing("bucket", "s3", one.origin, one.words) for one in texts_of)
    return None


def _of_objects(call: Call) -> Value | None:
    """What buckets of Google and accounts and containers of Azure give."""
    method = call.method
    if method in ("bucket", "get_bucket", "lookup_bucket") and call.module.imports("google"):
        return frozenset(
            Thing("bucket", "gs", one.origin, one.words) for one in call.words(0, "bucket_name", "bucket_or_name")
        )
    if method in ("blob", "get_blob", "list_blobs"):
        of_bucket = [one for one in things(call.holder, "bucket") if one.platform == "gs"]
        if of_bucket:
            return frozenset(Kept(Store("gs", one.name), one.origin) for one in of_bucket)
        if method == "list_blobs" and call.module.imports("google") and call.given:
            return frozenset(Kept(Store("gs", one.words), one.origin) for one in call.words(0))
    if method == "download_blob_to_file" and call.module.imports("google"):
        return frozenset(opened(call.at(0, "blob_or_uri")))
    for account in things(call.holder, "account"):
        if method in ("get_container_client", "get_blob_client"):
            found = call.words(0, "container")
            return frozenset(Kept(Store("azure", one.words, account.within), one.origin) for one in found)
    return None


def _of_files(call: Call) -> Value | None:
    """What the file systems of fsspec and its kin open, by addresses or by paths that begin with the bucket."""
    systems = things(call.holder, "files")
    if not systems or call.method not in _OPENS_FILE:
        return None
    found: set[Atom] = set()
    for system in systems:
        for text in call.words(0, "path", "rpath", "path1"):
            store = address(text.words)
            if (store is None or store.platform == "address") and system.platform != "address":
                bucket = until(text.words, "/")[0]
                store = Store(system.platform, bucket) if system.platform != "hub" else _repository(text.words)
            if store is not None and store.platform == "azure" and not store.within:
                store = Store("azure", store.name, system.within)
            if store is not None:
                found.add(Kept(store, text.origin))
    return frozenset(found)


# the hub and MLflow


def _of_hub(call: Call) -> Value | None:
    """Files of a repository of Hugging Face's hub."""
    if not (_HUB.match(call.name) or (call.method in _HUB_METHODS and call.module.imports("huggingface_hub"))):
        return None
    return _repositories(call, call.at(0, "repo_id"))


def _repositories(call: Call, value: Value) -> Value:
    """The repositories that a call fetches, unless it names their commit."""
    revision = call.module.constant(keyword(call.node, "revision"))
    code = call.module.constant(keyword(call.node, "code_revision"))
    local = _true(keyword(call.node, "local_files_only"))
    fixed = any(isinstance(one, str) and _COMMIT.fullmatch(one) for one in (revision, code))
    if local or (fixed and (code is None or (isinstance(code, str) and _COMMIT.fullmatch(code)))):
        return NOTHING
    found = set()
    for text in texts(value):
        store = _repository(text.words)
        if store is not None:
            found.add(Kept(store, text.origin))
    return frozenset(found)


def _repository(words: Words) -> Store | None:
    name = plain(words)
    if isinstance(words[0] if words else None, Given) and len(words) == 1:
        return Store("hub", words)
    return Store("hub", words) if _REPOSITORY.fullmatch(name) and not is_folder(name) else None


def _of_mlflow(call: Call) -> Value | None:
    """Artifacts that MLflow's client fetches."""
    if call.method != "download_artifacts" or not call.module.imports("mlflow"):
        return None
    if "mlflow.artifacts" in call.name and ("artifact_uri" in call.named or call.given):
        return frozenset(opened(call.at(0, "artifact_uri")))
    run = call.words(0, "run_id")[0]
    return frozenset((Kept(Store("mlflow", joined(("runs:/",), run.words)), run.origin),))
