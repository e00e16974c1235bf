"""The scanners, one line each. To add one: a module, a line here, and a ``rules/<id>/`` folder for each new rule."""

from __future__ import annotations

from typing import Final

from assaymark.core.part import Part

SCANNERS: Final = (
    Part("zip", "scanner", "zip archives, torch's among them", (), "assaymark.scanning.containers.zips:scan"),
    Part("pickle", "scanner", "pickle streams", (), "assaymark.scanning.plain:scan_pickle"),
    Part("safetensors", "scanner", "safetensors files", (), "assaymark.scanning.plain:scan_safetensors"),
    Part(
        "compressed",
        "scanner",
        "gzip, zlib, bzip2, xz, Zstandard, LZ4",
        (),
        "assaymark.scanning.containers.compressed:scan",
    ),
    Part("tar", "scanner", "tar archives", (), "assaymark.scanning.containers.tars:scan"),
    Part("7z", "scanner", "7z archives", (), "assaymark.scanning.containers.sevenzips:scan"),
    Part("numpy", "scanner", "NumPy array files", (), "assaymark.scanning.containers.arrays:scan"),
    Part("native", "scanner", "programs and libraries", (), "assaymark.scanning.containers.native:scan"),
    Part("picture", "scanner", "PNG, JPEG, GIF and WebP", (), "assaymark.scanning.plain:scan_picture"),
    Part("json", "scanner", "JSON", (), "assaymark.scanning.documents.texts:scan_json"),
    Part("text", "scanner", "text, Markdown, YAML", (), "assaymark.scanning.documents.texts:scan_text"),
)
