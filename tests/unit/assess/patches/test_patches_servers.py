"""Servers of compose files ask for a key that the environment has, or do not start."""

from __future__ import annotations

import pytest
import yaml
from tests.support.patched import patched

DIGEST = "3a" * 32
HEAD = "services:\n  model:\n"
SERVICES = {
    "a mapping": (
        f"    image: vllm/vllm-openai@sha256:{DIGEST}\n    environment:\n      HF_HOME: /models\n",
        {"environment": {"VLLM_API_KEY": "${VLLM_API_KEY:?}", "HF_HOME": "/models"}},
    ),
    "a list": (
        f"    environment:\n    - LOG=1\n    image: qdrant/qdrant@sha256:{DIGEST}\n",
        {"environment": ["QDRANT__SERVICE__API_KEY=${QDRANT__SERVICE__API_KEY:?}", "LOG=1"]},
    ),
    "nothing": (
        f"    image: ghcr.io/huggingface/text-generation-inference@sha256:{DIGEST}\n",
        {"environment": {"API_KEY": "${API_KEY:?}"}},
    ),
    "what the examples have": (
        (
            f"    image: minio/minio@sha256:{DIGEST}\n    command: minio server /data\n"
            "    environment:\n      MINIO_ROOT_PASSWORD: minioadmin\n"
        ),
        {"environment": {"MINIO_ROOT_PASSWORD": "${MINIO_ROOT_PASSWORD:?}"}},
    ),
    "what the examples have, listed": (
        f"    image: minio/minio@sha256:{DIGEST}\n    environment:\n      - MINIO_ROOT_PASSWORD=minioadmin\n",
        {"environment": ["MINIO_ROOT_PASSWORD=${MINIO_ROOT_PASSWORD:?}"]},
    ),
    "a command": (
        f"    image: redis@sha256:{DIGEST}\n    command: redis-server --save 60 1\n",
        {"command": "redis-server --save 60 1 --requirepass ${REDIS_PASSWORD:?}"},
    ),
    "no command": (
        f"    image: valkey/valkey@sha256:{DIGEST}\n",
        {"command": "valkey-server --requirepass ${REDIS_PASSWORD:?}"},
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_servers_ask_for_what_the_environment_has(name: str) -> None:
    service, expected = SERVICES[name]
    text = f"{HEAD}{service}    ports: ['8000:8000']\n"
    done = patched({"compose.yaml": text}, "build-server-open")
    done.check("build-server-open")
    new = yaml.safe_load(done.files["compose.yaml"])
    old = yaml.safe_load(text)
    assert new["services"]["model"] == old["services"]["model"] | expected


@pytest.mark.parametrize("service", [
    f"    image: acme/redis@sha256:{DIGEST}\n",
    f"    image: redis@sha256:{DIGEST}\n    command: [redis-server, --save, '60 1']\n",
    f"    image: redis@sha256:{DIGEST}\n    command: >\n      redis-server\n      --save 60\n",
    f"    image: ghcr.io/mlflow/mlflow@sha256:{DIGEST}\n    command: mlflow server --host 0.0.0.0\n",
    f"    image: vllm/vllm-openai@sha256:{DIGEST}\n    environment: {{HF_HOME: /models}}\n",
])  # fmt: skip
def test_what_cannot_be_told_by_one_line_is_left(service: str) -> None:
    done = patched({"compose.yaml": f"{HEAD}{service}    ports: ['8000:8000']\n"}, "build-server-open")
    assert [one for one in done.before if one.rule == "build-server-open"]
    assert done.patches == ()
