"""Scanner of engines: models that were compiled for one device, whose content only its driver knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.report import Severity

if TYPE_CHECKING:
    from assaymark.scanning.content import Content


def scan_tensorrt(content: Content) -> None:
    """A TensorRT engine: named, and skipped."""
    message = "a TensorRT engine is code for one device; plug-ins that it names may be libraries within it"
    content.notes.finding("graph-native-code", message, member=content.member, offset=0, severity=Severity.MEDIUM)
    content.notes.skip("a TensorRT engine cannot be examined: build it from a portable model", content.member)
