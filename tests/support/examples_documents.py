"""Examples of the rules on templates, configurations, Keras, skops and source code."""

from __future__ import annotations

import json


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


CHAT = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)

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
}
