"""Scanners of text and JSON: inert unless a loader takes something in them as an order to run code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.text import json_value, read_text
from assaymark.scanning.documents.configs import judge_config
from assaymark.scanning.documents.keras import judge_keras
from assaymark.scanning.documents.python import judge_notebook
from assaymark.scanning.documents.yaml import judge_yaml
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Prose may speak of these; a loader reads none of it.
_PROSE: Final = frozenset((".md", ".markdown", ".rst", ".txt", ".csv", ".tsv"))
# YAML that makes Python objects: by a tag, written out, by a shorthand or with escapes, as PyYAML resolves them.
_ACTIVE_TEXT: Final = re.compile(
    rb"^%TAG\b|!!?python\b|tag:yaml\.org,2002:python|!<[^>\n]*%|![\w!-]*%[0-9A-Fa-f]|_target_\b|:serialized:",
    re.MULTILINE,
)
_YAML: Final = frozenset((".yaml", ".yml"))
_YAML_NAMES: Final = frozenset(("MLmodel",))


def scan_text(content: Content) -> None:
    """Text is inert, but for YAML that constructs Python objects or configuration that names what to call."""
    text = read_text(content.view)
    name = content.name.replace("\\", "/").rsplit("/", 1)[-1]
    by_name = content.suffix in _YAML or name in _YAML_NAMES
    before = _noted(content)
    if by_name or (content.suffix not in _PROSE and _ACTIVE_TEXT.search(text)):
        judge_yaml(content, text.decode())
    if content.suffix == ".json":
        content.notes.skip("named .json, but it is not JSON", content.member)
        return
    _understood(content, "yaml", before)


def _noted(content: Content) -> tuple[int, int]:
    return len(content.notes.findings), len(content.notes.skipped)


def _understood(content: Content, kind: str, before: tuple[int, int]) -> None:
    """Inert when nothing was noted since ``before``; what makes a loader act was examined, and is not inert."""
    if _noted(content) == before:
        content.inert("text")
    else:
        content.notes.saw(kind, content.member)


def scan_json(content: Content) -> None:
    """Strict JSON is inert unless a key makes a loader run something."""
    before = _noted(content)
    try:
        value = json_value(read_text(content.view))
    except InputError as error:
        if error.code == "json-duplicate-key" and content.suffix not in _PROSE:
            content.notes.finding(
                "config-ambiguous",
                shown(f"{error.message}: which one counts depends on the reader"),
                member=content.member,
            )
        elif content.suffix == ".json":
            where = f" ({error.position})" if error.position else ""
            content.notes.skip(shown(f"not strict JSON: {error.message}{where}"), content.member)
            text = read_text(content.view)
            if _ACTIVE_TEXT.search(text):  # for a reader of YAML it may be a document all the same
                judge_yaml(content, text.decode())
        else:
            scan_text(content)
        return
    if isinstance(value, dict) and isinstance(value.get("nbformat"), int) and isinstance(value.get("cells"), list):
        judge_notebook(content, value)
    judge_config(content, value, judge_keras)
    _understood(content, "json", before)
