"""The scanners, one line each. To add one: a module, a line here, and a ``rules/<id>/`` folder for each new rule."""

from __future__ import annotations

from typing import Final

from assaymark.core.part import Part

SCANNERS: Final = (
    Part("zip", "scanner", "zip archives, torch's among them", (), "assaymark.scanning.containers.zips:scan"),
    Part("pickle", "scanner", "pickle streams", (), "assaymark.scanning.plain:scan_pickle"),
    Part("safetensors", "scanner", "safetensors files", (), "assaymark.scanning.plain:scan_safetensors"),
    Part("picture", "scanner", "PNG, JPEG, GIF and WebP", (), "assaymark.scanning.plain:scan_picture"),
    Part("hdf5", "scanner", "HDF5, Keras models among it", (), "assaymark.scanning.documents.hdf5:scan"),
    Part("jinja", "scanner", "Jinja templates", (), "assaymark.scanning.documents.templates:scan_template"),
    Part("python", "scanner", "Python source", (), "assaymark.scanning.documents.python:scan_python"),
    Part("bytecode", "scanner", "compiled Python", (), "assaymark.scanning.documents.python:scan_bytecode"),
    Part("notebook", "scanner", "Jupyter notebooks", (), "assaymark.scanning.documents.python:scan_notebook"),
    Part("script", "scanner", "scripts and source", (), "assaymark.scanning.documents.scripts:scan_script"),
    Part("pathfile", "scanner", "path files of Python", (), "assaymark.scanning.documents.scripts:scan_path_file"),
    Part("sentencepiece", "scanner", "vocabularies", (), "assaymark.scanning.documents.tokens:scan_sentencepiece"),
    Part("tiktoken", "scanner", "vocabularies of text", (), "assaymark.scanning.documents.tokens:scan_tiktoken"),
    Part("json", "scanner", "JSON", (), "assaymark.scanning.documents.texts:scan_json"),
    Part("text", "scanner", "text, Markdown, YAML", (), "assaymark.scanning.documents.texts:scan_text"),
)
