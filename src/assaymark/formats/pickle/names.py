"""Which name a loader imports for the name that a stream writes.

Readers of Python 3 rename modules and functions of Python 2 below protocol 3 (``fix_imports`` of
``pickle.Unpickler``, and torch's ``weights_only`` reader always): CPython Modules/_pickle.c, ``find_class``.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Final

_PYTHON3_NAMES: Final = 3


def loaded_name(module: str, name: str, protocol: int) -> tuple[str, str]:
    """(module, qualified name) that is imported for (``module``, ``name``) in a stream of ``protocol``."""
    if protocol >= _PYTHON3_NAMES:
        return module, name
    renamed = NAME_MAPPING.get((module, name))
    if renamed is not None:
        return renamed
    return IMPORT_MAPPING.get(module, module), name
