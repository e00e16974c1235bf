"""Digests and commits that the input has elsewhere, and addresses whose certificates are looked at."""

from __future__ import annotations

import pytest
import yaml
from tests.support.patched import patched

COMMIT = "08eba0b27e820071cde6df949e0beb9ba4906955"
OTHER = "18eba0b27e820071cde6df949e0beb9ba4906955"
DIGEST = "3a" * 32
HEAD = "name: models\non: [push]\n"
PATH = ".github/workflows/check.yml"
PINNED = {
    "a/Dockerfile": f"FROM python:3.12-slim@sha256:{DIGEST} AS build\nUSER 5\n",
    "deploy/kustomization.yaml": f"images:\n- name: acme.io:5000/models/ranker\n  newTag: v7\n  digest: sha256:{DIGEST}\n",
    "compose.yaml": f"services:\n  a:\n    image: redis:latest@sha256:{DIGEST}\n",
}
IMAGES = {
    "Dockerfile": (
        "FROM --platform=linux/amd64 docker.io/library/python:3.12-slim AS b\nFROM redis\nUSER 5\n",
        (f"FROM --platform=linux/amd64 docker.io/library/python:3.12-slim@sha256:{DIGEST} AS b\n"
        f"FROM redis:latest@sha256:{DIGEST}\nUSER 5\n"),
    ),
    "b/compose.yaml": (
        "services:\n  b: {image: 'acme.io:5000/models/ranker:v7'}\n",
        f"services:\n  b: {{image: 'acme.io:5000/models/ranker:v7@sha256:{DIGEST}'}}\n",
    ),
    ".gitlab-ci.yml": (
        "a:\n  image:\n    name: python:3.12-slim\n  script: [make]\nb:\n  image: python:3.12-slim\n  script: [make]\n",
        None,
    ),
    "train.py": (
        "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12-slim', packages_to_install=[])\ndef a() -> str: ...\n",
        f'from kfp import dsl\n\n\n@dsl.component(base_image="python:3.12-slim@sha256:{DIGEST}", packages_to_install=[])\ndef a() -> str: ...\n',
    ),
    "component.yaml": (
        "name: a\nimplementation:\n  container:\n    image: python:3.12-slim\n    command: [a]\n",
        f"name: a\nimplementation:\n  container:\n    image: python:3.12-slim@sha256:{DIGEST}\n    command: [a]\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", IMAGES)
def test_images_get_the_digest_that_their_tag_has_elsewhere(path: str) -> None:
    text, expected = IMAGES[path]
    done = patched(PINNED | {path: text}, "build-image-unpinned")
    left = [one for one in done.after if one.rule == "build-image-unpinned" and one.locations[0].path == path]
    if expected is not None:
        assert done.files[path] == expected
        assert not left
    else:
        assert f"  image: python:3.12-slim@sha256:{DIGEST}\n" in done.files[path]


def test_pods_get_it_too() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nspec:\n  containers:\n"
        "  - name: a\n    image: redis\n    args: [redis]\n"
    )
    done = patched(PINNED | {"pod.yaml": text}, "k8s-image-unpinned")
    done.check("k8s-image-unpinned")
    assert f"    image: redis:latest@sha256:{DIGEST}\n" in done.files["pod.yaml"]


@pytest.mark.parametrize("other", [
    {"b/Dockerfile": f"FROM python:3.12-slim@sha256:{'4b' * 32}\nUSER 5\n"},
    {"a/Dockerfile": f"# FROM python:3.12-slim@sha256:{DIGEST}\nFROM scratch\n"},
    {"a/Dockerfile": f"FROM python:3.12@sha256:{DIGEST}\nUSER 5\n"},
    {"a/Dockerfile": f"FROM mirror.io/python:3.12-slim@sha256:{DIGEST}\nUSER 5\n"},
    {"a/Dockerfile": "FROM scratch\n", "tests/Dockerfile": f"FROM python:3.12-slim@sha256:{DIGEST}\n"},
])  # fmt: skip
def test_another_digest_tag_name_or_comment_pins_nothing(other: dict[str, str]) -> None:
    files = PINNED | {"Dockerfile": "FROM python:3.12-slim\nUSER 5\n"} | other
    assert patched(files, "build-image-unpinned").patches == ()


ACTIONS = f"""\
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/tools/publish@{COMMIT} # v2
      - uses: other/action@{COMMIT} # v1
      - uses: other/action@{OTHER} # v1
      - run: echo
"""


def test_actions_get_the_commit_that_their_tag_has_elsewhere() -> None:
    text = HEAD + ACTIONS.replace(
        "      - run: echo\n",
        "      - uses: acme/tools@v2\n      - uses: 'Acme/Tools/check@v2'  # why\n      - {uses: acme/tools/check@v2, id: a}\n"
        "      - uses: acme/tools@v2.1\n      - uses: other/action@v1\n",
    )
    done = patched({PATH: text}, "ci-action-unpinned")
    new = done.files[PATH].splitlines()[-5:]
    assert new == [
        f"      - uses: acme/tools@{COMMIT} # v2",
        f"      - uses: 'Acme/Tools/check@{COMMIT}' # v2  # why",
        f"      - {{uses: acme/tools/check@{COMMIT}, id: a}}",
        "      - uses: acme/tools@v2.1",
        "      - uses: other/action@v1",
    ]
    assert yaml.safe_load(done.files[PATH])["jobs"]["a"]["steps"][5] == {
        "uses": f"acme/tools/check@{COMMIT}",
        "id": "a",
    }


def test_models_get_the_commit_that_another_call_names() -> None:
    pinned = f'from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/answers", revision="{COMMIT}")\n'
    text = """\
from transformers import AutoTokenizer, pipeline

tokenizer = AutoTokenizer.from_pretrained("acme/answers")
answer = pipeline(
    "text-generation",
    model="acme/answers",
    revision="main",
)
"""
    done = patched({"a.py": pinned, "b.py": text}, "load-unpinned-model")
    done.check("load-unpinned-model")
    assert f'from_pretrained("acme/answers", revision="{COMMIT}")' in done.files["b.py"]
    assert f'    revision="{COMMIT}",\n)' in done.files["b.py"]
    command = {"Dockerfile": f"FROM a@sha256:{DIGEST}\nRUN hf download acme/answers --local-dir /m\nUSER 5\n"}
    done = patched({"a.py": pinned} | command, "load-unpinned-model")
    done.check("load-unpinned-model")
    assert f"RUN hf download acme/answers --revision {COMMIT} --local-dir /m\n" in done.files["Dockerfile"]
    two = {"a.py": pinned, "c.py": pinned.replace(COMMIT, OTHER), "b.py": text}
    assert patched(two, "load-unpinned-model").patches == ()
    assert patched({"tests/test_a.py": pinned, "b.py": text}, "load-unpinned-model").patches == ()


INDEXES = [
    ("requirements.txt", "--index-url http://packages.acme.io/simple\n--trusted-host packages.acme.io\n",
     "--index-url https://packages.acme.io/simple\n"),
    ("pip.conf", "[global]\nindex-url = http://a:b@packages.acme.io/simple\ntrusted-host = packages.acme.io\ntimeout = 9\n",
     "[global]\nindex-url = https://a:b@packages.acme.io/simple\ntimeout = 9\n"),
    ("Pipfile", '[[source]]\nurl = "http://packages.acme.io/simple"\nverify_ssl = false\nname = "a"\n\n[packages]\n',
     '[[source]]\nurl = "https://packages.acme.io/simple"\nverify_ssl = true\nname = "a"\n\n[packages]\n'),
    ("pyproject.toml", '[tool.uv]\nindex = [{url = "http://packages.acme.io/simple"}]\n', None),
    ("Dockerfile", f"FROM a@sha256:{DIGEST}\nRUN pip install -i http://packages.acme.io/ --trusted-host packages.acme.io a==1\nUSER 5\n",
     f"FROM a@sha256:{DIGEST}\nRUN pip install -i https://packages.acme.io/ a==1\nUSER 5\n"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), INDEXES)
def test_packages_come_over_tls(path: str, text: str, expected: str | None) -> None:
    done = patched({path: text}, "deps-insecure-index")
    if expected is None:
        expected = text.replace("http:", "https:")
    done.check("deps-insecure-index")
    assert done.files[path] == expected


def test_a_port_speaks_one_of_the_two() -> None:
    text = "--index-url http://packages.acme.io:8081/simple\n--trusted-host packages.acme.io\n"
    assert patched({"requirements.txt": text}, "deps-insecure-index").patches == ()


@pytest.mark.parametrize(("old", "new"), [
    ("curl -fsSk -o /a.csv https://acme.io/a.csv", "curl -fsS -o /a.csv https://acme.io/a.csv"),
    ("curl -k https://acme.io/a.csv", "curl https://acme.io/a.csv"),
    ("curl -L --insecure https://acme.io/a.csv", "curl -L https://acme.io/a.csv"),
    ("wget --no-check-certificate https://acme.io/a.csv", "wget https://acme.io/a.csv"),
])  # fmt: skip
def test_downloads_look_at_certificates(old: str, new: str) -> None:
    head = f"FROM a@sha256:{DIGEST}\nRUN "
    done = patched({"Dockerfile": f"{head}{old}\nUSER 5\n"}, "source-tls-unverified")
    done.check("source-tls-unverified")
    assert done.files["Dockerfile"] == f"{head}{new}\nUSER 5\n"
