"""``entries``: those of a log, in documents with a list of them, in lists, or one on each line of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.located import Map, listed, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_LINES: Final = (".json", ".jsonl", ".ndjson", ".log")


def entries(inputs: Inputs, mark: bytes, lists: tuple[str, ...] = ()) -> Iterator[tuple[SourceFile, Map]]:
    """The mappings of files in which ``mark`` stands, and those in the lists that they hold by these names."""
    for file in inputs.files:
        if mark not in file.data:
            continue
        lines = _lines(inputs, file) if file.path.lower().endswith(_LINES) else None
        if lines is None:
            documents = [document.value for document in inputs.documents_of(file)]
            lines = [one for value in documents for one in (value if isinstance(value, list) else [value])]
        for value in lines:
            if isinstance(value, Map):
                inner = [one for name in lists for one in listed(value.get(name)) if isinstance(one, Map)]
                yield from ((file, one) for one in inner or [value])


def _lines(inputs: Inputs, file: SourceFile) -> list[Map] | None:
    """The entries of a file with one on each line; None when it is another kind of file.

    A line that cannot be read is skipped and said, as a log that is being written may end in the midst of one.
    """
    found: list[Map] = []
    wrong: list[int] = []
    try:
        texts = file.text().splitlines()
    except InputError:
        return None
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        if not text.lstrip().startswith("{") or (number > 1 and not found):
            return None
        try:
            value = read_json(text, number)
        except InputError:
            wrong.append(number)
            continue
        if isinstance(value, Map):
            found.append(value)
    if not found or (len(found) + len(wrong) == 1 and file.path.lower().endswith(".json")):
        return None
    inputs.documents_of(file)  # which says that it is no single document
    inputs.reading.forget({file.path})
    for number in wrong:
        inputs.reading.skip(file.path, "an entry of a log that is no JSON", number)
    return found
