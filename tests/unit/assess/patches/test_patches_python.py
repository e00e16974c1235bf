"""Settings, loaders and logs of Python source: written anew where that is right, and left elsewhere."""

from __future__ import annotations

import pytest
from tests.support.patched import patched

SETTINGS = """\
INSTALLED_APPS = ["predictions"]
ALLOWED_HOSTS = ["models.acme.io"]
"""
ORIGINS = """\
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
"""
STARTED = [
    ("web-debug", "from flask import Flask\napp = Flask('a')\napp.debug = True\n"),
    ("web-debug", "from flask import Flask\napp = Flask('a')\napp.config['DEBUG'] = True  # not yet\n"),
    ("web-debug", SETTINGS + "DEBUG = True\n"),
    ("web-open-origins", ORIGINS),
    ("source-tls-unverified", "import ssl\ncontext = ssl._create_unverified_context()\n"),
    ("source-tls-unverified", "import hvac\nclient = hvac.Client(url, verify=False)\n"),
    ("load-torch", "import torch\nstate = torch.load('model.pt')\n"),
    ("load-torch", "import torch\nstate = torch.load(\n    'model.pt',\n    map_location=device,\n)\n"),
    ("load-torch", "import torch\na = torch.load(x)\nb = torch.load(y, map_location=lambda one, where: one)\n"),
    ("load-torch", "import torch\na = torch.load(x, weights_only=False)\nb = torch.load(y, weights_only=False)\n"),
    ("load-yaml", "import yaml\nfrom yaml import Loader\nvalue = yaml.load(text, Loader=Loader)\n"),
    ("load-yaml", "import yaml\nvalue = list(yaml.load_all(text))\nother = yaml.full_load(text)\n"),
    ("load-yaml", "from ruamel.yaml import YAML\nreader = YAML(typ='unsafe')\n"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), STARTED)
def test_settings_and_loaders_are_written_anew(rule: str, text: str) -> None:
    path = "service/settings.py" if "INSTALLED_APPS" in text else "app.py"
    done = patched({path: text}, rule)
    done.check(rule)


def test_django_keeps_its_debugger_where_it_would_answer_nobody_without() -> None:
    text = "INSTALLED_APPS = []\nALLOWED_HOSTS = []\nDEBUG = True\n"
    assert patched({"service/settings.py": text}, "web-debug").patches == ()


def test_an_old_torch_is_not_told_to_be_safe() -> None:
    files = {"app.py": "import torch\nstate = torch.load('model.pt')\n", "requirements.txt": "torch==2.5.1\n"}
    assert patched(files, "load-torch").patches == ()


LOGGED = [
    ("log.info('asked', body=body)", "log.info('asked', body=\"[redacted]\")"),
    ("log.info('asked %s', body, extra={'body': body})", "log.info('asked %s', \"[redacted]\", extra=None)"),
    ("log.info('asked %s', body, exc_info=True)", "log.info('asked %s', \"[redacted]\", exc_info=True)"),
    ("log.info('asked', body=body, size=len(body))", "log.info('asked', body=\"[redacted]\", size=len(body))"),
    ("log.info('%d: %s', len(body), body)", "log.info('%d: %s', len(body), \"[redacted]\")"),
    ("log.info(f'{len(body)} of {{{body!r}}}')", 'log.info(f"{len(body)} of {{[redacted]}}")'),
    ("log.info(f'{len(body):>4}: {body}')", 'log.info(f"{len(body):>4}: [redacted]")'),
]


@pytest.mark.parametrize(("call", "expected"), LOGGED)
def test_logs_of_all_kinds_are_redacted(call: str, expected: str) -> None:
    text = (
        "import structlog\nfrom flask import Flask, request\nlog = structlog.get_logger()\napp = Flask('a')\n\n\n"
        f"@app.post('/a')\ndef a():\n    body = request.get_json()\n    {call}\n    return 'a'\n"
    )
    done = patched({"app.py": text}, "log-request")
    done.check("log-request")
    assert expected in done.files["app.py"]


def test_a_place_for_a_number_is_left() -> None:
    text = (
        "import logging\nfrom flask import Flask, request\napp = Flask('a')\n\n\n"
        "@app.post('/a')\ndef a():\n    logging.info('%d rows', request.get_json())\n    return 'a'\n"
    )
    assert patched({"app.py": text}, "log-request").patches == ()
    assert patched({"app.py": text.replace("%d rows'", "%(a)s'")}, "log-request").patches == ()


@pytest.mark.parametrize(("call", "expected"), [
    ("torch.load(x, )", "torch.load(x, weights_only=True)"),
    ("torch.load((x))", "torch.load((x), weights_only=True)"),
    ("torch.load(x,  # here\n    map_location=(d),\n)", "torch.load(x,  # here\n    map_location=(d),\n    weights_only=True,\n)"),
    ("torch.load(\n    x\n)", "torch.load(\n    x, weights_only=True\n)"),
    ("torch.load('ü', f(y, z))", "torch.load('ü', f(y, z), weights_only=True)"),
    ("torch.load(one for one in x)", None),
    ("torch.load(x, **options)", None),
    ("torch.load(*x)", "torch.load(*x, weights_only=True)"),
])  # fmt: skip
def test_arguments_are_added_where_the_call_ends(call: str, expected: str | None) -> None:
    head = "import torch\nvalue = "
    done = patched({"app.py": f"{head}{call}\n"}, "load-torch")
    assert done.files["app.py"] == f"{head}{expected or call}\n"


def test_what_docker_shows_of_an_image_gets_no_user() -> None:
    text = '[{"Id": "sha256:1", "RepoTags": ["a:1"], "Config": {"User": "", "Cmd": ["a"]}, "RootFS": {}}]'
    assert patched({"inspect.json": text}, "build-root-user").patches == ()
