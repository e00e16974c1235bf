"""Models are found by content: the least of each format, under any name or none, and what only looks like one."""

from __future__ import annotations

import gzip
import pickle
from dataclasses import dataclass, field

import pytest
from tests.support.model_files import HDF5, MODELS, NO_MODELS, PLAIN, RDS, VARIANTS, onnx, part, zipped

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_HEAD_BYTES, IDENTIFY_MAX_BYTES
from assaymark.core.view import BytesView
from assaymark.scanning.identity.identified import FORMATS, BoundedView, Identified
from assaymark.scanning.identity.identify import identify
from assaymark.scanning.identity.model_folders import model_folder, needed
from assaymark.store.unpack import UNPACKERS


@dataclass
class Counting:
    data: bytes
    reads: list[int] = field(default_factory=list)

    @property
    def size(self):
        return len(self.data)

    def read(self, offset, length):
        self.reads.append(length)
        return self.data[offset : offset + length]


@pytest.mark.parametrize("name", MODELS)
def test_the_least_of_each_format_is_recognised(name):
    found = identify(BytesView(MODELS[name]))
    assert found is not None
    assert (found.format, found.kind) == (name, "model")


@pytest.mark.parametrize("name", VARIANTS)
def test_other_forms_of_a_format_are_recognised(name):
    found = identify(BytesView(VARIANTS[name][1]), UNPACKERS)
    assert found is not None
    assert found.format == VARIANTS[name][0]


@pytest.mark.parametrize("name", NO_MODELS)
def test_what_only_looks_like_a_model_is_none(name):
    assert identify(BytesView(NO_MODELS[name])) is None


def test_every_format_but_folders_and_data_has_a_least_model():
    assert set(FORMATS) - set(MODELS) == {
        "hdf5", "paddle-params", "huggingface", "diffusers", "mlflow", "coreml-package"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PLAIN, "data"),
        (pickle.dumps({"a": {1, 2}}, 2), "data"),
        (pickle.dumps([1, "x", {"y": 2.5}], 0), "data"),
        (b"\x80\x04\x8c\x02my\x8c\x05Model\x93)\x81.", "model"),  # anybody's class may be a model
        (PLAIN[:-1], "model"),  # not seen to its end
        (gzip.compress(PLAIN, mtime=0), "data"),
        (HDF5, "data"),
        (gzip.compress(RDS, mtime=0), "data"),
    ],
)
def test_plain_data_is_told_from_models_only_when_all_of_it_was_seen(data, kind):
    found = identify(BytesView(data))
    assert found is not None
    assert found.kind == kind


def test_a_file_that_is_no_model_costs_one_page():
    view = Counting(b"words " * 100_000)
    assert identify(view) is None
    assert sum(view.reads) <= 2 * IDENTIFY_HEAD_BYTES


def test_an_archive_of_very_many_members_is_an_error_and_not_a_no():
    view = Counting(zipped({f"{n}.txt": b"" for n in range(3)}))
    bounded = BoundedView(view)
    bounded.read(0, IDENTIFY_MAX_BYTES)
    with pytest.raises(InputError) as caught:
        bounded.read(0, 1)
    assert caught.value.code == "identify-limit"


def test_an_archive_says_what_it_holds():
    found = identify(BytesView(MODELS["zip"]))
    assert found is not None
    assert found.name == "zip archive with GGUF"
    assert identify(BytesView(MODELS["skops"])).examined
    assert identify(BytesView(MODELS["safetensors"])).examined


def test_an_onnx_model_names_the_files_that_hold_its_tensors():
    found = identify(BytesView(onnx("weights.data")))
    assert found == Identified("onnx", refers=("weights.data",))


def folder(files: dict[str, bytes]) -> str:
    models = {name: found for name, data in files.items() if (found := identify(BytesView(data))) is not None}
    return model_folder(models, list(files), files.__getitem__)


WEIGHTS = MODELS["safetensors"]
PARAMETERS = b"\0" * 16 + b"\x05\0\0\0\x08\x05\x10\x02\x10\x02" + b"\0" * 16  # LoDTensor: FP32, 2 by 2


@pytest.mark.parametrize(
    ("expected", "files"),
    [
        ("huggingface", {"config.json": b'{"model_type": "bert"}', "model.safetensors": WEIGHTS}),
        ("huggingface", {"adapter_config.json": b'{"peft_type": "LORA"}', "adapter.bin": MODELS["torch-zip"]}),
        ("", {"config.json": b'{"port": 80}', "model.safetensors": WEIGHTS}),
        ("", {"config.json": b'{"model_type": "bert"}', "README.md": b"words"}),
        ("savedmodel", {"saved_model.pb": MODELS["savedmodel"], "keras_metadata.pb": b""}),
        ("", {"saved_model.pb": b"not one"}),
        ("mlflow", {"MLmodel": b"artifact_path: model\nflavors:\n  sklearn:\n", "model.pkl": MODELS["pickle"]}),
        ("", {"MLmodel": b"a file of this name", "model.pkl": MODELS["pickle"]}),
        ("coreml-package", {"Manifest.json": b'{"fileFormatVersion": "1.0.0", "itemInfoEntries": {}}'}),
        ("diffusers", {"model_index.json": b'{"_class_name": "StableDiffusionPipeline"}'}),
        ("safetensors", {"m-00001-of-00002.safetensors": WEIGHTS, "m-00002-of-00002.safetensors": WEIGHTS}),
        ("", {"m-00001-of-00002.safetensors": WEIGHTS, "other.gguf": MODELS["gguf"]}),
        ("openvino", {"m.xml": MODELS["openvino"], "m.bin": b"\1\2\3"}),
        ("paddle", {"m.pdmodel": MODELS["paddle"], "m.pdiparams": PARAMETERS}),
        ("onnx", {"m.onnx": onnx("w.data"), "w.data": b"\1\2\3"}),
        ("", {"m.onnx": onnx("w.data"), "unrelated.data": b"\1\2\3"}),
        ("", {"a.safetensors": WEIGHTS, "b.safetensors": WEIGHTS}),
    ],
)
def test_a_folder_is_one_model_when_its_content_bears_out_the_marker(expected, files):
    assert folder(files) == expected


def test_the_files_that_a_model_needs_are_those_beside_it():
    found = Identified("onnx", refers=("w.data", "../../etc/passwd"))
    assert needed("m.onnx", found, frozenset({"m.onnx", "w.data"})) == ("w.data",)


def test_a_message_with_an_unfinished_field_is_no_model():
    assert identify(BytesView(MODELS["onnx"] + part(7, b"x" * 9)[:4])) is None
