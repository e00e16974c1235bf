"""Scanners of text and JSON: inert unless a loader takes something in them as an order to run code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.text import json_value, read_text
from assaymark.scanning.documents.configs import judge_config
from assaymark.scanning.documents.keras import judge_keras
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Prose may speak of these; a loader reads none of it.
_PROSE: Final = frozenset((".md", ".markdown", ".rst", ".txt", ".csv", ".tsv"))
# YAML that makes Python objects: by a tag, written out, by a shorthand or with escapes, as PyYAML resolves them.
_ACTIVE_TEXT: Final = re.compile(
    rb"!!?python\b|tag:yaml\.org,2002:python|!<[^>\n]*%|![\w!-]*%[0-9A-Fa-f]|_target_\b|:serialized:", re.MULTILINE
)
# In YAML, whatever the loader: directives, and tags of an application (SpeechBrain calls what "!new:" names).
_YAML: Final = frozenset((".yaml", ".yml"))
_ACTIVE_YAML: Final = re.compile(
    rb"^%TAG\b"
    rb"|(?:^|[\s\[{,:-])!(?!!(?:str|int|float|bool|null|map|seq|set|omap|binary|timestamp|merge)\b)[\w!<]\S*",
    re.MULTILINE,
)
_QUOTED_KEY: Final = re.compile(rb'"((?:[^"\\\n]|\\.)*+)"\s*:')
_SPELT: Final = re.compile(rb"\\[xuU]")


def scan_text(content: Content) -> None:
    """Text is inert, but for YAML that constructs Python objects or configuration that names what to call."""
    text = read_text(content.view)
    found = None if content.suffix in _PROSE else _ACTIVE_TEXT.search(text)
    if found is None and content.suffix in _YAML:
        found = _ACTIVE_YAML.search(text) or _spelt_key(text)
    if found is not None:
        word = shown(found[0][:80].decode("ascii", "replace").strip())
        content.notes.skip(
            f"{word!r} at byte {found.start()}: a loader may execute it, and this version does not examine it",
            content.member,
        )
        return
    if content.suffix == ".json":
        content.notes.skip("named .json, but it is not JSON", content.member)
        return
    content.inert("text")


def _spelt_key(text: bytes) -> re.Match[bytes] | None:
    """The first quoted key that is spelt with escapes: it may be any of those that we look for."""
    return next((key for key in _QUOTED_KEY.finditer(text) if _SPELT.search(key[1])), None)


def scan_json(content: Content) -> None:
    """Strict JSON is inert unless a key makes a loader run something."""
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
        else:
            scan_text(content)
        return
    judge_config(content, value, judge_keras)
    content.inert("text")
