"""Assaymark: decides whether a machine-learning model may run, and shows anyone the proof.

The public interface is the names in ``__all__``; everything else is internal and may change.

    >>> import assaymark
    >>> report = assaymark.scan("model/")                                              # doctest: +SKIP
    >>> with assaymark.admitted("model/", "production", dossier="model.dossier",
    ...                         root="sha256:...") as folder:                          # doctest: +SKIP
    ...     weights = load(folder / "model.safetensors")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from assaymark.api import Outcome, Reason, Report, Verdict, admitted, decide, scan, verify
    from assaymark.core.errors import (
        AssaymarkError,
        InputError,
        UnavailableError,
        UsageError,
        VerificationError,
    )

__all__ = [
    "AssaymarkError",
    "InputError",
    "Outcome",
    "Reason",
    "Report",
    "UnavailableError",
    "UsageError",
    "Verdict",
    "VerificationError",
    "__version__",
    "admitted",
    "decide",
    "scan",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load the interface at first use: ``import assaymark`` costs next to nothing (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'assaymark' has no attribute {name!r}")
    from importlib import import_module

    module = "assaymark.core.errors" if name.endswith("Error") else "assaymark.api"
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
