"""Keras and HDF5: what Keras writes passes, what makes it construct or read something else does not."""

from __future__ import annotations

import pytest
from tests.support.examples_documents import LAMBDA, LAMBDA_2, dense, keras_h5, keras_zip, sequential
from tests.support.hdf5_files import external_link, hdf5, link, message, text_attribute

from assaymark.core.errors import InputError
from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.scanning.examine import examine

LAYER = {"module": "keras.layers", "registered_name": None}
HOSTILE = {
    "lambda": LAMBDA,
    "lambda of Keras 2": LAMBDA_2,
    "lambda by name": {
        "class_name": "Lambda",
        "config": {"function": "system", "module": "os", "function_type": "function"},
    },
    "module": {"module": "os", "class_name": "system", "config": "id", "registered_name": None},
    "function": dense(activation={"module": "builtins", "class_name": "function", "config": "eval"}),
    "function of os": dense(activation={"module": "os", "class_name": "function", "config": "getcwd"}),
    "get_file": dense(kernel_initializer={"module": "keras.utils", "class_name": "function", "config": "get_file"}),
    "tool": {"module": "keras.src.saving.saving_lib", "class_name": "Dense", "config": {}},
    "torch": {**LAYER, "class_name": "TorchModuleWrapper", "config": {"module": "AAAA"}},
    "savedmodel": {**LAYER, "class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
    "hub": {"class_name": "KerasLayer", "config": {"handle": "https://example.com"}},
    "vocabulary": {**LAYER, "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    "vectorizer": {**LAYER, "class_name": "TextVectorization", "config": {"vocabulary": "/etc/passwd"}},
    "own": {"module": None, "class_name": "My", "config": {}, "registered_name": "mine>My"},
    "registered": {**LAYER, "class_name": "Dense", "config": {}, "registered_name": "mine>Dense"},
    "op": {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
    "raw op": {"class_name": "TFOpLambda", "config": {"function": "raw_ops.WriteFile"}},
    "node": {"class_name": "TensorFlowOpLayer", "config": {"node_def": 'name: "x" op: "WriteFile"'}},
    "type": {"class_name": "__typespec__", "config": {"spec_name": "x", "module": "os"}},
    "activation": dense(activation="my_activation"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("write", [keras_zip, keras_h5], ids=["keras", "h5"])
def test_what_is_not_keras_own_is_refused(name, write):
    report = examine(BytesView(write(sequential(HOSTILE[name]))), "model.keras")
    assert report.outcome() is ScanOutcome.FAIL


ORDINARY = (
    dense(
        activation={"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    ),
    {"class_name": "TFOpLambda", "config": {"name": "tf.math.add", "function": "math.add"}},
    {"class_name": "SlicingOpLambda", "config": {"function": "__operators__.getitem"}},
    {"class_name": "TensorFlowOpLayer", "config": {"node_def": 'op: "AddV2"'}},
    {"class_name": "Bidirectional", "config": {"layer": {"class_name": "LSTM", "config": {"units": 2}}}},
    {
        "module": "keras.src.ops.numpy",
        "class_name": "Multiply",
        "config": {"name": "multiply"},
        "registered_name": "Multiply",
    },
    {"class_name": "__keras_tensor__", "config": {"shape": [None, 2]}},
)


@pytest.mark.parametrize("layer", ORDINARY)
def test_what_keras_writes_passes(layer):
    assert examine(BytesView(keras_h5(sequential(layer))), "m.h5").outcome() is ScanOutcome.PASS
    assert examine(BytesView(keras_zip(sequential(layer))), "m.keras").outcome() is ScanOutcome.PASS


def test_the_training_configuration_is_judged_too():
    data = hdf5(
        [text_attribute("training_config", '{"loss": {"class_name": "function", "config": "my", "module": "os"}}')]
    )
    assert examine(BytesView(data), "m.h5").outcome() is ScanOutcome.FAIL


def test_links_and_texts_of_a_file():
    parsed = read_hdf5(BytesView(hdf5([external_link("a", "b.h5", "/c"), text_attribute("x", "h\u00e9llo")])))
    assert [(part.kind, part.target, part.path) for part in parsed.outside] == [("an external link", "b.h5", "/a")]
    assert parsed.texts == {"x": "h\u00e9llo"}


def test_a_user_defined_link_and_external_storage_are_outside():
    heap_at = 2000
    heap = b"HEAP" + bytes(4) + (16).to_bytes(8, "little") + b"\xff" * 8 + (heap_at + 32).to_bytes(8, "little")
    head = bytes((1, 0, 0, 0, 1, 0, 1, 0)) + heap_at.to_bytes(8, "little") + bytes(24)
    front = hdf5([link("u", 100, b"\0\0"), message(0x07, head)])
    data = hdf5(
        [link("u", 100, b"\0\0"), message(0x07, head)], bytes(heap_at - len(front)) + heap + b"/etc/passwd\0\0\0\0\0"
    )
    assert {part.kind for part in read_hdf5(BytesView(data)).outside} == {
        "a user-defined link of class 100",
        "external raw storage",
    }


def test_an_unregistered_filter_is_a_finding():
    for identity, worst in ((1, None), (32015, Severity.LOW), (40000, Severity.HIGH)):
        pipeline = message(0x0B, bytes((1, 1, 0, 0, 0, 0, 0, 0)) + identity.to_bytes(2, "little") + bytes(6))
        found = examine(BytesView(hdf5([pipeline])), "m.h5").findings
        assert max((finding.severity for finding in found), default=None) is worst


@pytest.mark.parametrize("cut", range(0, 300, 7))
def test_a_file_that_is_cut_off_is_malformed(cut):
    data = hdf5([external_link("a", "b.h5", "/c"), text_attribute("x", "y" * 200)])
    with pytest.raises(InputError) as caught:
        read_hdf5(BytesView(data[:cut]))
    assert caught.value.code == "hdf5-structure"
