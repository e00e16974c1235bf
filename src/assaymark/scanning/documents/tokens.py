"""Scanners of vocabularies: SentencePiece models and tiktoken files, which run nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.sentencepiece import check_sentencepiece
from assaymark.formats.text import read_text

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.scanning.content import Content

_LINE: Final = re.compile(rb"(?:[A-Za-z0-9+/]{2,}={0,2} \d{1,9}\r?\n?)+")


def is_tiktoken(view: View) -> bool:
    """Whether the text begins as a tiktoken file: base64, a space, a rank."""
    head = view.read(0, 200)
    line, newline, _ = head.partition(b"\n")
    return bool(newline) and _LINE.fullmatch(line + newline) is not None


def scan_tiktoken(content: Content) -> None:
    """Every line is a token and its rank."""
    if _LINE.fullmatch(read_text(content.view)) is None:
        content.notes.skip("it begins as a tiktoken vocabulary and goes on otherwise", content.member)
        return
    content.notes.saw("tiktoken", content.member)


def scan_sentencepiece(content: Content) -> None:
    """Every byte belongs to a piece or a setting."""
    try:
        check_sentencepiece(content.view)
    except InputError as error:
        content.notes.skip(f"not a whole SentencePiece model: {error.message} ({error.position})", content.member)
        return
    content.notes.saw("sentencepiece", content.member)
