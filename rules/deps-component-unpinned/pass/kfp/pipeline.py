from kfp import dsl

IMAGE = "ghcr.io/acme/train@sha256:0000000000000000000000000000000000000000000000000000000000000001"


@dsl.component(base_image=IMAGE, packages_to_install=["pandas==2.3.0"])
def train(rows: str) -> str:
    return rows
