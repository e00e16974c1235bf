"""An examiner for a platform whose kernel has neither filter, as far as the worker can tell."""

from assaymark.sandbox import confine
from assaymark.scanning.examine import examine

confine.install_filter = lambda _libc, _output: False  # type: ignore[assignment]
confine.restrict_files = lambda _libc: False  # type: ignore[assignment]

__all__ = ["examine"]
