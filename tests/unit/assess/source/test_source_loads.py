"""Which loaders run what they load, and which models are named so that they stay the same."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

COMMIT = "6b1e2a7c0d9f4e8ab35c7d1f2e3a4b5c6d7e8f90"


def found(text: str, requirements: str = "", path: str = "load.py") -> list[tuple[str, str]]:
    files = {path: text} | ({"requirements.txt": requirements} if requirements else {})
    findings = assessed_files(files).findings
    return [(one.rule, one.severity.name.lower()) for one in findings if one.rule.startswith("load-")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import pickle\npickle.load(f)", [("load-pickle", "high")]),
        ("from pickle import loads as read\nread(b)", [("load-pickle", "high")]),
        ("import cloudpickle as cp\ncp.loads(b)", [("load-pickle", "high")]),
        ("import joblib\njoblib.load('m.joblib')", [("load-pickle", "high")]),
        ("import pandas as pd\npd.read_pickle('a')", [("load-pickle", "high")]),
        ("import numpy as np\nnp.load('a', allow_pickle=True)", [("load-pickle", "high")]),
        ("import numpy as np\nnp.load('a')", []),
        ("import pickle, copy\npickle.loads(pickle.dumps(x))", []),
        ("import json\njson.load(f)", []),
        ("import torch\ntorch.load('a', weights_only=False)", [("load-torch", "high")]),
        ("import torch\ntorch.load('a', weights_only=True)", []),
        ("import torch\ntorch.load('a')", [("load-torch", "medium")]),
        ("import yaml\nyaml.load(t)", [("load-yaml", "medium")]),
        ("from ruamel.yaml import YAML\nyaml = YAML(typ='safe')\nyaml.load(t)", []),
        ("import torch as yaml\nyaml.load(t)", [("load-torch", "medium")]),
        ("import yaml\nyaml.load(t, yaml.Loader)", [("load-yaml", "high")]),
        ("import yaml\nyaml.load(t, Loader=yaml.CSafeLoader)", []),
        ("import yaml\nyaml.safe_load(t)", []),
        ("import keras\nkeras.models.load_model('m.keras', safe_mode=False)", [("load-keras", "high")]),
        ("from tensorflow.keras.models import load_model\nload_model('m.h5')", [("load-keras", "medium")]),
        ("import mlflow\nmlflow.sklearn.load_model('models:/a/1')", [("load-mlflow", "medium")]),
        ("import torch\ntorch.hub.load('a/b', 'c')", [("load-remote-code", "high")]),
        ("from transformers import AutoModel as A\nA.from_pretrained('a/b', trust_remote_code=True)", [("load-remote-code", "high")]),
        (f"from transformers import AutoModel as A\nA.from_pretrained('a/b', trust_remote_code=True, revision='{COMMIT}')", [("load-remote-code", "medium")]),
        ("from transformers import AutoModel as A\nA.from_pretrained('a/b')", [("load-unpinned-model", "medium")]),
        ("from transformers import AutoModel as A\nNAME = 'bert-base-uncased'\nA.from_pretrained(NAME)", [("load-unpinned-model", "medium")]),
        ("from transformers import AutoModel as A\nA.from_pretrained('a/b', revision='v1.0')", [("load-unpinned-model", "medium")]),
        (f"from transformers import AutoModel as A\nA.from_pretrained('a/b', revision='{COMMIT}')", []),
        ("from transformers import AutoModel as A\nA.from_pretrained('./local')", []),
        ("from transformers import AutoModel as A\nA.from_pretrained(model_dir)", []),
        ("from transformers import AutoModel as A\nA.from_pretrained('a/b', revision=settings.revision)", []),
        ("from transformers import pipeline\npipeline('text-generation', model='a/b')", [("load-unpinned-model", "medium")]),
        ("from sentence_transformers import SentenceTransformer\nSentenceTransformer('all-MiniLM-L6-v2')", [("load-unpinned-model", "medium")]),
        ("from transformers import AutoModel as A\nS = 'a-split'\nm.save_pretrained_split(S)\nA.from_pretrained(S)", []),
        ("import os\nfrom transformers import AutoModel as A\nif os.path.exists(name): A.from_pretrained(name)", []),
        ("from mine import pipeline\npipeline('a', model='a/b')", []),
    ],
)  # fmt: skip
def test_loaders(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [("torch==2.5.1", [("load-torch", "high")]), ("torch>=2.6", []), ("torch==2.9.0+cpu", []), ("torch>=1.13,<3", [("load-torch", "high")])],
)  # fmt: skip
def test_the_version_of_pytorch_decides(requirements: str, expected: list[tuple[str, str]]) -> None:
    assert found("import torch\ntorch.load('a')", requirements) == expected


def test_before_2_6_even_weights_only_is_not_enough() -> None:
    assert found("import torch\ntorch.load('a', weights_only=True)", "torch==2.4.0") == [("load-torch", "medium")]


def test_tests_are_low_and_what_is_verified_first_too() -> None:
    assert found("import pickle\npickle.load(f)", path="tests/test_load.py") == [("load-pickle", "low")]
    verified = """
    import hashlib, pickle
    def load(data):
        if hashlib.sha256(data).hexdigest() != EXPECTED:
            raise ValueError
        return pickle.loads(data)
    """
    assert found(verified) == [("load-pickle", "low")]


def test_cells_of_a_notebook_are_read_at_their_lines() -> None:
    import json

    cells = [
        {"cell_type": "code", "source": ["!pip install torch\n", "import pickle\n", "pickle.load(f)"]},
        {"cell_type": "markdown", "source": ["pickle.load(f)"]},
    ]
    text = json.dumps({"nbformat": 4, "cells": cells}, indent=1)
    findings = {one.rule: one.locations[0].line for one in assessed_files({"a.ipynb": text}).findings}
    assert set(findings) == {"load-pickle", "deps-unpinned"}
    assert "pickle.load(f)" in text.split("\n")[(findings["load-pickle"] or 0) - 1]


def test_source_that_cannot_be_parsed_is_said() -> None:
    found = assessed_files({"old.py": "print 'x'\n"})
    assert [item.path for item in found.reading.skipped] == ["old.py"]
    newer = assessed_files({"new.py": "try:\n    x()\nexcept A, B:\n    pass\nimport pickle\npickle.load(f)\n"})
    assert not newer.reading.skipped
    assert [one.locations[0].line for one in newer.findings] == [6]
