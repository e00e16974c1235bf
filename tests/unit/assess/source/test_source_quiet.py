"""What is no secret and no open server, beside what is."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files, lines_of

from assaymark.core.graph import State

HEAD = "import logging, os, openai\nfrom transformers import AutoTokenizer\nlog = logging.getLogger(__name__)\n"


@pytest.mark.parametrize(
    "line",
    [
        'log.info("%s", n_tokens)',
        'log.info("%s %s", max_tokens, token_count)',
        'log.info(f"{usage.total_tokens} {usage.prompt_tokens} {usage.token_usage}")',
        'tokenizer = AutoTokenizer.from_pretrained("x", token=os.environ["HF_TOKEN"]); log.info(tokenizer.vocab_size)',
        'tokenizer = AutoTokenizer.from_pretrained("x", token=hf_token); log.info("%s", tokenizer.encode("a"))',
        'log.info("%s", openai.OpenAI(api_key=os.environ["API_KEY"]).embeddings.list().usage.total_tokens)',
        'client = openai.OpenAI(os.environ["API_KEY"]); log.info("%s", client.max_retries)',
    ],
)
def test_counts_and_clients_are_no_credentials(line: str) -> None:
    text = f"{HEAD}def main(n_tokens, max_tokens, token_count, usage, hf_token):\n    {line}\n"
    assert lines_of(assessed_files({"app.py": text}), "log-credential") == []


@pytest.mark.parametrize(
    "line",
    [
        'log.info("%s", access_token)',
        'log.info("%s", os.environ["HF_TOKEN"])',
        'log.info("%s", dict(api_key=os.environ["API_KEY"]))',
        'log.info("%s", str(api_key))',
        'log.info("%s", Settings(api_key=os.environ["API_KEY"]))',
        'log.info("%s", client.api_key)',
    ],
)
def test_credentials_are_still_found(line: str) -> None:
    settings = "from dataclasses import dataclass\n@dataclass\nclass Settings:\n    api_key: str\n"
    text = f"{HEAD}{settings}def main(access_token, api_key, client):\n    {line}\n"
    assert [place for place, _ in lines_of(assessed_files({"app.py": text}), "log-credential")][:1] == ["app.py"]


SHOWN = """{"format_version": "1.0", "values": {"root_module": {"resources": [{"address": "aws_iam_access_key.k",
 "mode": "managed", "type": "aws_iam_access_key", "name": "k", "values": {
 "id": "AKIAQWERTYUIOPASDFGH",
 "secret": "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",
 "user": "bob"}}]}}}"""


def test_the_secret_of_a_key_is_said_with_the_key() -> None:
    found = assessed_files({"state.json": SHOWN})
    assert [one.rule for one in found.findings if one.rule.startswith("secret-")] == ["secret-aws-key"]
    alone = assessed_files({"state.json": SHOWN.replace("AKIAQWERTYUIOPASDFGH", "bob")})
    assert [one.rule for one in alone.findings if one.rule.startswith("secret-")] == ["secret-password"]


GRADIO = """
import gradio as gr, pickle
def load(file):
    return pickle.load(open(file.name, "rb"))
gr.Interface(fn=load, inputs=gr.File(), outputs="text").launch(ARGUMENTS)
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: ui, namespace: ml}
spec:
  containers:
  - name: c
    image: acme/ui:1
    ports: [{containerPort: 7860}]
    MORE
"""


def ui(arguments: str, more: str = "env: []", dockerfile: str = "") -> tuple[bool, State | None]:
    """Whether the route is a finding, and whether the pod's ports lead to it."""
    found = assessed_files(
        {
            "app.py": GRADIO.replace("ARGUMENTS", arguments),
            "Dockerfile": f'FROM python:3.12\nCOPY . .\n{dockerfile}CMD ["python", "app.py"]\n',
            "build.sh": "#!/bin/sh\ndocker build -t acme/ui:1 .\n",
            "pod.yaml": POD.replace("MORE", more),
        }
    )
    states = [edge.state for edge in found.graph.edges if edge.relation == "open-invoke"]
    return bool(lines_of(found, "web-no-authentication")), states[0] if states else None


def test_gradio_listens_on_its_own_machine_unless_it_is_told() -> None:
    assert ui("") == (False, None)
    assert ui('server_name="127.0.0.1"') == (False, None)
    assert ui("server_port=80, share=False") == (False, None)
    assert ui('server_name="0.0.0.0"') == (True, State.YES)
    assert ui("share=True") == (True, State.YES)
    assert ui("**options") == (True, State.YES)
    assert ui("", 'env: [{name: GRADIO_SERVER_NAME, value: "0.0.0.0"}]') == (True, State.YES)
    assert ui("", dockerfile='ENV GRADIO_SERVER_NAME="0.0.0.0"\n') == (True, State.YES)
    assert ui("", "envFrom: [{secretRef: {name: s}}]") == (False, State.UNKNOWN)


def test_gradio_on_somebodys_machine_is_still_said() -> None:
    found = assessed_files({"app.py": GRADIO.replace("ARGUMENTS", "")})
    assert lines_of(found, "web-no-authentication") == [("app.py", 4)]
