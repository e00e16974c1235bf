"""The rules of scanning: id, severity and title. ``rules/<id>/rule.md`` is the page of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assaymark.core.report import Severity


@dataclass(frozen=True, slots=True)
class ScanRule:
    """One thing that a scan may find. ``severity`` is what its findings have unless a message says otherwise.

    ``unknown`` says that nothing bad is known of what was found, only nothing good: who knows it may allow it.
    """

    id: str
    severity: Severity
    title: str
    unknown: bool = False


_ALL: Final = (
    ScanRule("pickle-dangerous-global", Severity.CRITICAL, "A pickle reaches a function that is known to run code"),
    ScanRule(
        "pickle-unknown-global", Severity.HIGH, "A pickle imports something that is not known to be harmless", True
    ),
    ScanRule("pickle-unsafe-use", Severity.HIGH, "A pickle uses a harmless import in a way that is not"),
    ScanRule("pickle-extension", Severity.HIGH, "A pickle takes an object from the loading process by number"),
    ScanRule("pickle-persistent-id", Severity.MEDIUM, "A pickle refers to an object outside itself"),
    ScanRule("torch-storage-size", Severity.HIGH, "A tensor does not fit the bytes that hold it"),
    ScanRule("zip-ambiguous", Severity.HIGH, "A zip archive that two readers read differently"),
    ScanRule("safetensors-malformed", Severity.HIGH, "A safetensors file that breaks the format's rules"),
    ScanRule("archive-ambiguous", Severity.HIGH, "An archive that two readers read differently"),
    ScanRule("archive-unsafe-path", Severity.HIGH, "An archive or folder that reaches outside of itself"),
    ScanRule("trailing-data", Severity.HIGH, "Bytes after the end of a file's format"),
    ScanRule("native-code", Severity.HIGH, "A program or library in a model"),
    ScanRule("name-mismatch", Severity.MEDIUM, "A file's name promises another format than its content has"),
    ScanRule("model-malformed", Severity.HIGH, "A model file that breaks its format's rules"),
    ScanRule(
        "graph-runs-code", Severity.CRITICAL, "A model's graph runs Python or native code of its maker's choice"
    ),
    ScanRule("graph-file-access", Severity.HIGH, "A model's graph reaches files or the network"),
    ScanRule("graph-unknown-operator", Severity.HIGH, "A model uses an operator that is not known to compute only"),
    ScanRule("graph-custom-operator", Severity.HIGH, "A model needs native code that it does not bring"),
    ScanRule("graph-external-path", Severity.HIGH, "A model refers to a file outside its folder"),
    ScanRule("graph-native-code", Severity.CRITICAL, "A model brings compiled code"),
    ScanRule("r-code", Severity.HIGH, "R data that holds code"),
    ScanRule("xml-doctype", Severity.HIGH, "An XML model that declares entities or a document type"),
    ScanRule("template-escape", Severity.CRITICAL, "A template reaches beyond the values that it is given"),
    ScanRule("template-unknown", Severity.HIGH, "A template uses what is not known to be harmless"),
    ScanRule("template-unreadable", Severity.HIGH, "A template that engines may read differently"),
    ScanRule("config-remote-code", Severity.HIGH, "A configuration makes the loader import code of the model's own"),
    ScanRule("config-target", Severity.HIGH, "A configuration names something to be called"),
    ScanRule("config-ambiguous", Severity.HIGH, "A configuration that two readers read differently"),
    ScanRule("config-path", Severity.HIGH, "A configuration leads out of the model's folder"),
    ScanRule("yaml-object", Severity.CRITICAL, "A YAML document makes its reader construct Python objects"),
    ScanRule("keras-code", Severity.CRITICAL, "A Keras model carries code, or calls functions that run it"),
    ScanRule("keras-unknown", Severity.HIGH, "A Keras model needs a class or function that is not Keras' own"),
    ScanRule("keras-file", Severity.HIGH, "A Keras model makes its loader reach for files"),
    ScanRule("hdf5-external", Severity.HIGH, "An HDF5 file takes data from other files"),
    ScanRule("hdf5-malformed", Severity.HIGH, "An HDF5 file that breaks the format's rules"),
    ScanRule("skops-dangerous", Severity.CRITICAL, "A skops file reaches a function that is known to run code"),
    ScanRule("skops-unknown", Severity.HIGH, "A skops file constructs what is not known to be harmless"),
    ScanRule("python-code", Severity.MEDIUM, "Python source code"),
    ScanRule("python-dangerous-code", Severity.HIGH, "Python source that starts processes, or runs what it computes"),
    ScanRule("script-file", Severity.MEDIUM, "A script or source code of another language"),
    ScanRule("script-dangerous", Severity.HIGH, "A script that fetches or decodes what it then runs"),
    ScanRule("path-file-code", Severity.CRITICAL, "A path configuration file that runs code whenever Python starts"),
    ScanRule("file-polyglot", Severity.HIGH, "A file that is two formats at once"),
    ScanRule("scan-resource", Severity.MEDIUM, "A file that exhausts whoever reads it"),
)

RULES: Final[dict[str, ScanRule]] = {rule.id: rule for rule in _ALL}
