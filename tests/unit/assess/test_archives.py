"""What lies packed in an architecture is assessed as what lies open is."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.stored_image import layer, layout, saved

from assaymark.assess.archives import is_archive, unpacked
from assaymark.core.graph import State
from assaymark.core.view import BytesView
from assaymark.service.assess import assess_path

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.assess.engine import Assessment

APP = b"""import pickle
from fastapi import FastAPI, Request
app = FastAPI()
@app.post("/predict")
async def predict(request: Request):
    return pickle.loads(await request.body())
"""
KEY = (
    b"[default]\naws_access_key_id = AKIAQ3EGUXZK5D2VNBTR\n"
    b"aws_secret_access_key = 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\n"
)
POD = b"""apiVersion: v1
kind: Pod
metadata: {name: trainer, namespace: ml}
spec:
  containers:
    - name: main
      image: registry.example.org/ml/trainer:1.2
"""
CONFIG: dict[str, Any] = {
    "config": {
        "Env": ["PATH=/usr/bin", "MODEL_API_KEY=sk9f8a7b6c5d4e3f2a1b"],
        "Cmd": ["uvicorn", "main:app", "--host", "0.0.0.0"],  # noqa: S104 - an image's
        "WorkingDir": "/app",
        "ExposedPorts": {"8000/tcp": {}},
    },
    "history": [{"created_by": "RUN |2 PIP_TOKEN=zq81mxv03kdw72 V=1 /bin/sh -c pip install x # buildkit"}],
}
LAYERS = [
    layer({"usr/lib/python3/app.py": APP, "app/main.py": APP, "root/.aws/credentials": KEY, "app/.env": KEY}),
    layer({"root/.aws/.wh.credentials": b""}),
]


def assessed(folder: Path, files: dict[str, bytes]) -> Assessment:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return assess_path(folder, 1_790_000_000)[0]


def places(found: Assessment, rule: str) -> list[str]:
    return [finding.locations[0].path for finding in found.findings if finding.rule == rule]


def test_an_image_of_docker_save_is_what_its_pod_runs(tmp_path: Path) -> None:
    image = saved(["registry.example.org/ml/trainer:1.2"], CONFIG, LAYERS)
    found = assessed(tmp_path, {"images/trainer.tar": image, "pod.yaml": POD})
    assert places(found, "web-no-authentication") == ["images/trainer.tar/rootfs/app/main.py"]
    edges = {(edge.source, edge.target): edge for edge in found.graph.edges}
    application = "app:images/trainer.tar/rootfs/app/main.py@k8s:ml/pod/trainer"
    (runs,) = [
        edge
        for (_, target), edge in edges.items()
        if target.endswith("pod/trainer") and edge.relation == "runs-input"
    ]
    assert runs.source == application
    assert runs.state is State.YES
    held = {target for source, target in edges if source == runs.target and target.startswith("file:")}
    assert held == {"file:images/trainer.tar/rootfs/app/.env"}  # what was removed no container sees
    assert not found.reading.skipped


def test_what_should_not_be_in_an_image(tmp_path: Path) -> None:
    found = assessed(tmp_path, {"trainer.tar": saved(["trainer:1"], CONFIG, LAYERS)})
    about = {finding.message.split(" (")[0] for finding in found.findings if finding.rule == "build-secret-in-image"}
    assert about == {
        "ENV MODEL_API_KEY stays in the image with its value",
        "ARG PIP_TOKEN stays in the image with its value",
        "/root/.aws/credentials is in a layer of the image, though a later one removes it, for whoever can pull it",
        "/app/.env is in the image, for whoever can pull it",
    }
    assert sorted(places(found, "secret-aws-key")) == [
        "trainer.tar/layers/layer0/root/.aws/credentials",
        "trainer.tar/rootfs/app/.env",
    ]
    assert len(places(found, "build-root-user")) == 1


def test_an_image_without_any_of_it_is_clean(tmp_path: Path) -> None:
    config = {
        "config": {"Cmd": ["python", "main.py"], "User": "1000:1000", "Env": ["PATH=/usr/bin", "TOKEN_FILE=/run/t"]}
    }
    found = assessed(tmp_path, {"trainer.tar": saved(["t:1"], config, [layer({"app/main.py": b"print(1)\n"})])})
    assert found.findings == ()
    assert not found.reading.skipped


def test_of_several_images_in_one_archive_a_pod_has_the_files_of_its_own(tmp_path: Path) -> None:
    layers = {
        "one/layer.tar": layer({"app/main.py": b"print(1)\n", "app/.env": KEY}),
        "two/layer.tar": layer({"app/main.py": APP, "app/other.env": KEY.replace(b"AKIAQ3EG", b"AKIAQ3EH")}),
    }
    listing = [
        {"Config": f"{name}.json", "RepoTags": [tag], "Layers": [f"{name}/layer.tar"]}
        for name, tag in (("one", "other:1"), ("two", "registry.example.org/ml/trainer:1.2"))
    ]
    configs = {f"{name}.json": json.dumps(CONFIG).encode() for name in ("one", "two")}
    archive = layer({"manifest.json": json.dumps(listing).encode(), **configs, **layers})
    found = assessed(tmp_path, {"images.tar": archive, "pod.yaml": POD})
    held = {edge.target for edge in found.graph.edges if edge.source == "k8s:ml/pod/trainer"}
    assert {one for one in held if one.startswith("file:")} == {"file:images.tar/rootfs-2/app/other.env"}
    assert any(edge.relation == "runs-input" and "rootfs-2" in edge.source for edge in found.graph.edges)


@pytest.mark.parametrize("packed", [False, True])
def test_an_oci_layout_is_read_as_a_folder_and_as_an_archive(tmp_path: Path, packed: bool) -> None:
    files = layout("trainer:1", CONFIG, LAYERS, platforms=True)
    given = {"image.oci": layer(files)} if packed else {f"image/{name}": data for name, data in files.items()}
    found = assessed(tmp_path, given)
    root = "image.oci" if packed else "image"
    assert places(found, "web-no-authentication") == [f"{root}/rootfs/app/main.py"]
    assert "build-root-user" in {finding.rule for finding in found.findings}
    assert not found.reading.skipped


def test_the_description_of_an_image_says_what_its_pod_starts(tmp_path: Path) -> None:
    config = b'[{"Id": "sha256:1", "RepoTags": ["registry.example.org/ml/trainer:1.2"], "Config": {"User": "", '
    config += (
        b'"Env": ["DB_PASSWORD=h4rdT0Gu3ss"], "Cmd": ["vllm", "serve", "m", "--host", "0.0.0.0"]}, "RootFS": {}}]'
    )
    found = assessed(tmp_path, {"inspect.json": config, "pod.yaml": POD})
    rules = {finding.rule for finding in found.findings if finding.locations[0].path == "inspect.json"}
    assert {"build-secret-in-image", "build-root-user", "build-server-open"} <= rules


def test_what_docker_shows_of_an_image_is_found_on_its_line(tmp_path: Path) -> None:
    config = {"User": "root", "Env": ["PATH=/bin", "DB_PASSWORD=h4rdT0Gu3ss"], "Cmd": ["vllm", "serve", "m", "--trust-remote-code"]}  # fmt: skip
    text = json.dumps([{"Id": "sha256:1", "RepoTags": ["a:1"], "Config": config, "RootFS": {}}], indent=1)
    found = {one.rule: one for one in assessed(tmp_path, {"inspect.json": text.encode()}).findings}
    lines = {rule: one.locations[0].line for rule, one in found.items()}
    assert lines["build-secret-in-image"] == text.split("\n").index('    "DB_PASSWORD=h4rdT0Gu3ss"') + 1
    assert "load-remote-code" in lines


def bundle(kind: str, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=out, mode=f"w:{kind}") as tar:  # type: ignore[call-overload]
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"), [("code.zip", "zip"), ("code.tar.gz", "gz"), ("code.tar.xz", "xz"), ("c.tar", "")]
)
def test_a_bundle_of_code_is_read_without_what_was_installed_into_it(tmp_path: Path, name: str, kind: str) -> None:
    files = {
        "main.py": APP,
        "lib/other.py": APP,
        "other-1.0.dist-info/RECORD": b"lib/other.py,sha256=abc,12\nother-1.0.dist-info/RECORD,,\n",
        "node_modules/x/y.py": APP,
        "model.pkl": b"\x80\x04.",
    }
    found = assessed(tmp_path, {name: bundle(kind, files)})
    assert places(found, "load-pickle") == [f"{name}/main.py"]
    assert not found.reading.skipped


def test_what_lies_open_too_is_said_once_and_nothing_packed_is_patched(tmp_path: Path) -> None:
    verify = b"import requests\nrequests.get('https://example.org', verify=False)\n"
    files = {"src/main.py": APP, "code.zip": bundle("zip", {"main.py": APP, "call.py": verify})}
    found = assessed(tmp_path, files)
    assert places(found, "load-pickle") == ["src/main.py"]
    (finding,) = [one for one in found.findings if one.locations[0].path == "code.zip/call.py"]
    assert found.patches[finding] == ()


def test_what_cannot_be_read_of_an_archive_is_skipped_with_the_reason(tmp_path: Path) -> None:
    broken = bundle("gz", {"main.py": APP})
    found = assessed(
        tmp_path, {"a.zip": b"PK\x03\x04 and nothing", "b.tar.gz": broken[:-20], "c.tar": b"words", "d.py": b"1"}
    )
    assert {one.path for one in found.reading.skipped} == {"a.zip", "b.tar.gz", "c.tar"}


def test_what_is_cut_off_or_lacks_its_parts_is_skipped_and_the_rest_is_read(tmp_path: Path) -> None:
    whole = bundle("", {"main.py": APP, "z.py": b"#" * 5000})
    files = layout("trainer:1", CONFIG, LAYERS)
    kept = {f"image/{name}": data for name, data in files.items() if "blobs" not in name}
    other = {"index.json": b'{"manifests": []}', "oci-layout": files["oci-layout"]}
    found = assessed(
        tmp_path, {"a.tar": whole[:3000], **kept, **{f"none/{name}": data for name, data in other.items()}}
    )
    reasons = {one.path: one.reason for one in found.reading.skipped}
    assert reasons.pop("a.tar") == "what there is of it is read: a member that is cut short"
    assert reasons.pop("none") == "it is a layout of images and holds no image of a container"
    assert [(path.rpartition("/")[0], why) for path, why in reasons.items()] == [
        ("image/blobs/sha256", "it is not in the archive")
    ]
    assert places(found, "load-pickle") == ["a.tar/main.py"]


def test_archives_of_other_kinds_are_named(tmp_path: Path) -> None:
    found = assessed(tmp_path, {"x.whl": b"PK", "y.jar": b"PK", "z.py": b"1"})
    assert "archives of these kinds are not looked into: .jar (1 file), .whl (1 file)" in found.reading.gaps


def test_packed_charts_are_helms() -> None:
    assert not is_archive("chart/charts/db-1.0.tgz")
    assert is_archive("bundle/code.tgz")


def test_what_unpacks_to_too_much_is_left_and_said() -> None:
    inner = bundle("zip", {f"{number}.py": b"#" * 1000 for number in range(5)})
    found = unpacked("a.zip", BytesView(bundle("zip", {"b.zip": inner})), 2500)
    assert len(found.files) < 3
    assert [one.path for one in found.skipped] == ["a.zip/b.zip"]


def test_archives_in_archives_are_read_so_far() -> None:
    inner = bundle("zip", {"main.py": APP})
    for depth in range(4):
        found = unpacked("a.zip", BytesView(inner))
        assert [one.path for one in found.files] == ["a.zip" + "/b.zip" * depth + "/main.py"] * (depth < 3)
        assert len(found.skipped) == (depth == 3)
        inner = bundle("zip", {"b.zip": inner})
