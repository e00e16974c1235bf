"""What a file of the corpus is."""

from __future__ import annotations

from dataclasses import dataclass, field

# What every payload does: it makes the file that the environment names, or ``marker`` where it is started.
SHELL = ': > "${CORPUS_MARKER:-marker}"'
CODE = "open(__import__('os').environ.get('CORPUS_MARKER','marker'),'w').close()"
EXPRESSION = CODE
MARKER = "marker"
SECRET = "secret.txt"  # lies where a loader is started; a file that reads it betrays its words
SECRET_WORDS = "corpus-secret-words"


@dataclass(frozen=True, slots=True)
class Sample:
    """One file, or one folder: ``files`` maps relative names to bytes, the first of them is what is loaded.

    ``evasion`` is the id of the class it stands for, ``loader`` the name of the loader in ``loaders.py`` that is
    to show it; empty when there is none that can be installed.
    """

    evasion: str
    name: str
    files: dict[str, bytes]
    loader: str = ""
    note: str = ""
    links: dict[str, str] = field(default_factory=dict)


def single(evasion: str, name: str, data: bytes, loader: str = "", note: str = "") -> Sample:
    """A sample of one file; ``name`` carries the extension."""
    return Sample(evasion, name, {name.replace(" ", "-"): data}, loader, note)
