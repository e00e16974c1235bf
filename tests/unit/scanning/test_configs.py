"""Configurations: what the libraries write passes, what makes a loader import or call something does not."""

from __future__ import annotations

import base64
import json

import pytest
from tests.support.asm import call, proto, text

from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine


def report(value: object, name: str = "config.json"):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return examine(BytesView(data), name)


ORDINARY = {
    "config.json": {"architectures": ["LlamaForCausalLM"], "rope_scaling": None, "torch_dtype": "bfloat16"},
    "generation_config.json": {"bos_token_id": 1, "do_sample": True, "eos_token_id": [2, 3]},
    "tokenizer.json": {
        "model": {"type": "BPE", "vocab": {"_target_": 1, "auto_map": 2, "class_name": 3, "config": 4}}
    },
    "vocab.json": {"trust_remote_code": 5, "chat_template": 6, ":serialized:": 7, "nbformat": 8},
    "preprocessor_config.json": {"image_processor_type": "ViTImageProcessor", "size": {"height": 224}},
    "model.safetensors.index.json": {
        "metadata": {"total_size": 5},
        "weight_map": {"a": "model-00001-of-00002.safetensors"},
    },
    "model_index.json": {
        "_class_name": "StableDiffusionPipeline",
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": [None, None],
    },
    "modules.json": [{"idx": 0, "name": "0", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}],
    "adapter_config.json": {"peft_type": "LORA", "auto_mapping": None, "base_model_name_or_path": "a/b"},
    "dense.json": {"in_features": 4, "activation_function": "torch.nn.modules.activation.Tanh"},
    "gpt2.json": {"activation_function": "gelu_new"},
    "nemo.json": {"encoder": {"_target_": "nemo.collections.asr.modules.ConformerEncoder", "feat_in": 80}},
    "ldm.json": {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": {"linear_start": 0.1}}},
    "trainer.json": {"optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.1}}},
    "nan.json": b'{"loss": NaN}',
    "lora.json": {"peft_type": "LORA", "megatron_config": None, "megatron_core": "megatron.core"},
    "attention.json": {"model_type": "llama", "_attn_implementation": "flash_attention_2"},
    "router_config.json": {
        "types": {"query_0_Dense": "sentence_transformers.models.Dense"},
        "structure": {"query": ["query_0_Dense"]},
        "parameters": {},
    },
    "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "model_max_length": 1e30},
    "genai_config.json": {"model": {"decoder": {"session_options": {"log_id": "x", "provider_options": []}}}},
}
HOSTILE = {
    "kernel": ({"model_type": "llama", "attn_implementation": "someone/kernel"}, Severity.HIGH),
    "kernel of a part": ({"_attn_implementation": {"text_config": "someone/kernel@v1:run"}}, Severity.HIGH),
    "kernel of experts": ({"experts_implementation": "someone/kernel"}, Severity.HIGH),
    "megatron": ({"peft_type": "LORA", "megatron_config": {"a": 1}, "megatron_core": "module"}, Severity.HIGH),
    "router": ({"types": {"a": "os.system"}, "structure": {"query": ["a"]}}, Severity.CRITICAL),
    "words": ({"tokenizer_class": "module.Tokenizer", "max_seq_length": 1}, Severity.HIGH),
    "native operators": (
        {"model": {"decoder": {"session_options": {"custom_ops_library": "operators.so"}}}},
        Severity.CRITICAL,
    ),
    "auto_map": ({"auto_map": {"AutoModel": "modeling.Net"}}, Severity.HIGH),
    "tokenizer": ({"auto_map": {"AutoTokenizer": ["tok.T", None]}}, Severity.HIGH),
    "elsewhere": ({"auto_map": {"AutoModel": "a/b--modeling.Net"}}, Severity.CRITICAL),
    "pipelines": ({"custom_pipelines": {"x": {"impl": "x.Pipe", "pt": ["AutoModel"]}}}, Severity.HIGH),
    "trust": ({"a": [{"trust_remote_code": True}]}, Severity.HIGH),
    "target": ({"a": {"_target_": "os.system"}}, Severity.CRITICAL),
    "subprocess": ({"_target_": "subprocess.Popen"}, Severity.CRITICAL),
    "through": ({"_target_": "torch.nn.modules.os.system"}, Severity.CRITICAL),
    "eval": ({"_target_": "builtins.eval"}, Severity.CRITICAL),
    "bare": ({"_target_": "eval"}, Severity.CRITICAL),
    "hydra": ({"_target_": "hydra.utils.get_method", "path": "os.system"}, Severity.CRITICAL),
    "hub": ({"_target_": "torch.hub.load"}, Severity.CRITICAL),
    "own": ({"_target_": "acme.Net"}, Severity.HIGH),
    "restore": ({"_target_": "nemo.core.classes.modelPT.ModelPT"}, Severity.HIGH),
    "lightning": ({"class_path": "os.system"}, Severity.CRITICAL),
    "component": ({"_component_": "subprocess.run"}, Severity.CRITICAL),
    "ldm": ({"target": "os.system", "params": {}}, Severity.CRITICAL),
    "activation": ({"activation_function": "os.getcwd"}, Severity.CRITICAL),
    "jsonpickle": ({"a": {"py/reduce": [{"py/function": "os.system"}]}}, Severity.CRITICAL),
    "langchain": ({"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}}, Severity.HIGH),
    "monai": ({"imports": ["$import os"], "a": "$os.getcwd()"}, Severity.HIGH),
    "peft": (
        {"auto_mapping": {"base_model_class": "Net", "parent_library": "transformers_modules.x"}},
        Severity.HIGH,
    ),
    "weights": ({"weight_map": {"a": "/etc/passwd"}}, Severity.HIGH),
    "upwards": ({"weight_map": {"a": "x/../../b"}}, Severity.HIGH),
    "address": ({"weight_map": {"a": "http://example.com/x"}}, Severity.HIGH),
    "templates": ({"chat_template": [{"name": "a", "template": "{{ x.__class__ }}"}]}, Severity.CRITICAL),
    "named": ({"chat_template": {"default": "{{ x.__class__ }}"}}, Severity.CRITICAL),
    "twice": (b'{"a": 1, "a": 2}', Severity.HIGH),
    "pickled": (
        {"lr": {":serialized:": base64.b64encode(proto(2) + call("os", "system", text("echo")) + b".").decode()}},
        Severity.CRITICAL,
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_what_libraries_write_passes(name):
    result = report(ORDINARY[name], name)
    assert result.findings == ()
    assert result.outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("name", HOSTILE)
def test_what_makes_a_loader_act_fails(name):
    value, severity = HOSTILE[name]
    result = report(value)
    assert result.outcome() is ScanOutcome.FAIL
    assert max(finding.severity for finding in result.findings) is severity


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_index.json", {"_class_name": ["my_pipeline", "Pipe"]}),
        ("model_index.json", {"_class_name": "StableDiffusionPipeline", "unet": ["os", "System"]}),
        ("modules.json", [{"idx": 0, "path": "", "type": "os.system"}]),
        ("modules.json", [{"idx": 0, "path": "../up", "type": "sentence_transformers.models.Pooling"}]),
        ("sub/model_index.json", {"_class_name": "X", "vae": ["diffusers.os", "System"]}),
    ],
)
def test_files_that_a_loader_knows_by_name(name, value):
    assert report(value, name).outcome() is ScanOutcome.FAIL
