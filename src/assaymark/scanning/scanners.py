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
    Part("onnx", "scanner", "ONNX models", (), "assaymark.scanning.graphs.onnx:scan"),
    Part("tensorflow", "scanner", "TensorFlow graphs", (), "assaymark.scanning.graphs.tensorflow:scan"),
    Part("tensorflow-text", "scanner", "the same as text", (), "assaymark.scanning.graphs.tensorflow:scan_text"),
    Part("tensorflow-table", "scanner", "checkpoints' indexes", (), "assaymark.scanning.graphs.tables:scan_table"),
    Part("tensorflow-records", "scanner", "records, events", (), "assaymark.scanning.graphs.tables:scan_records"),
    Part("gguf", "scanner", "GGUF", (), "assaymark.scanning.graphs.gguf:scan"),
    Part("ggml", "scanner", "GGML and GGJT", (), "assaymark.scanning.graphs.gguf:scan_ggml"),
    Part("tflite", "scanner", "TensorFlow Lite", (), "assaymark.scanning.graphs.tflite:scan"),
    Part("coreml", "scanner", "Core ML", (), "assaymark.scanning.graphs.coreml:scan"),
    Part("coreml-weights", "scanner", "Core ML weights", (), "assaymark.scanning.graphs.coreml:scan_weights"),
    Part("openvino", "scanner", "OpenVINO", (), "assaymark.scanning.graphs.xml:scan_openvino"),
    Part("pmml", "scanner", "PMML", (), "assaymark.scanning.graphs.xml:scan_pmml"),
    Part("r", "scanner", "R's serialised data", (), "assaymark.scanning.graphs.r:scan"),
    Part("paddle", "scanner", "PaddlePaddle programs", (), "assaymark.scanning.graphs.paddle:scan"),
    Part("paddle-params", "scanner", "Paddle weights", (), "assaymark.scanning.graphs.paddle:scan_parameters"),
    Part("ubjson", "scanner", "UBJSON, XGBoost's", (), "assaymark.scanning.graphs.trees:scan_ubjson"),
    Part("xgboost", "scanner", "XGBoost's old binary", (), "assaymark.scanning.graphs.trees:scan_xgboost"),
    Part("lightgbm", "scanner", "LightGBM", (), "assaymark.scanning.graphs.trees:scan_lightgbm"),
    Part("catboost", "scanner", "CatBoost", (), "assaymark.scanning.graphs.trees:scan_catboost"),
    Part("msgpack", "scanner", "MessagePack, Flax's", (), "assaymark.scanning.graphs.trees:scan_msgpack"),
    Part("executorch", "scanner", "ExecuTorch", (), "assaymark.scanning.graphs.executorch:scan"),
    Part("tensorrt", "scanner", "TensorRT engines", (), "assaymark.scanning.graphs.compiled:scan_tensorrt"),
    Part("hdf5", "scanner", "HDF5, Keras models among it", (), "assaymark.scanning.documents.hdf5:scan"),
    Part("jinja", "scanner", "Jinja templates", (), "assaymark.scanning.documents.templates:scan_template"),
    Part("python", "scanner", "Python source", (), "assaymark.scanning.documents.python:scan_python"),
    Part("bytecode", "scanner", "compiled Python", (), "assaymark.scanning.documents.python:scan_bytecode"),
    Part("notebook", "scanner", "Jupyter notebooks", (), "assaymark.scanning.documents.python:scan_notebook"),
    Part("script", "scanner", "scripts and source", (), "assaymark.scanning.documents.scripts:scan_script"),
    Part("pathfile", "scanner", "path files of Python", (), "assaymark.scanning.documents.scripts:scan_path_file"),
    Part("sentencepiece", "scanner", "vocabularies", (), "assaymark.scanning.documents.tokens:scan_sentencepiece"),
    Part("tiktoken", "scanner", "vocabularies of text", (), "assaymark.scanning.documents.tokens:scan_tiktoken"),
    Part("media", "scanner", "sound and film", (), "assaymark.scanning.plain:scan_media"),
    Part("json", "scanner", "JSON", (), "assaymark.scanning.documents.texts:scan_json"),
    Part("text", "scanner", "text, Markdown, YAML", (), "assaymark.scanning.documents.texts:scan_text"),
)
