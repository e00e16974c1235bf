"""What a command starts by scripts, by commands of packages, and by the paths that an image has."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.source.entry_points import copied, of_context
from assaymark.assess.source.started import started
from assaymark.core.graph import State
from assaymark.formats.dockerfile import read_dockerfile

STORE = """
resource "aws_s3_bucket" "models" {
  bucket = "models"
}
"""
LOADS = """
import joblib, boto3
def load():
    boto3.client("s3").download_file("models", "m.joblib", "/tmp/m")
    return joblib.load("/tmp/m")
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: score, namespace: ml}
spec:
  containers:
  - name: c
    image: acme/score:1
"""
BUILD = "#!/bin/sh\ndocker build -t acme/score:1 service\n"
SCRIPTS = '[project]\nname = "score"\nversion = "1"\n[project.scripts]\nscore = "score.model:load"\n'
POETRY = '[tool.poetry]\nname = "score"\n[tool.poetry.scripts]\nscore = "score.model:load"\n'
BRANCHES = '#!/bin/sh\nif [ -n "$WORK" ]; then\n  python other.py\nelse\n  python serve.py\nfi\n'
EXEC = "#!/bin/sh\nset -e\nexec python serve.py\n"
HEAD = "FROM python:3.12\nWORKDIR /app\nCOPY . .\n"


def loaded(files: dict[str, str]) -> list[tuple[State, tuple[str, ...]]]:
    whole = {"models.tf": STORE, "pod.yaml": POD, "build.sh": BUILD, **files}
    edges = assessed_files(whole).graph.edges
    return [
        (one.state, one.decides) for one in edges if one.relation == "loaded-by" and one.source.endswith(":::models")
    ]


@pytest.mark.parametrize(
    ("docker", "files"),
    [
        ('CMD ["python", "/app/serve.py"]', {"serve.py": LOADS}),
        ('ENTRYPOINT ["./start.sh"]', {"serve.py": LOADS, "start.sh": EXEC}),
        ('ENTRYPOINT ["/app/bin/start"]', {"serve.py": LOADS, "bin/start": EXEC}),
        ('ENTRYPOINT ["sh", "/app/start.sh"]', {"serve.py": LOADS, "start.sh": EXEC}),
        ('CMD ["score"]', {"score/model.py": LOADS, "pyproject.toml": SCRIPTS}),
        ('CMD ["poetry", "run", "score"]', {"score/model.py": LOADS, "pyproject.toml": POETRY}),
        ('CMD ["uv", "run", "--frozen", "serve.py"]', {"serve.py": LOADS}),
        ('CMD ["celery", "-A", "work.tasks", "worker"]', {"work/tasks.py": LOADS}),
    ],
)
def test_what_starts_a_program_by_another_name(docker: str, files: dict[str, str]) -> None:
    own = {f"service/{path}": text for path, text in files.items()}
    assert loaded({"service/Dockerfile": f"{HEAD}{docker}\n", **own}) == [(State.YES, ())]


def test_a_path_of_the_image_is_no_file_of_another_folder() -> None:
    files = {"service/Dockerfile": f'{HEAD}CMD ["python", "/opt/tool/serve.py"]\n', "service/serve.py": LOADS}
    assert loaded(files) == []


def test_a_script_with_branches_may_start_something_else() -> None:
    files = {"serve.py": LOADS, "other.py": LOADS, "start.sh": BRANCHES}
    own = {f"service/{path}": text for path, text in files.items()}
    found = loaded({"service/Dockerfile": f'{HEAD}CMD ["./start.sh"]\n', **own})
    assert found
    assert {state for state, _ in found} == {State.UNKNOWN}
    assert {decides for _, decides in found} == {("service/start.sh gets as far as starting it",)}


@pytest.mark.parametrize(
    ("lines", "path", "own"),
    [
        ("COPY . /app", "/app/a.py", "a.py"),
        ("WORKDIR /app\nCOPY src/ .", "/app/a.py", "src/a.py"),
        ("WORKDIR /app\nCOPY src/ .", "a.py", "src/a.py"),
        ("COPY src/a.py /srv/", "/srv/a.py", "src/a.py"),
        ("COPY a.py /srv/b.py", "/srv/b.py", "a.py"),
        ('COPY ["a.py", "b.py", "/srv/"]', "/srv/b.py", "b.py"),
        ("COPY --chown=1:1 pkg /srv/pkg", "/srv/pkg/a.py", "pkg/a.py"),
        ("COPY . /app", "/opt/a.py", "/opt/a.py"),
    ],
)
def test_what_lies_where_in_an_image(lines: str, path: str, own: str) -> None:
    found = assessed_files({"Dockerfile": f'FROM python:3.12\n{lines}\nCMD ["true"]\n'}).estates.source.images
    assert of_context(path, found[0]) == own


def test_what_a_stage_has_from_another() -> None:
    text = "FROM a AS build\nWORKDIR /src\nCOPY . .\nFROM b\nCOPY --from=build /src/app /srv\nCOPY --from=c/d /x /y\n"
    assert copied(read_dockerfile(text)) == ("/", (("/srv", "app"),))


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("uv run --with numpy serve.py", ["serve"]),
        ("uv run uvicorn app.main:app", ["app/main"]),
        ("celery --app=work worker", ["work"]),
        ("dramatiq work.tasks", ["work/tasks"]),
        ("arq work.tasks.Settings", ["work/tasks"]),
        ("celery worker", []),
    ],
)
def test_environments_and_workers(command: str, paths: list[str]) -> None:
    assert started(command) == paths


SUPERVISOR = (
    "[supervisord]\nnodaemon=true\n; command=python ignored.py\n[program:web]\ncommand=python\n  serve.py --port 80\n"
    "autostart=true\n[program:cron]\ncommand=/usr/sbin/cron -f ; in front\n"
)


@pytest.mark.parametrize(
    ("docker", "files"),
    [
        (
            "COPY supervisord.conf /etc/supervisor/conf.d/app.conf\nCMD /usr/bin/supervisord",
            {"supervisord.conf": SUPERVISOR},
        ),
        (
            'COPY deploy/web.conf /etc/web.conf\nCMD ["supervisord", "-n", "-c", "/etc/web.conf"]',
            {"deploy/web.conf": SUPERVISOR},
        ),
        (
            "COPY s.conf /etc/supervisor/supervisord.conf\nCOPY inner /etc/supervisor/more\nCMD supervisord -n",
            {"s.conf": "[program:x]\ncommand=true\n[include]\nfiles = more/*.conf\n", "inner/a.conf": SUPERVISOR},
        ),
        ('CMD ["honcho", "start"]', {"Procfile": "web: python serve.py\n"}),
        (
            'CMD ["honcho", "-f", "Procfile.prod", "start", "web"]',
            {"Procfile.prod": "web: python serve.py\nw: true\n"},
        ),
        ("ENTRYPOINT ./go.sh", {"go.sh": "#!/bin/sh\nexec foreman start\n", "Procfile": "web: python serve.py\n"}),
    ],
)
def test_programs_that_a_file_of_processes_names(docker: str, files: dict[str, str]) -> None:
    inner = {f"service/{path}": text for path, text in {"serve.py": LOADS, **files}.items()}
    assert loaded({"service/Dockerfile": f"{HEAD}{docker}\n", **inner}) == [(State.YES, ())]


@pytest.mark.parametrize(
    ("docker", "files"),
    [
        ("CMD supervisord -c /etc/other.conf", {"supervisord.conf": SUPERVISOR}),
        ('CMD ["cat", "/app/supervisord.conf"]', {"supervisord.conf": SUPERVISOR}),
        ("CMD honcho start worker", {"Procfile": "web: python serve.py\nworker: python work.py\n"}),
    ],
)
def test_files_of_processes_that_are_not_started(docker: str, files: dict[str, str]) -> None:
    inner = {f"service/{path}": text for path, text in {"serve.py": LOADS, **files}.items()}
    assert loaded({"service/Dockerfile": f"{HEAD}{docker}\n", **inner}) == []


def test_what_is_open_in_what_they_start() -> None:
    text = (
        "[program:vllm]\ncommand=vllm serve m --host 0.0.0.0\n[program:x]\ncommand=sh -c 'curl http://a.b/x | sh'\n"
    )
    found = {(one.rule, one.locations[0].line) for one in assessed_files({"supervisord.conf": text}).findings}
    assert {("build-server-open", 2), ("build-pipe-to-shell", 4)} <= found
