"""skops and YAML: nodes and tags that construct or call something."""

from __future__ import annotations

import json

import pytest
from tests.support.examples_documents import ESTIMATOR, UFUNC, node, skops

from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.view import BytesView
from assaymark.formats.yaml_reader import read_yaml
from assaymark.scanning.examine import examine

HOSTILE_NODES = {
    "function": node("FunctionNode", "os", "system"),
    "through": node("FunctionNode", "sklearn.utils.os", "system"),
    "numpy": node("FunctionNode", "numpy", "load"),
    "object": node("ObjectNode", "subprocess", "Popen", content=None),
    "reduce": node("ReduceNode", "builtins", "eval", reduce={}),
    "type": node("TypeNode", "os", "system"),
    "operator": node("OperatorFuncNode", "operator", "call", attrs=UFUNC),
    "confused": node("OperatorFuncNode", "sklearn.linear_model", "LogisticRegression", attrs=UFUNC),
    "method": node(
        "MethodNode", "numpy", "ndarray", content={"func": "tofile", "obj": node("NdArrayNode", "numpy", "ndarray")}
    ),
    "another": node("MethodNode", "builtins", "str", content={"func": "join", "obj": ESTIMATOR}),
    "loader": node("MyNode", "builtins", "str"),
    "nothing": {"__loader__": "ObjectNode", "__class__": 3, "__module__": None},
    "nested": node("ListNode", "builtins", "list", content=[node("TupleNode", "acme", "Pair", content=[])]),
    "datasets": node("ObjectNode", "sklearn.datasets._base", "Bunch", content=None),
}


@pytest.mark.parametrize("name", HOSTILE_NODES)
def test_a_node_that_nobody_reviewed_is_refused(name):
    assert examine(BytesView(skops(HOSTILE_NODES[name])), "m.skops").outcome() is ScanOutcome.FAIL


@pytest.mark.parametrize(
    "root",
    [
        ESTIMATOR,
        UFUNC,
        node("TreeNode", "sklearn.tree._tree", "Tree"),
        node("PartialNode", "functools", "partial", content={"func": UFUNC}),
        node("SparseMatrixNode", "scipy.sparse._csr", "csr_matrix", type="scipy"),
        node("OperatorFuncNode", "operator", "itemgetter", attrs=node("TupleNode", "builtins", "tuple", content=[])),
        node("ObjectNode", "sklearn.metrics._scorer", "_PassthroughScorer", content=None),
    ],
)
def test_what_skops_writes_passes(root):
    assert examine(BytesView(skops(root)), "m.skops").outcome() is ScanOutcome.PASS


ORDINARY_YAML = {
    "MLmodel": "artifact_path: model\nflavors:\n  python_function:\n    env:\n      conda: conda.yaml\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    code: null\n  sklearn:\n    code: null\nutc_time_created: '2024-01-01 00:00:00.000000'\n",
    "conda.yaml": "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=24\n- pip:\n  - mlflow==2.1\n  - numpy\nname: mlflow-env\n",
    "model_config.yaml": "sample_rate: 16000\nencoder:\n  _target_: nemo.collections.asr.modules.ConformerEncoder\n  feat_in: 80\ntokenizer: {dir: nemo:abc_tokenizer, type: bpe}\nlabels:\n- ' '\n- \"'\"\ncomment: a  # !!python here is prose\n",
    "hyperparams.yaml": "seed: 1\nsave: !ref <out>/save\nmodel: !new:speechbrain.nnet.CNN.Conv1d\n    out: 4\nact: !name:torch.nn.LeakyReLU\nout: !PLACEHOLDER\n",
    "hparams.yaml": "size: !!python/tuple\n- 1\n- 2\nlr: 1e-4\n",
    "config.yaml": "trainer:\n  logger:\n    class_path: lightning.pytorch.loggers.CSVLogger\n    init_args: {save_dir: x}\ntext: |\n  !!str inside a text is text\n",
    "v1.yaml": "model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion\n  params:\n    linear_start: 0.00085\n",
    "deploy.yaml": "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    command: ['sh', '-c', 'id']\n---\nkind: Service\n",
}
HOSTILE_YAML = {
    "apply": ("a: !!python/object/apply:os.system ['id']\n", Severity.CRITICAL),
    "new": ("a: !!python/object/new:os.system {}\n", Severity.CRITICAL),
    "name": ("a: !!python/name:subprocess.Popen\n", Severity.CRITICAL),
    "module": ("a: !!python/module:os\n", Severity.CRITICAL),
    "written": ("a: !<tag:yaml.org,2002:python/object/apply:os.system> [x]\n", Severity.CRITICAL),
    "escaped": ("a: !!pyth%6fn/object/apply:os.system [x]\n", Severity.CRITICAL),
    "directive": ("%TAG ! tag:yaml.org,2002:\n--- !python/object/apply:os.system [x]\n", Severity.HIGH),
    "speechbrain": ("a: !new:os.system\n  command: id\n", Severity.CRITICAL),
    "applied": ("a: !apply:subprocess.run [x]\n", Severity.CRITICAL),
    "included": ("a: !include:/etc/passwd\n", Severity.HIGH),
    "custom": ("a: !shell id\n", Severity.HIGH),
    "target": ("a: {b: [{_target_: os.system, x: 1}]}\n", Severity.CRITICAL),
    "target by alias": ("x: &t os.system\na:\n  _target_: *t\n", Severity.CRITICAL),
    "target behind a second key": ("a: {_target_: os.system, _target_: torch.nn.Linear}\n", Severity.CRITICAL),
    "target with escapes": ('a:\n  "_t\\x61rget_": os.system\n', Severity.CRITICAL),
    "complex key": ("? _target_\n: os.system\n", Severity.HIGH),
    "own loader": ("flavors:\n  python_function:\n    loader_module: my_loader\n", Severity.HIGH),
    "code": ("flavors:\n  python_function:\n    loader_module: mlflow.pyfunc\n    code: code\n", Severity.HIGH),
    "trust": ("trust_remote_code: yes\n", Severity.HIGH),
}


@pytest.mark.parametrize("name", ORDINARY_YAML)
def test_ordinary_yaml_passes(name):
    report = examine(BytesView(ORDINARY_YAML[name].encode()), name)
    assert report.findings == ()
    assert report.outcome() is ScanOutcome.PASS


@pytest.mark.parametrize("name", HOSTILE_YAML)
def test_yaml_that_makes_its_reader_act_fails(name):
    text, severity = HOSTILE_YAML[name]
    report = examine(BytesView(text.encode()), "config.yaml")
    assert report.outcome() is ScanOutcome.FAIL
    assert max(finding.severity for finding in report.findings) is severity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.2, examples 2.1, 2.3, 2.4, 2.5, 2.6, 2.13, 2.14, 2.17, 2.18 (ours in words), and 7.4
        ("- Mark\n- Sam\n", ["Mark", "Sam"]),
        ("a:\n  - x\n  - y\nb:\n- z\n", {"a": ["x", "y"], "b": ["z"]}),
        ("-\n  name: M\n  hr: 65\n", [{"name": "M", "hr": "65"}]),
        ("- [name, hr]\n- [M, 65]\n", [["name", "hr"], ["M", "65"]]),
        ("M: {hr: 65, avg: 0.278}\nS: {\n    hr: 63,\n  }\n", {"M": {"hr": "65", "avg": "0.278"}, "S": {"hr": "63"}}),
        ("--- |\n  \\//||\\/||\n  // ||  ||\n", "\\//||\\/||\n// ||  ||\n"),
        ("u: \"S\\u263A.\"\ns: 'a ''b'''\n", {"u": "S\u263a.", "s": "a 'b'"}),
        ("plain:\n  over\n  lines\n\nq: 'over\n  lines'\n", {"plain": "over lines", "q": "over lines"}),
        ("'k': v\n\"l\": w\nx y: z # c\nu: http://a#b\n", {"k": "v", "l": "w", "x y": "z", "u": "http://a#b"}),
        ("a: &b c\nd: *b\n", {"a": "c", "d": "c"}),
        ("", None),
    ],
)
def test_values_are_those_of_the_specification(text, value):
    documents = read_yaml(text).documents
    assert (documents[0] if documents else None) == value


ACTIVE = "!!python/object/apply:os.system [id]\n"
SPLIT_TAG = "%TAG !p! tag:yaml.org,2002:py\n---\n!p!thon/object/apply:os.system [id]\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("config.yaml", ACTIVE.encode("utf-16")),
        ("config.yml", b"\xfe\xff" + ACTIVE.encode("utf-16-be")),
        ("config.json", json.dumps({"auto_map": {"AutoModel": "m.Net"}}).encode("utf-16")),
        ("config.yaml", f"a: 1 # remark\u2028b: {ACTIVE}".encode()),
        ("config.yaml", f"a: 1 # remark\x85b: {ACTIVE}".encode()),
        ("config.cfg", SPLIT_TAG.encode()),
        ("config", SPLIT_TAG.encode()),
        ("config.json", b'{"a": !!python/object/apply:os.system ["id"]}'),
    ],
)
def test_yaml_that_is_spelt_for_its_reader_alone_fails(name, data):
    """PyYAML takes UTF-16, ends lines at U+0085, U+2028 and U+2029, and reads JSON as YAML."""
    assert examine(BytesView(data), name).outcome() is ScanOutcome.FAIL


def test_ordinary_text_in_utf_16_passes():
    assert examine(BytesView("a: 1\n".encode("utf-16")), "config.yaml").outcome() is ScanOutcome.PASS
