"""What reaches a log, a file or code, and what does not."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
from tests.support.source_estate import assessed_files, lines_of, rules_of

HEAD = """import json, logging, os, subprocess
from flask import Flask, current_app, request
import structlog
app = Flask(__name__)
logger = logging.getLogger(__name__)
log = structlog.get_logger()
"""


def handler(body: str) -> set[str]:
    text = HEAD + '@app.post("/predict")\ndef predict():\n' + indent(dedent(body).strip(), "    ") + "\n"
    return rules_of(assessed_files({"app.py": text})) & {
        "log-request", "log-prediction", "log-credential", "source-code-injection", "source-path-injection",
        "source-query-injection", "source-template-injection", "load-from-request",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("logger.info(request.json)", {"log-request"}),
        ("data = request.get_json()\nlogger.info('got %s', data)", {"log-request"}),
        ("data = request.get_json()\nlogger.debug(f'got {json.dumps(data)}')", {"log-request"}),
        ("data = request.form\ncurrent_app.logger.warning('x', extra={'form': dict(data)})", {"log-request"}),
        ("log.info('got', body=request.data.decode())", {"log-request"}),
        ("print(dict(request.headers))", {"log-request"}),
        ("print(request.headers['Authorization'])", {"log-request"}),
        ("text = request.json['prompt']\nfor part in text.split():\n    logger.info(part)", {"log-request"}),
        ("logging.info('user %s', request.json['user_id'])", {"log-request"}),
        ("with open('requests.log', 'a') as file:\n    file.write(json.dumps(request.json))", {"log-request"}),
        (
            "try:\n    x = request.json\nexcept ValueError:\n    x = None\nlogger.exception('bad %r', x)",
            {"log-request"},
        ),
        ("answer = model.predict(request.json['rows'])\nlogger.info('answer %s', answer)", {"log-prediction"}),
        ("logger.info(os.environ['HF_TOKEN'])", {"log-credential"}),
        ("eval(request.args['q'])", {"source-code-injection"}),
        ("os.system('ls ' + request.json['name'])", {"source-code-injection"}),
        ("open(request.args.get('name'))", {"source-path-injection"}),
        ("db.execute(f\"select * from t where a = {request.args['a']}\")", {"source-query-injection"}),
    ],
)
def test_what_is_sent_arrives(body: str, rules: set[str]) -> None:
    assert handler(body) == rules


@pytest.mark.parametrize(
    "body",
    [
        "logger.info('request')",
        "logger.info('size %d', len(request.data))",
        "data = request.json\nlogger.info('keys %s', list(data.keys()))",
        "logger.info('id %s', request.headers.get('X-Request-ID'))",
        "logger.info('%s %s', request.method, request.path)",
        "data = request.json\nlogger.info('version %s', data['model_version'])",
        "data = redact(request.json)\nlogger.info('got %s', data)",
        "logger.info('digest %s', sha256(request.data).hexdigest())",
        "data = request.json\ndata = None\nlogger.info('got %s', data)",
        "ok = request.json['a'] == 3\nlogger.info('ok %s', ok)",
        "result = store.save(request.json)\nlogger.info('saved %s', result)",
        "subprocess.run(['convert', request.json['name']])",
        "db.execute('select * from t where a = ?', (request.args['a'],))",
        "n = int(request.args['n'])\nopen(f'cards/{n}.md')",
    ],
)
def test_what_keeps_no_content_or_is_redacted_does_not(body: str) -> None:
    assert handler(body) == set()


def test_a_flow_is_followed_into_helpers_of_other_modules_and_named_where_it_arrives() -> None:
    found = assessed_files(
        {
            "audit.py": """
            import logging

            def remember(kind, payload):
                logging.info("%s %s", kind, payload)
            """,
            "service.py": """
            from audit import remember

            class Service:
                def run(self, payload):
                    remember("run", payload)
            """,
            "main.py": """
            from fastapi import FastAPI
            from pydantic import BaseModel
            from service import Service
            app = FastAPI()
            service = Service()

            class In(BaseModel):
                text: str

            @app.post("/x")
            def x(body: In):
                service.run(body.text)
            """,
        }
    )
    assert ("audit.py", 4) in lines_of(found, "log-request")


def test_a_redaction_that_gives_back_what_it_gets_is_none() -> None:
    text = HEAD + (
        "def redact(value):\n    return value\n"
        '@app.post("/x")\ndef x():\n    logger.info("%s", redact(request.json))\n'
    )
    assert "log-request" in rules_of(assessed_files({"app.py": text}))


def test_a_redacting_filter_ends_the_flows_of_its_module() -> None:
    text = (
        HEAD
        + "logger.addFilter(RedactingFilter())\n"
        + '@app.post("/x")\ndef x():\n    logger.info("%s", request.json)\n'
    )
    assert "log-request" not in rules_of(assessed_files({"app.py": text}))


def test_middleware_that_logs_bodies_is_found() -> None:
    text = """
    import logging
    from starlette.requests import Request

    async def remember(request: Request, call_next):
        body = await request.body()
        logging.info("body %s", body)
        return await call_next(request)
    """
    assert "log-request" in rules_of(assessed_files({"middleware.py": text}))


def test_fetched_text_that_is_run_is_found() -> None:
    text = "import requests\ncode = requests.get('https://a.b/c.py').text\nexec(code)\n"
    assert rules_of(assessed_files({"run.py": text})) == {"source-code-injection"}


def test_a_lambda_that_logs_its_event_is_found() -> None:
    text = "def handler(event, context):\n    print(event)\n    return 1\n"
    assert rules_of(assessed_files({"function.py": text})) == {"log-request"}


def test_many_calls_of_one_another_end() -> None:
    text = "\n".join(
        f"def f{i}(request):\n    x = request.json\n" + "".join(f"    f{j}(x)\n" for j in range(40))
        for i in range(40)
    )
    assessed_files({"deep.py": text})
