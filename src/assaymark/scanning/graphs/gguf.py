"""Scanner of GGUF and of the formats before it: the chat templates go to the examiner of templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.ggml import read_ggml
from assaymark.formats.gguf import read_gguf
from assaymark.scanning.graphs.shared import note_broken

if TYPE_CHECKING:
    from assaymark.scanning.content import Content


def scan(content: Content) -> None:
    """Metadata and tensors within their bounds; each chat template as a file of its own."""
    try:
        model = read_gguf(content.view)
    except InputError as error:
        note_broken(content, error, "GGUF model")
        return
    if model.unknown:
        kinds = ", ".join(map(str, sorted(model.unknown)[:8]))
        content.notes.skip(f"tensors of types {kinds}, whose size this version does not know", content.member)
    for key, (text, _) in model.templates.items():
        suffix = key.removeprefix("tokenizer.chat_template").strip(".")
        name = f"{suffix}/chat_template.jinja" if suffix else "chat_template.jinja"
        content.examine(content.within(BytesView(text), name))
    content.notes.saw("gguf", content.member)


def scan_ggml(content: Content) -> None:
    """The header, the vocabulary and the tensors of GGML, GGMF and GGJT."""
    try:
        read_ggml(content.view)
    except InputError as error:
        note_broken(content, error, "GGML model")
        return
    content.notes.saw("ggml", content.member)
