"""Judges what Keras deserialises: ``config.json`` of a ``.keras`` archive, attributes of an HDF5 file, ``to_json``.

Default deny: a class or function passes when it is Keras' own and reviewed (``keras_names``). Follows
``keras/src/saving/serialization_lib.py`` and ``keras/src/legacy/saving``; safe mode is not relied on, since legacy
formats ignore it (CVE-2025-9905) and attackers have switched it off from within a configuration (CVE-2025-9906).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.report import Severity
from assaymark.scanning.documents.keras_names import CLASSES, FUNCTIONS, OPERATIONS
from assaymark.scanning.documents.tensorflow_names import is_plain_function
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_OWN: Final = re.compile(r"(?:keras|tf_keras|keras_core|tensorflow\.keras|tensorflow\.python\.keras)(?:\.[a-z]\w*)*")
# Modules of Keras whose functions load code or files, whatever the class is called.
_TOOLS: Final = re.compile(r".*\b(?:utils|saving|export|callbacks|backend\.\w+\.export)\b.*")
# Values, not classes.
_VALUES: Final = frozenset(
    (
        "__keras_tensor__",
        "__tensor__",
        "__numpy__",
        "__bytes__",
        "__ellipsis__",
        "__slice__",
        "__tuple__",
        "__dict__",
        "TensorShape",
        "TypeSpec",
        "CompositeTensor",
    )
)
# Classes that carry or load code of another framework.
_CODE: Final = {
    "TorchModuleWrapper": "carries a pickled torch module, which is unpickled when the model is loaded",
    "TFSMLayer": "loads a TensorFlow SavedModel from a path, whose graph may write files",
    "JaxLayer": "carries functions",
    "FlaxLayer": "carries functions",
    "KerasLayer": "loads a TensorFlow Hub module from an address",
    "ClassMethod": "calls a method by its name",
    "InstanceMethod": "calls a method by its name",
}
# Layers that read a file when this field is a path (CVE-2025-12058, CVE-2025-12060).
_PATHS: Final = {
    "StringLookup": "vocabulary",
    "IntegerLookup": "vocabulary",
    "TextVectorization": "vocabulary",
    "IndexLookup": "vocabulary",
}
_FILE_FIELDS: Final = frozenset(("filepath", "file_path", "vocabulary_file", "weights_path", "origin", "cache_dir"))
_NODE_OP: Final = re.compile(r'\bop\s*:\s*["\']([^"\']*)')


def judge_keras(content: Content, value: Any) -> None:
    """Note what loading this configuration would construct, call or read."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(member for member in item if isinstance(member, (dict, list)))
        elif isinstance(item, dict):
            _dict(content, item)
            stack.extend(member for member in item.values() if isinstance(member, (dict, list)))


def _note(content: Content, rule: str, message: str, severity: Severity | None = None) -> None:
    content.notes.finding(rule, message, member=content.member, severity=severity)


def _dict(content: Content, item: dict[str, Any]) -> None:
    name = item.get("class_name")
    if isinstance(name, str) and name not in _VALUES:
        _class(content, item, name)
    if item.get("function_type") == "lambda" or item.get("module_objects") is not None:
        _note(
            content,
            "keras-code",
            "carries the code of a lambda function, which is run when the model is loaded or used",
        )
    for key in _FILE_FIELDS & item.keys():
        path = item[key]
        if isinstance(path, str) and path:
            _note(content, "keras-file", f"{key!r} makes the loader reach for {shown(path)}")
    activation = item.get("activation")
    if isinstance(activation, str) and activation not in FUNCTIONS | CLASSES and not activation.startswith("__"):
        _note(content, "keras-unknown", f"the activation {shown(activation)} is not Keras' own")


def _class(content: Content, item: dict[str, Any], name: str) -> None:
    config = item.get("config")
    config = config if isinstance(config, (dict, str)) else {}
    module = item.get("module")
    if module is not None and not isinstance(module, str):
        module = "?"
    registered = item.get("registered_name")
    if name == "function":
        _function(content, module, config, registered)
    elif name == "__lambda__":
        _note(content, "keras-code", "carries the code of a lambda function, which is run when the model is used")
    elif name == "Lambda" or name.endswith(">Lambda"):
        _lambda(content, config)
    elif name in _CODE:
        _note(content, "keras-code", f"{name} {_CODE[name]}")
    elif name in ("TFOpLambda", "SlicingOpLambda"):
        _tensorflow(content, name, config)
    elif name == "TensorFlowOpLayer":
        _node(content, config)
    elif not _is_own(name, module, registered):
        _unknown(content, name, module, registered)
    elif name in _PATHS and isinstance(config, dict) and isinstance(config.get(_PATHS[name]), str):
        path = shown(str(config[_PATHS[name]]))
        _note(content, "keras-file", f"{name} reads its vocabulary from the file {path} when the model is loaded")


def _is_own(name: str, module: str | None, registered: object) -> bool:
    if module is not None and (not _OWN.fullmatch(module) or _TOOLS.fullmatch(module)):
        return False
    plain = name.removeprefix("Custom>") if module is None else name
    if plain not in CLASSES and plain not in OPERATIONS:
        return False
    return registered in (None, name, f"keras>{name}", f"Keras>{name}", f"Custom>{name}")


def _unknown(content: Content, name: str, module: str | None, registered: object) -> None:
    full = f"{module}.{name}" if module else name
    if module and is_dangerous(module, name):
        _note(content, "keras-code", f"Keras imports and constructs {shown(full)}, which is known to run code")
        return
    by = f", registered as {shown(str(registered))}" if registered not in (None, name) else ""
    message = f"needs the class {shown(full)}{by}, which is not Keras' own"
    _note(content, "keras-unknown", message)


def _function(content: Content, module: str | None, config: dict[str, Any] | str, registered: object) -> None:
    """``{"class_name": "function", "config": name}``: looked up in a module, or among what was registered."""
    named = config if isinstance(config, str) else str(config.get("name", ""))
    name = str(registered) if registered not in (None, "function") else named
    own = module in (None, "builtins") or (_OWN.fullmatch(module or "") and not _TOOLS.fullmatch(module or ""))
    if own and named in FUNCTIONS and (name == named or name.rpartition(">")[2] == named):
        return
    full = f"{module}.{named}" if module else named
    if (module and is_dangerous(module, named)) or named in ("get_file", "load_model", "func_load", "eval", "exec"):
        _note(content, "keras-code", f"names the function {shown(full)}, which reaches files or runs code")
    else:
        _note(content, "keras-unknown", f"names the function {shown(full)}, which is not Keras' own")


def _lambda(content: Content, config: dict[str, Any] | str) -> None:
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "function":
        _note(content, "keras-unknown", "a Lambda layer calls a function by its name")
        return
    if isinstance(function, str):
        module = config.get("module") if isinstance(config, dict) else None
        message = f"a Lambda layer calls {shown(f'{module}.{function}')}, imported when the model is loaded"
    else:
        message = "a Lambda layer carries Python bytecode, which is run when the model is loaded or used"
    _note(content, "keras-code", message)


def _tensorflow(content: Content, name: str, config: dict[str, Any] | str) -> None:
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, str) and is_plain_function(function):
        return
    what = shown(str(function))
    critical = isinstance(function, str) and re.search(r"\bio\.|raw_ops|py_func|numpy_function|load|file", function)
    severity = Severity.CRITICAL if critical else Severity.HIGH
    _note(
        content,
        "keras-code",
        f"{name} calls {what} of TensorFlow, which is not known to be harmless",
        severity,
    )


def _node(content: Content, config: dict[str, Any] | str) -> None:
    """Keras of TensorFlow 2.0 to 2.3: the node of a graph, as text."""
    node = config.get("node_def") if isinstance(config, dict) else None
    found = _NODE_OP.search(node) if isinstance(node, str) else None
    if found is None or not is_plain_function(f"raw.{found[1]}"):
        _note(
            content,
            "keras-code",
            f"TensorFlowOpLayer runs the operation {shown(found[1]) if found else '?'}, not known to be harmless",
            Severity.HIGH,
        )
