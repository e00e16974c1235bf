"""What the libraries themselves write, and what the scan must say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assaymark.core.report import Report, ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

MODELS = Path(__file__).parents[2] / "vectors" / "models"
PICTURES = Path(__file__).parents[2] / "vectors" / "pictures"
PASS, FAIL, INCOMPLETE = ScanOutcome.PASS, ScanOutcome.FAIL, ScanOutcome.INCOMPLETE

EXPECTED = {
    **{f"arrays-protocol{n}.pkl": (PASS, "pickle") for n in range(6)},
    **{f"plain-protocol{n}.pkl": (PASS, "pickle") for n in range(6)},
    "dtypes.pt": (PASS, "torch-zip"),
    "newer-dtypes.pt": (PASS, "torch-zip"),
    "state-dict.pt": (PASS, "torch-zip"),
    "state-dict-protocol4.pt": (PASS, "torch-zip"),
    "state-dict-legacy.pt": (PASS, "torch-legacy"),
    "checkpoint.pt": (PASS, "torch-zip"),
    "parameter.pt": (PASS, "torch-zip"),
    "quantised.pt": (PASS, "torch-zip"),
    "sparse.pt": (PASS, "torch-zip"),
    "weights.safetensors": (PASS, "safetensors"),
    "datetime.pkl": (PASS, "pickle"),
    "structured.pkl": (PASS, "pickle"),
    "torchscript.pt": (PASS, "torchscript"),
    "array.npy": (PASS, "numpy"),
    "arrays.npz": (PASS, "numpy"),
    "quantised-per-channel.pt": (PASS, "torch-zip"),
    "whole-module.pt": (FAIL, "pickle-unknown-global"),
    "whole-module-legacy.pt": (FAIL, "pickle-unknown-global"),
}


def scan(path: Path) -> Report:
    return examine(BytesView(path.read_bytes()), path.name)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file(name: str) -> None:
    outcome, detail = EXPECTED[name]
    report = scan(MODELS / name)
    assert report.outcome() is outcome, report
    if outcome is PASS:
        assert detail in {item.format for item in report.examined}
        assert report.findings == ()
    elif outcome is FAIL:
        assert detail in {finding.rule for finding in report.findings}
    else:
        assert detail in report.skipped[0].reason


def test_every_vector_has_an_expectation() -> None:
    assert {path.name for path in MODELS.iterdir()} == {*EXPECTED, "make.py", "README.md"}


@pytest.mark.parametrize("path", sorted(PICTURES.iterdir()), ids=lambda path: path.name)
def test_real_pictures_are_inert(path: Path) -> None:
    report = scan(path)
    assert report.outcome() is PASS
    assert report.inert == (path.name,)


@pytest.mark.parametrize(
    "path", [path for path in sorted(PICTURES.iterdir()) if path.suffix != ".md"], ids=lambda path: path.name
)
def test_a_picture_cut_off_anywhere_is_no_picture(path: Path) -> None:
    data = path.read_bytes()
    for length in range(16, len(data)):  # less is text, or has no magic
        report = examine(BytesView(data[:length]), path.name)
        assert report.outcome() is not PASS or report.inert == (), length


@pytest.mark.parametrize(
    "name",
    ["state-dict.pt", "state-dict-legacy.pt", "weights.safetensors", "plain-protocol4.pkl", "arrays-protocol0.pkl"],
)
def test_a_model_cut_off_anywhere_never_passes(name: str) -> None:
    data = (MODELS / name).read_bytes()
    for length in range(0, len(data), max(1, len(data) // 400)):
        assert examine(BytesView(data[:length]), name).outcome() is not PASS, length


@pytest.mark.parametrize("name", ["state-dict.pt", "weights.safetensors"])
def test_a_byte_behind_a_model_never_passes(name: str) -> None:
    data = (MODELS / name).read_bytes()
    assert examine(BytesView(data + b"\0"), name).outcome() is not PASS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("params.yaml", 'lr: 0.1\nname: "a\\tb"\nsteps: !!int "3"\nnote: stop!\n"quoted": [1, 2]\n'),
        ("README.md", "# A model\n\nUse `!!python/object` in YAML at your own risk, ünïcode is fine.\n"),
        ("labels.txt", "cat\ndog\nbird.\n"),
        ("cities.txt", "Prague\nParis\nRome\n"),
        ("LICENSE", "(c) 2026 Acme\nAll rights\nreserved\n"),
        ("vocab.txt", "copy\nos\nsystem\n"),
        ("intro", "Introduction\nSome words\nFinally\n"),
        ("image.csv", "image,label\nimage\nfoo\n"),
        ("config.json", '{"hidden": 4, "layers": [1, 2.5], "nested": {"a": null}}'),
        ("config.json", '\ufeff{"bom": true}'),
        ("trainer_state.json", '{"log_history": [{"grad_norm": NaN, "loss": Infinity, "step": 1}]}'),
        ("list.jsonl", '{"a": 1}\n{"a": 2}\n'),
        ("settings.yaml", "model:\n  hidden: 4\n"),
        ("empty", ""),
        (".gitattributes", "*.bin filter=lfs\n"),
        ("formfeed.txt", "a\x0cb\r\n\tc"),
    ],
)  # fmt: skip
def test_texts_are_inert(name: str, text: str) -> None:
    report = examine(BytesView(text.encode()), name)
    assert report.inert == (name,), report
    assert report.outcome() is PASS
