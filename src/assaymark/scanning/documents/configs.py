"""Judges a configuration, whatever it was written in: what its loader would import or call, or read elsewhere.

One walk over the values. A key counts only with a value of the kind that its loader takes, so that a vocabulary may
hold any word.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.report import Severity
from assaymark.core.view import BytesView
from assaymark.scanning.documents.skops import is_node, judge_node
from assaymark.scanning.documents.targets import judge_target
from assaymark.scanning.documents.templates import judge_template
from assaymark.scanning.notes import shown
from assaymark.scanning.pickle.dangerous import is_dangerous

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.scanning.content import Content


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keys whose value is called by its dotted name, with the program that does.
_TARGET_KEYS: Final = {
    "_target_": "Hydra or NeMo",
    "_component_": "torchtune",
    "class_path": "Lightning",
    "__target__": "its loader",
}
# sentence-transformers imports and calls these when they hold a dot.
_FUNCTION_KEYS: Final = frozenset(
    ("activation_function", "activation_fn", "sbert_ce_default_activation_function", "default_activation_function")
)
_YES: Final = frozenset(("true", "yes", "on"))  # as YAML spells it
_OUTSIDE: Final = re.compile(r"[/\\~]|[A-Za-z]:[\\/]|[A-Za-z][\w+.-]*://")
_DIFFUSERS: Final = frozenset(("diffusers", "transformers", "optimum", "onnxruntime", "k_diffusion"))
_DIFFUSERS_FOLDERS: Final = _words(
    "stable_diffusion stable_diffusion_safe stable_diffusion_xl stable_diffusion_3 stable_cascade paint_by_example "
    "latent_diffusion latent_consistency_models kandinsky kandinsky2_2 kandinsky3 deepfloyd_if shap_e unidiffuser "
    "versatile_diffusion alt_diffusion audioldm audioldm2 musicldm wuerstchen pixart_alpha flux unclip "
    "spectrogram_diffusion semantic_stable_diffusion cogvideo deprecated ltx wan hunyuandit blip_diffusion"
)
# transformers fetches a kernel's code from the repository that one of these names: "owner/name".
_KERNELS: Final = frozenset(
    (
        "attn_implementation",
        "_attn_implementation",
        "_attn_implementation_internal",
        "experts_implementation",
        "_experts_implementation",
        "_experts_implementation_internal",
    )
)
_PEFT_LIBRARIES: Final = ("transformers.", "diffusers.", "sentence_transformers.", "timm.", "torch.nn.")


def judge_config(content: Content, value: Any, judge_keras: Callable[[Content, Any], None]) -> None:
    """Note what is found in the values of a configuration. ``judge_keras`` gets what Keras would deserialise."""
    _named(content, value)
    expressions = False
    keras: list[Any] = []
    for item in _dicts(value):
        for key, member in item.items():
            _key(content, item, key, member)
        expressions = expressions or any(key in item for key in ("_target_", "imports"))
        if is_node(item):
            judge_node(content, item)
        if _is_keras(item):
            keras.append(item)
    if expressions:
        _expressions(content, value)
    if keras:
        judge_keras(content, keras[0] if keras[0] is value else value)


def _is_keras(item: dict[str, Any]) -> bool:
    return isinstance(item.get("class_name"), str) and "config" in item


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(member for member in item.values() if isinstance(member, (dict, list)))
        elif isinstance(item, list):
            stack.extend(member for member in item if isinstance(member, (dict, list)))


def _key(content: Content, item: dict[str, Any], key: str, member: Any) -> None:  # noqa: C901, PLR0912 - a table of keys
    if key in ("auto_map", "custom_pipelines") and isinstance(member, (dict, str)) and member:
        _remote(content, key, member)
    elif key == "trust_remote_code" and (member is True or str(member).lower() in _YES):
        _note(content, "config-remote-code", "trust_remote_code is true: whoever loads it takes code from its folder")
    elif key in ("chat_template", "chat_template_jinja", "default_chat_template") or key.endswith("_chat_template"):
        _templates(content, key, member)
    elif key == "()" and isinstance(member, str):
        _target(content, "logging.config calls what '()' names", member)
    elif key in _TARGET_KEYS and isinstance(member, str):
        _target(content, f"{_TARGET_KEYS[key]} calls what {key!r} names", member)
    elif key == "target" and isinstance(member, str) and "." in member and "params" in item:
        _target(content, "latent diffusion's loader calls what 'target' names", member)
    elif key in _FUNCTION_KEYS and isinstance(member, str) and "." in member:
        _target(content, f"sentence-transformers calls what {key!r} names", member)
    elif key == ":serialized:" and isinstance(member, str):
        _serialized(content, member)
    elif key == "loader_module" and isinstance(member, str) and not f"{member}.".startswith("mlflow."):
        severity = Severity.CRITICAL if is_dangerous(member, "_load_pyfunc") else None
        _note(content, "config-remote-code", f"MLflow imports {shown(member)} to load the model", severity)
    elif key in ("code", "model_code_path") and "loader_module" in item and isinstance(member, str) and member:
        _note(content, "config-remote-code", f"MLflow puts {shown(member)} on the path and imports code from there")
    elif key in _KERNELS:
        _kernels(content, key, member)
    elif key == "megatron_core" and isinstance(member, str) and not f"{member}.".startswith("megatron.core."):
        _imported(content, "PEFT", key, member)
    elif key == "types" and isinstance(member, dict) and ("structure" in item or "parameters" in item):
        for kind in sorted({kind for kind in member.values() if isinstance(kind, str)}):
            _module(content, kind)
    elif key == "tokenizer_class" and isinstance(member, str) and "." in member:
        if not member.startswith("transformers."):
            _module(content, member)
    elif key == "custom_ops_library" and isinstance(member, str) and member:
        message = f"ONNX Runtime loads the native library {shown(member)} before the model"
        _note(content, "config-remote-code", message, Severity.CRITICAL)
    elif key == "auto_mapping" and isinstance(member, dict):
        _peft(content, member)
    elif key == "weight_map" and isinstance(member, dict):
        _paths(content, "weight_map", member.values())
    elif key.startswith("py/") and key in ("py/object", "py/reduce", "py/function", "py/type", "py/repr", "py/class"):
        _note(content, "config-target", f"{key!r}: jsonpickle constructs what it names", Severity.CRITICAL)
    elif key == "lc" and isinstance(item.get("id"), list) and isinstance(item.get("type"), str):
        _langchain(content, item)


def _note(content: Content, rule: str, message: str, severity: Severity | None = None) -> None:
    content.notes.finding(rule, message, member=content.member, severity=severity)


def _remote(content: Content, key: str, member: Any) -> None:
    names = sorted(set(_texts(member)))
    what = ", ".join(shown(name) for name in names[:8])
    elsewhere = any("--" in name for name in names)
    where = "code from another repository" if elsewhere else "code that comes with the model"
    _note(
        content,
        "config-remote-code",
        f"{key!r}: with trust_remote_code transformers imports {where}: {what}",
        Severity.CRITICAL if elsewhere else None,
    )


def _texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _templates(content: Content, key: str, member: Any) -> None:
    if isinstance(member, str):
        judge_template(content, member, key)
    elif isinstance(member, dict):
        for name, text in member.items():
            if isinstance(text, str):
                judge_template(content, text, f"{key} {shown(name)!r}")
    elif isinstance(member, list):
        for entry in member:
            if isinstance(entry, dict) and isinstance(entry.get("template"), str):
                judge_template(content, entry["template"], f"{key} {shown(str(entry.get('name')))!r}")


def _target(content: Content, who: str, name: str) -> None:
    severity = judge_target(name)
    if severity is not None:
        known = "which runs code" if severity is Severity.CRITICAL else "which is not known to be harmless"
        _note(content, "config-target", f"{who}: {shown(name)}, {known}", severity)


def _serialized(content: Content, member: str) -> None:
    """Stable-Baselines3 (common/save_util.py): base64 of what cloudpickle wrote."""
    try:
        data = binascii.a2b_base64(member)
    except (binascii.Error, ValueError):
        content.notes.skip("':serialized:' holds no base64", content.member)
        return
    content.examine(content.within(BytesView(data), "serialized.pkl"))


def _imported(content: Content, who: str, key: str, module: str) -> None:
    severity = Severity.CRITICAL if is_dangerous(module, "") else None
    _note(content, "config-remote-code", f"{key!r}: {who} imports {shown(module)}", severity)


def _kernels(content: Content, key: str, member: Any) -> None:
    """transformers/integrations/hub_kernels.py; a dict names one for each part of the model."""
    for name in sorted({name for name in _texts(member) if "/" in name}):
        _note(content, "config-remote-code", f"{key!r}: transformers fetches and runs the kernel {shown(name)}")


def _peft(content: Content, member: dict[str, Any]) -> None:
    """peft/auto.py: the class of the base model, imported from ``parent_library``."""
    library, name = member.get("parent_library"), member.get("base_model_class")
    if not isinstance(library, str) or not isinstance(name, str):
        return
    if not f"{library}.".startswith(_PEFT_LIBRARIES) or is_dangerous(library, name):
        severity = Severity.CRITICAL if is_dangerous(library, name) else None
        _note(
            content,
            "config-remote-code",
            f"'auto_mapping': PEFT imports {shown(library)} and takes {shown(name)} from it",
            severity,
        )


def _paths(content: Content, key: str, values: Any) -> None:
    for path in sorted({value for value in values if isinstance(value, str)}):
        if _OUTSIDE.match(path) or ".." in path.replace("\\", "/").split("/"):
            _note(content, "config-path", f"{key!r} names {shown(path)}, outside of the model's folder")


def _langchain(content: Content, item: dict[str, Any]) -> None:
    names = [part for part in item["id"] if isinstance(part, str)]
    if item["type"] == "constructor" and names and not names[0].startswith("langchain"):
        _note(content, "config-target", f"LangChain constructs {shown('.'.join(names))}")
    elif item["type"] == "secret":
        _note(content, "config-target", f"LangChain reads the secret {shown('.'.join(names))} of the environment")


def _expressions(content: Content, value: Any) -> None:
    """MONAI bundles: a text that begins with ``$`` is Python that its parser evaluates."""
    for text in _texts(value):
        if text.startswith("$"):
            _note(content, "config-target", f"MONAI evaluates {shown(text[:120])!r} as Python", Severity.HIGH)


def _named(content: Content, value: Any) -> None:
    """Files that a loader knows by their name."""
    name = content.name.replace("\\", "/").rsplit("/", 1)[-1]
    if name in ("model_index.json", "modular_model_index.json") and isinstance(value, dict):
        _diffusers(content, value)
    elif name == "modules.json" and isinstance(value, list):
        _sentence_transformers(content, value)


def _diffusers(content: Content, value: dict[str, Any]) -> None:
    for key, member in value.items():
        if not isinstance(member, list) or not 2 <= len(member) <= 3 or not isinstance(member[0], str):  # noqa: PLR2004 - pair[, where]
            continue
        library, name = member
        known = library in _DIFFUSERS or library in _DIFFUSERS_FOLDERS
        if key == "_class_name" or not known or not (isinstance(name, str) and name[:1].isupper()):
            _note(
                content,
                "config-remote-code",
                f"{shown(key)!r}: diffusers imports {shown(library)} and takes {shown(str(name))} from it",
                Severity.CRITICAL if is_dangerous(library, str(name)) else None,
            )


def _sentence_transformers(content: Content, value: list[Any]) -> None:
    for entry in value:
        if not isinstance(entry, dict):
            continue
        kind, path = entry.get("type"), entry.get("path")
        if isinstance(kind, str):
            _module(content, kind)
        if isinstance(path, str):
            _paths(content, "path", [path] if path else [])


def _module(content: Content, kind: str) -> None:
    """A module of a sentence-transformers model, or what one takes words apart with."""
    if kind.startswith("sentence_transformers."):
        return
    module, _, name = kind.rpartition(".")
    severity = Severity.CRITICAL if is_dangerous(module, name) else None
    message = f"sentence-transformers imports {shown(kind)}, which is not its own"
    _note(content, "config-remote-code", message, severity)
