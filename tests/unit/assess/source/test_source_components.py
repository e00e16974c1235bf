"""Steps of Kubeflow pipelines that are containers of their own."""

from __future__ import annotations

from tests.support.source_estate import assessed_files

HEAD = "from kfp import dsl\n\n@dsl.container_component\ndef train(data: str):\n"


def found(body: str) -> set[tuple[str, int]]:
    files = {"pipeline.py": HEAD + body}
    return {(one.rule, one.locations[0].line) for one in assessed_files(files).findings}


def test_image_and_command_of_a_container() -> None:
    body = (
        "    return dsl.ContainerSpec(\n        image='acme/train:latest',\n        command=['sh', '-c'],\n"
        "        args=['pip install torch && python train.py', data],\n    )\n"
    )
    assert found(body) == {("build-image-unpinned", 6), ("deps-component-unpinned", 8)}


def test_words_of_a_command_belong_together() -> None:
    body = (
        f"    return dsl.ContainerSpec(image='acme/train@sha256:{'a' * 64}',\n"
        "        command=['pip', 'install', 'torch'])\n"
    )
    assert found(body) == {("deps-component-unpinned", 6)}


def test_a_container_that_is_pinned() -> None:
    body = (
        f"    return dsl.ContainerSpec(image='acme/train@sha256:{'a' * 64}',\n"
        "        command=['python', 'train.py'], args=[data])\n"
    )
    assert found(body) == set()
