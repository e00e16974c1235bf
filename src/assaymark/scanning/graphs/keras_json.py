"""Keras' configuration within a SavedModel: layers that hold Python code, and modules that Keras would import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.text import json_value
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

_MODULES: Final = frozenset(("keras", "tf_keras", "tensorflow", "keras_nlp", "keras_cv", "keras_hub", "__main__"))
_BUILTINS: Final = frozenset(
    ("slice", "tuple", "dict", "list", "set", "dtype", "int", "float", "str", "bool", "type")
)
_MARSHALLED: Final = 3  # of a function: code in base64, defaults, closure
_CODE: Final = frozenset(("function", "output_shape", "mask"))


def judge_keras(content: Content, text: str, place: int) -> None:
    """Note what Keras would run when it builds its objects again from ``text``; text that is no JSON is another's."""
    if not text.lstrip().startswith(("{", "[")):
        return
    try:
        value = json_value(text.encode())
    except InputError as error:
        content.notes.skip(f"metadata of Keras at byte {place} is no JSON: {shown(error.message)}", content.member)
        return
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            reason = _reason(item)
            if reason:
                content.notes.finding("graph-runs-code", reason, member=content.member, offset=place)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _reason(item: dict[str, Any]) -> str:
    name = item.get("class_name")
    if name == "Lambda":
        return "a Lambda layer holds Python code, which Keras runs when it loads the model"
    if name == "__lambda__":
        return "a lambda is kept as Python code, which Keras runs when it loads the model"
    module = item.get("module")
    if isinstance(module, str) and isinstance(name, str):
        root = module.split(".", 1)[0]
        if root not in _MODULES and not (root == "builtins" and name in _BUILTINS):
            return f"Keras imports {shown(module)!r} to make {shown(name)!r} when it loads the model"
    for key in _CODE:
        code = item.get(key)
        if isinstance(code, list) and len(code) == _MARSHALLED and isinstance(code[0], str) and len(code[0]) > 20:  # noqa: PLR2004
            return f"{key!r} is Python code in base64, which Keras runs when it loads the model"
    return ""
