"""Calls that run what they load, and models that are fetched without saying which.

A name is what its import makes it. Whether ``torch.load`` runs what it reads depends on PyTorch's version when the
call does not say: 2.6 made ``weights_only`` the default, and before it even that could be passed by (CVE-2025-32434).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.assess.source.modules import argument, keyword, text_of
from assaymark.assess.source.places import standing
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.source import Requirement
    from assaymark.assess.source.modules import Function, Module

_UNPICKLES: Final = frozenset(
    (
        *("pickle.load", "pickle.loads", "pickle.Unpickler", "_pickle.load", "_pickle.loads", "cPickle.load"),
        *("cPickle.loads", "six.moves.cPickle.load", "dill.load", "dill.loads", "cloudpickle.load"),
        *("ray.cloudpickle.load", "ray.cloudpickle.loads", "pyspark.cloudpickle.loads", "cloudpickle.Unpickler"),
        *("cloudpickle.loads", "joblib.load", "sklearn.externals.joblib.load", "pandas.read_pickle", "shelve.open"),
        *("marshal.load", "marshal.loads", "jsonpickle.decode", "torch.package.PackageImporter", "dill.Unpickler"),
        *("compress_pickle.load", "pickle5.load", "pickle5.loads", "klepto.archives.file_archive", "hickle.load"),
    )
)
_SAFE_YAML: Final = frozenset(("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"))
_KERAS: Final = re.compile(r"^(?:tensorflow\.)?(?:keras|tf_keras)\.(?:\w+\.)*load_model$|^keras\.saving\.load_model$")
_MLFLOW: Final = re.compile(r"^mlflow\.(\w+)\.load_model$")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_HUB: Final = frozenset(("from_pretrained", "snapshot_download", "hf_hub_download", "load_dataset", "pipeline"))
_LOCAL_NAME: Final = re.compile(r"path|dir|folder|local|checkpoint|ckpt|output|save|file", re.IGNORECASE)
_ON_DISK: Final = re.compile(r"(?:^|\.)(?:save_pretrained\w*|path\.(?:exists|isdir|isfile)|makedirs|mkdir|listdir)$")
_CHECKED: Final = re.compile(r"hexdigest\(\)|compare_digest|verify_signature|\.verify\(|file_digest\(")
_HUB_PACKAGES: Final = (
    *("transformers", "diffusers", "huggingface_hub", "datasets", "sentence_transformers", "peft", "tokenizers"),
    *("optimum", "timm", "open_clip", "trl", "auto_gptq", "setfit", "adapters", "faster_whisper", "vllm"),
)


def loads(module: Module, requirements: Iterable[Requirement]) -> Iterator[Remark]:
    """What a module loads."""
    torch = torch_release(requirements)
    fed = {id(inner) for call, _ in module.calls for inner in call.args}
    for call, function in module.calls:
        name = called_name(module, call.func)
        found = _found(module, call, name, torch)
        if found is None:
            continue
        rule, message, severity, confidence = found
        if rule == "load-pickle" and _own_copy(module, call):
            continue
        if id(call) in fed and name.endswith("Unpickler"):
            pass
        if standing(module.path) == "test":
            severity = Severity.LOW
        elif rule.startswith("load-") and rule != "load-unpinned-model" and _checked(function):
            severity, confidence = Severity.LOW, Confidence.LOW
            message += " (a digest or signature is looked at first)"
        yield Remark(rule, _about(call, name), message, (module.because(call),), severity, confidence)


def executes(module: Module, call: ast.Call, torch: tuple[int, int] | None) -> tuple[str, ...] | None:
    """What decides whether a call runs what it loads; nothing where it surely does, None where it does not.

    ``torch``: as ``torch_release`` has it.
    """
    name = called_name(module, call.func)
    found = _found(module, call, name, torch)
    if found is None or found[0] == "load-unpinned-model" or _own_copy(module, call):
        return None
    rule, message, severity, _ = found
    if severity is Severity.LOW or (rule == "load-keras" and name.endswith("enable_unsafe_deserialization")):
        return None  # only in releases that nobody has any more; no load itself
    if rule == "load-torch" and severity is Severity.MEDIUM:
        if name != "torch.load":
            return ()
        pinned = torch is not None
        return (message,) if pinned else ("PyTorch is older than 2.6 where it runs",)
    if rule == "load-yaml" and severity is Severity.MEDIUM:
        return ("PyYAML is older than 6 where it runs",)
    return ()


def called_name(module: Module, node: ast.expr) -> str:
    """The name of what is called; ``yaml.load`` is another one where ``yaml`` is a variable of the module's own."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    own = isinstance(root, ast.Name) and root.id in module.values and root.id not in module.names
    return module.meaning(node) if own else module.dotted(node)


def revisions(module: Module) -> Iterator[tuple[str, str]]:
    """Models and data sets of a hub that calls name at a commit, each with it."""
    for call, _ in module.calls:
        last = module.dotted(call.func).rpartition(".")[2]
        commit = module.constant(keyword(call, "revision"))
        if last not in (*_HUB, "SentenceTransformer") or not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            continue
        names = (argument(call, 1, "model"),) if last == "pipeline" else call.args[:1]
        given = [*names, *(keyword(call, one) for one in ("repo_id", "path", "pretrained_model_name_or_path"))]
        for name in (module.constant(one) for one in given):
            if isinstance(name, str) and _REPOSITORY.fullmatch(name):
                yield name, commit


_Found = tuple[str, str, Severity | None, Confidence | None]


def _found(module: Module, call: ast.Call, name: str, torch: tuple[int, int] | None) -> _Found | None:
    if name in _UNPICKLES:
        return "load-pickle", f"{name} runs what the file or stream tells it to", None, None
    if name == "torch.load":
        return _torch_load(call, torch)
    if name in ("numpy.load", "numpy.lib.npyio.load") and _true(keyword(call, "allow_pickle")):
        return (
            "load-pickle",
            "numpy.load with allow_pickle=True unpickles, which runs what the file tells it to",
            None,
            None,
        )
    if name.startswith("yaml."):
        return _yaml(module, call, name)
    if name == "ruamel.yaml.YAML" and module.constant(keyword(call, "typ")) == "unsafe":
        return "load-yaml", "ruamel.yaml with typ='unsafe' constructs any Python object", None, None
    if _KERAS.match(name):
        return _keras(module, call, name)
    if name.endswith("enable_unsafe_deserialization") and "keras" in name:
        return "load-keras", f"{name} lets every model that is loaded run code", None, None
    if _true(keyword(call, "trust_remote_code")) or _true(keyword(call, "allow_dangerous_deserialization")):
        return _trust(module, call, name)
    mlflow = _MLFLOW.match(name)
    if mlflow:
        message = f"{name} unpickles most models, which runs what they tell it to: {_shown(module, call)}"
        return "load-mlflow", message, None, Confidence.MEDIUM
    if name in ("torch.hub.load", "torch.hub.load_state_dict_from_url"):
        return _torch_hub(module, call, name)
    return _hub(module, call, name)


def _torch_load(call: ast.Call, torch: tuple[int, int] | None) -> _Found | None:
    asked = keyword(call, "weights_only")
    if _false(asked):
        return (
            "load-torch",
            "torch.load with weights_only=False unpickles, which runs what the file tells it to",
            None,
            None,
        )
    old = torch is not None and torch < (2, 6)
    if _true(asked):
        if old and torch is not None:
            message = (
                f"torch.load with weights_only=True can be made to run code before PyTorch 2.6 (CVE-2025-32434);"
                f" {torch[0]}.{torch[1]} is required here"
            )
            return "load-torch", message, Severity.MEDIUM, None
        return None
    if asked is not None:
        return None
    if torch is None:
        message = (
            "torch.load runs what the file tells it to, unless PyTorch is 2.6 or later; no version is required here"
        )
        return "load-torch", message, Severity.MEDIUM, Confidence.MEDIUM
    if old:
        return "load-torch", f"torch.load of PyTorch {torch[0]}.{torch[1]} runs what the file tells it to", None, None
    return None


def _yaml(module: Module, call: ast.Call, name: str) -> _Found | None:
    if name in ("yaml.unsafe_load", "yaml.unsafe_load_all"):
        return "load-yaml", f"{name} constructs any Python object that the text names", None, None
    if name in ("yaml.full_load", "yaml.full_load_all"):
        return (
            "load-yaml",
            f"{name} constructs Python objects; releases before 5.4 ran code (CVE-2020-14343)",
            Severity.LOW,
            None,
        )
    if name not in ("yaml.load", "yaml.load_all"):
        return None
    loader = argument(call, 1, "Loader")
    if loader is None:
        message = f"{name} without a Loader constructs any Python object in PyYAML before 6"
        return "load-yaml", message, Severity.MEDIUM, Confidence.MEDIUM
    said = module.dotted(loader).rpartition(".")[2]
    if (
        said in _SAFE_YAML
        or said in module.classes
        or said not in ("Loader", "UnsafeLoader", "CLoader", "FullLoader")
    ):
        return None
    severity = Severity.LOW if said == "FullLoader" else None
    return "load-yaml", f"{name} with {said} constructs Python objects that the text names", severity, None


def _keras(module: Module, call: ast.Call, name: str) -> _Found | None:
    path = module.constant(argument(call, 0, "filepath"))
    if _false(keyword(call, "safe_mode")):
        return "load-keras", f"{name} with safe_mode=False runs the code that the model brings", None, None
    if isinstance(path, str) and path.lower().endswith((".h5", ".hdf5")):
        message = f"{name} of an HDF5 file: Lambda layers in it run, and safe_mode did not hold there (CVE-2025-9905)"
        return "load-keras", message, Severity.MEDIUM, None
    return None


def _trust(module: Module, call: ast.Call, name: str) -> _Found:
    last = name.rpartition(".")[2] or "a call"
    if _true(keyword(call, "allow_dangerous_deserialization")):
        return "load-pickle", f"{last} with allow_dangerous_deserialization=True unpickles an index", None, None
    pinned = _commit(module, keyword(call, "revision")) and (
        keyword(call, "code_revision") is None or _commit(module, keyword(call, "code_revision"))
    )
    message = f"{last} with trust_remote_code=True runs Python of the repository{_of(module, call)}"
    if pinned:
        return "load-remote-code", f"{message}, at a fixed commit", Severity.MEDIUM, None
    return "load-remote-code", message, None, None


def _torch_hub(module: Module, call: ast.Call, name: str) -> _Found | None:
    if name.endswith("load_state_dict_from_url"):
        if _true(keyword(call, "weights_only")) or _true(keyword(call, "check_hash")):
            return None
        return "load-torch", f"{name} unpickles what an address gives", Severity.MEDIUM, Confidence.MEDIUM
    if module.constant(keyword(call, "source")) == "local":
        return None
    where = module.constant(argument(call, 0, "repo_or_dir"))
    pinned = isinstance(where, str) and _COMMIT.search(where)
    message = f"torch.hub.load runs Python of a repository{f' ({where})' if isinstance(where, str) else ''}"
    return "load-remote-code", message, Severity.MEDIUM if pinned else None, None


def _hub(module: Module, call: ast.Call, name: str) -> _Found | None:
    """A model or data set of a hub, by a name that can mean something else tomorrow."""
    last = name.rpartition(".")[2]
    sentence = name == "sentence_transformers.SentenceTransformer"
    if not (last in _HUB or sentence) or not module.imports(*_HUB_PACKAGES):
        return None
    if last in ("pipeline", "load_dataset") and name.split(".", maxsplit=1)[0] not in _HUB_PACKAGES:
        return None
    node = argument(
        call, 0, {"from_pretrained": "pretrained_model_name_or_path", "load_dataset": "path"}.get(last, "repo_id")
    )
    if last == "pipeline":
        node = argument(call, 1, "model")
    if node is None or _true(keyword(call, "local_files_only")):
        return None
    revision = keyword(call, "revision")
    if revision is not None and module.constant(revision) is None:
        return None  # a variable that the input does not give a value
    if _commit(module, revision):
        return None
    if isinstance(node, ast.Name) and node.id in _folders(module):
        return None
    value = module.constant(node)
    if isinstance(value, str):
        if not _REPOSITORY.fullmatch(value) or value.startswith((".", "/")) or is_folder(value):
            return None
        what = f" ({value})"
        branch = module.constant(revision)
        said = f"only by the branch or tag {branch}" if isinstance(branch, str) else "without a revision"
        return (
            "load-unpinned-model",
            f"{last} fetches a repository{what} {said}: its owner may change it any time",
            None,
            None,
        )
    if isinstance(node, ast.Name) and not _LOCAL_NAME.search(node.id) and revision is None:
        message = f"{last} fetches {node.id} without a revision, if that is a repository of a hub"
        return "load-unpinned-model", message, Severity.LOW, Confidence.LOW
    return None


def _folders(module: Module) -> set[str]:
    """The variables that the module writes models into, or asks the file system for."""
    found = set()
    for call, _ in module.calls:
        name = module.dotted(call.func)
        if _ON_DISK.search(name):
            found |= {one.id for one in call.args if isinstance(one, ast.Name)}
    return found


def is_folder(value: str) -> bool:
    """Whether a text of two parts is a path of one's own rather than a repository of a hub."""
    first = value.split("/", maxsplit=1)[0]
    return first in (
        "models",
        "model",
        "data",
        "checkpoints",
        "output",
        "outputs",
        "artifacts",
        "weights",
        "tmp",
        "results",
    ) or (
        value.endswith((".json", ".csv", ".bin", ".pt", ".txt", ".parquet"))
        or value in ("json", "csv", "parquet", "text", "imagefolder")
    )


def torch_release(requirements: Iterable[Requirement]) -> tuple[int, int] | None:
    """The oldest release of PyTorch that the requirements let in; None when nothing tells."""
    found: list[tuple[int, int]] = []
    for one in requirements:
        if one.name == "torch":
            match = re.search(r"(?:===?|>=|~=|\^|@v?)\s*v?(\d+)\.(\d+)", one.specifier or f"=={one.exact}")
            if match:
                found.append((int(match[1]), int(match[2])))
    return min(found) if found else None


def _own_copy(module: Module, call: ast.Call) -> bool:
    """``pickle.loads(pickle.dumps(x))`` reads what it just wrote."""
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Call) and module.dotted(first.func).endswith(".dumps")


def _checked(function: Function | None) -> bool:
    return function is not None and bool(_CHECKED.search(ast.unparse(function)))


def _commit(module: Module, node: ast.expr | None) -> bool:
    value = module.constant(node)
    return isinstance(value, str) and bool(_COMMIT.fullmatch(value))


def _shown(module: Module, call: ast.Call) -> str:
    value = module.constant(call.args[0]) if call.args else None
    return value if isinstance(value, str) else "one that is chosen when it runs"


def _of(module: Module, call: ast.Call) -> str:
    value = module.constant(call.args[0]) if call.args else None
    return f" {value}" if isinstance(value, str) else ""


def _about(call: ast.Call, name: str) -> str:
    first = text_of(call.args[0]) if call.args else ""
    return f"{name}({first})" if first else name


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
