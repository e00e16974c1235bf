"""Packages of torch.export (``.pt2``): the program as JSON, raw weights, pickled samples, and compiled code.

torch/export/pt2_archive of torch 2.13, and torch/_export/serde of 2.1 to 2.7. A node's target is looked up by its
name in ``torch``, ``_operator`` or ``math`` (serialize.py, deserialize_operator), so any function that torch
reaches could be named: only operators are let pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import SCAN_MAX_TEXT_BYTES
from assaymark.formats.text import json_value, read_text
from assaymark.formats.zip_member import member_view
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.graphs.tensorflow_uses import Refusal
from assaymark.scanning.graphs.torch_operators import refusal_of
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.formats.zip import ZipArchive, ZipMember
    from assaymark.scanning.content import Content

_PROGRAM: Final = re.compile(r"(?:[^/]*/)?(?:models/[^/]+\.json|serialized_exported_program\.json)")
_CONFIG: Final = re.compile(r"((?:[^/]*/)?data/(?:weights|constants)/)[^/]+_config\.json")
_NOTE: Final = re.compile(
    r"(?:[^/]*/)?(?:archive_format|archive_version|byteorder|version|\.data/(?:version|serialization_id))"
)
_COMPILED: Final = re.compile(r"(?:[^/]*/)?data/aotinductor/.*\.(?:so|dll|dylib|cubin|hsaco|cpp|o|spv|cu|ptx)|.*\.so")
_ARITHMETIC: Final = frozenset(
    """add sub mul truediv floordiv mod pow neg pos abs eq ne lt le gt ge and_ or_ xor not_ invert lshift rshift
    getitem index truth""".split()  # noqa: SIM905
)
_MATH: Final = frozenset("ceil floor trunc sqrt pow log log2 exp cos sin tan cosh sinh tanh acos asin atan".split())  # noqa: SIM905
_TORCH: Final = re.compile(r"torch\.(?:sym_\w+|_sym_sqrt|_sym_\w+|_check\w*)")
_OPERATOR: Final = re.compile(r"torch\.ops\.(\w+)\.(\w+)(?:\.\w+)?")


def pt2_members(content: Content, archive: ZipArchive) -> set[str]:
    """Examine what is the exporter's in the archive; returns the names that are done with, if it is its archive."""
    by_name = {member.name: member for member in archive.members}
    programs = [name for name in by_name if _PROGRAM.fullmatch(name)]
    packaged = any(name.rsplit("/", 1)[-1] == "archive_format" for name in by_name)
    if not programs and not packaged:
        return set()
    done: set[str] = set()
    for name in programs:
        _program(content, by_name[name])
        done.add(name)
    for name, member in by_name.items():
        match = _CONFIG.fullmatch(name)
        if match is not None:
            done |= _raw_tensors(content, by_name, member, match[1])
            done.add(name)
        elif _NOTE.fullmatch(name) and member.size <= 64:  # noqa: PLR2004 - a word or a number
            done.add(name)
        elif _COMPILED.fullmatch(name):
            inner = content.within(content.view, name).member
            message = "the package brings compiled code, which torch loads into the process"
            content.notes.finding("graph-native-code", message, member=inner, offset=member.start)
            done.add(name)
    content.notes.saw("pt2", content.member)
    return done


def _json(content: Content, member: ZipMember) -> Any:
    inner = content.within(content.view, member.name)
    try:
        return json_value(read_text(member_view(content.view, member, SCAN_MAX_TEXT_BYTES)))
    except InputError as error:
        note_broken(inner, error, "JSON of an exported program")
        return None


def _raw_tensors(content: Content, by_name: dict[str, ZipMember], config: ZipMember, folder: str) -> set[str]:
    """Tensors whose bytes lie raw in the archive; what is pickled goes the way of any other member."""
    value = _json(content, config)
    entries = value.get("config") if isinstance(value, dict) else None
    done: set[str] = set()
    for entry in entries.values() if isinstance(entries, dict) else ():
        if not isinstance(entry, dict) or entry.get("use_pickle") is not False:
            continue
        path = entry.get("path_name")
        if isinstance(path, str) and re.fullmatch(r"(?:weight|tensor)_\d+", path) and folder + path in by_name:
            member = by_name[folder + path]
            if not member.unreadable and not member.deflated:
                content.notes.saw("raw-tensors", content.within(content.view, member.name).member)
                done.add(member.name)
    return done


def _program(content: Content, member: ZipMember) -> None:
    value = _json(content, member)
    inner = content.within(content.view, member.name).member
    stack = [value]
    seen: set[str] = set()
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
            target = item.get("target")
            if isinstance(target, str) and "inputs" in item and target not in seen:
                seen.add(target)
                refusal = _judge(target)
                if refusal is not None:
                    message = f"the program calls {shown(target)!r}, which {refusal.reason}"
                    content.notes.finding(refusal.rule, message, member=inner, severity=refusal.severity)
        elif isinstance(item, str) and "__enum__" in item:
            _enumeration(content, item, inner)
    if value is not None:
        content.notes.saw("exported-program", inner)


def _judge(target: str) -> Refusal | None:
    match = _OPERATOR.fullmatch(target)
    if match is not None:
        return refusal_of(match[1], match[2])
    root, _, name = target.partition(".")
    if (
        (root == "_operator" and name in _ARITHMETIC)
        or (root == "math" and name in _MATH)
        or _TORCH.fullmatch(target)
    ):
        return None
    if root in ("torch", "_operator", "math"):
        return Refusal("graph-runs-code", "is a function of Python and no operator")
    return Refusal("graph-unknown-operator", "is no operator of torch's")


def _enumeration(content: Content, text: str, member: str) -> None:
    """torch/utils/_pytree.py, enum_object_hook: imports the module that a value of an enumeration names."""
    for name in re.findall(r'"fqn"\s*:\s*"([^"]*)"', text.replace('\\"', '"')):
        if name.split(".", 1)[0].split(":", 1)[0] != "torch":
            message = f"torch imports {shown(name)!r} when it loads the program"
            content.notes.finding("graph-runs-code", message, member=member)
