"""Web applications in the graph: what a command starts, which image is built from what, and what leads through it."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.source.builds import bare
from assaymark.assess.source.started import started
from assaymark.core.graph import Edge, State

OPEN = "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/score')\ndef score(x: dict):\n    return x\n"
RUNS = (
    "import pickle\nfrom flask import Flask, request\napp = Flask(__name__)\n"
    "@app.route('/load', methods=['POST'])\ndef load():\n    return str(pickle.loads(request.data))\n"
)
IMAGE = "FROM python:3.11\nCOPY . /srv\nCMD uvicorn app:app\n"
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: prod}}
spec:
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: {image}
        ports: [{{containerPort: 8000}}]
{more}
"""
WEB = "app:{}@k8s:prod/deployment/web"


def edges(files: dict[str, str], relation: str = "open-invoke") -> dict[tuple[str, str], Edge]:
    graph = assessed_files(files).graph
    return {(one.source, one.target): one for one in graph.edges if one.relation == relation}


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("uvicorn app.main:app --host 0.0.0.0 --port 80", ["app/main"]),
        ("uvicorn --factory api.server:create_app", ["api/server"]),
        ("exec gunicorn -w 4 -k uvicorn.workers.UvicornWorker -b 0.0.0.0:80 app.main:app", ["app/main"]),
        ("gunicorn -w 4 -b :8000 mysite.wsgi", ["mysite/wsgi"]),
        ("python -m uvicorn main:app", ["main"]),
        ("python3 -u /srv/server.py --port 1", ["srv/server"]),
        ("python -m scorer.serve", ["scorer/serve"]),
        ("flask --app web run", ["web"]),
        ("FLASK_APP=predict.py flask run --host=0.0.0.0", ["predict"]),
        ("flask run", ["app"]),
        ("fastapi run app/main.py", ["app/main"]),
        ("bentoml serve service:svc", ["service"]),
        ("serve run llm.deploy:app", ["llm/deploy"]),
        ("streamlit run ui.py", ["ui"]),
        ("sh -c 'alembic upgrade head && uvicorn main:app'", ["main"]),
        ("hypercorn src.main:app", ["src/main"]),
        ("daphne site.asgi:application", ["site/asgi"]),
        ("uwsgi --http :8000 --module app.wsgi:application", ["app/wsgi"]),
        ("waitress-serve --port=80 app:create", ["app"]),
        ("gunicorn app --log-level debug", ["app"]),
        ("gunicorn -c gunicorn.conf.py app", ["app"]),
        ("gunicorn --reload app", ["app"]),
        ("./start.sh", []),
        ("nginx -g 'daemon off;'", []),
        ("python", []),
        ("'", []),
    ],
)
def test_what_a_command_starts(command: str, paths: list[str]) -> None:
    assert started(command) == paths


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("a", "a"),
        ("Registry.example.com:5000/a/b:1.2", "registry.example.com:5000/a/b"),
        ("a/b@sha256:0", "a/b"),
        ("${{ env.REGISTRY }}/b:${{ github.sha }}", "*/b"),
        ("$ECR/b:$TAG", "*/b"),
        ("${A}${B}", "*"),
    ],
)
def test_an_image_is_named_without_its_tag(image: str, name: str) -> None:
    assert bare(image) == name


BUILDS = {
    "compose.yaml": "services:\n  web:\n    build: web\n    image: r.example.com/web\n",
    "other/compose.yml": "services:\n  web:\n    build: {context: ../web}\n    image: r.example.com/web:dev\n",
    ".github/workflows/a.yml": (
        "on: push\njobs:\n  a:\n    steps:\n    - run: |\n        docker buildx build --push \\\n"
        "          -t r.example.com/web:1 -f web/Dockerfile web\n"
    ),
    ".github/workflows/b.yml": (
        "on: push\njobs:\n  a:\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n        context: web\n"
        "        tags: |\n          r.example.com/web:latest\n          r.example.com/web:1\n"
    ),
    ".github/workflows/c.yml": (
        "on: push\njobs:\n  a:\n    steps:\n    - run: docker build -t r.example.com/web .\n      working-directory: web\n"
    ),
    ".gitlab-ci.yml": "build:\n  script:\n  - docker build --build-arg A=b -t r.example.com/web:$CI_COMMIT_SHA web\n",
    "web/Makefile": "image:\n\tdocker build -t r.example.com/web:1 .\n",
    "cd.sh": "cd web && docker build -t r.example.com/web .; docker push r.example.com/web\n",
    "lines.sh": "set -e\ncd web\ndocker build -t r.example.com/web .\n",
    "brackets.sh": "(cd web; docker build -t r.example.com/web .)\n",
    "web/own.sh": 'cd "$(dirname "$0")"\ndocker build -t r.example.com/web .\n',
    "scripts/own.sh": 'cd "$(dirname "$0")/.."\ndocker build -t r.example.com/web web\n',
    "Makefile": "image:\n\tdocker build -t r.example.com/web:$(TAG) ./web\n",
    "skaffold.yaml": "apiVersion: skaffold/v4beta6\nkind: Config\nbuild:\n  artifacts:\n  - image: r.example.com/web\n    context: web\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_who_builds_an_image_tells_what_runs(name: str) -> None:
    files = {
        "web/app.py": OPEN,
        "web/Dockerfile": IMAGE,
        "other/app.py": OPEN,
        "k.yaml": PODS.format(image="r.example.com/web:3", more=""),
        name: BUILDS[name],
    }
    found = edges(files)
    edge = found["k8s:prod/deployment/web#port", WEB.format("web/app.py")]
    assert (edge.state, edge.how) == (State.YES, "POST /score asks for no authentication")
    assert {(place.path, place.line) for place in edge.because} == {("k.yaml", 10), ("web/app.py", 4)}
    assert ("internet", "app:other/app.py") in found
    assert len(found) == 2


@pytest.mark.parametrize(
    ("image", "files", "decides"),
    [
        (
            "$R/web",
            {"Makefile": "a:\n\tdocker build -t $(R)/team/web:1 web\n"},
            "x.example.com/team/web is what Makefile builds",
        ),
        ("web", {}, "x.example.com/team/web is built from web/Dockerfile"),
        ("Dockerfile.web", {}, "x.example.com/team/web is built from Dockerfile.web"),
        ("web.Dockerfile", {}, "x.example.com/team/web is built from docker/web.Dockerfile"),
        ("one", {}, "x.example.com/team/web is built from one/Dockerfile"),
    ],
)
def test_what_only_looks_like_the_image_leaves_it_open(image: str, files: dict[str, str], decides: str) -> None:
    place = {"Dockerfile.web": "Dockerfile.web", "web.Dockerfile": "docker/web.Dockerfile", "one": "one/Dockerfile"}
    pods = PODS.format(image="x.example.com/team/web", more="")
    path = place.get(image, "web/Dockerfile")
    folder = path.rpartition("/")[0]
    found = edges({f"{folder}/app.py".lstrip("/"): OPEN, path: IMAGE, "k.yaml": pods, **files})
    [edge] = found.values()
    assert (edge.source, edge.state, edge.decides) == ("k8s:prod/deployment/web#port", State.UNKNOWN, (decides,))


def test_images_of_others_and_images_without_ports_are_not_taken_for_it() -> None:
    files = {"src/app.py": OPEN, "src/Dockerfile": IMAGE}
    alone = {("internet", "app:src/app.py")}
    assert set(edges({**files, "k.yaml": PODS.format(image="docker.io/library/redis:7", more="")})) == alone
    silent = PODS.format(image="x/train", more="").replace("        ports: [{containerPort: 8000}]\n", "")
    assert set(edges({**files, "k.yaml": silent})) == alone
    two = PODS.format(image="x/a", more="      - {name: b, image: x/b, ports: [{containerPort: 1}]}")
    assert set(edges({**files, "k.yaml": two})) == alone


def test_a_container_s_own_command_goes_before_the_image_s() -> None:
    files = {
        "web/app.py": OPEN,
        "web/admin.py": OPEN,
        "web/Dockerfile": IMAGE,
        "k.yaml": PODS.format(image="r/web", more="        command: [uvicorn, 'admin:app']"),
        "compose.yaml": "services:\n  web:\n    build: web\n    image: r/web\n",
    }
    assert set(edges(files)) == {
        ("k8s:prod/deployment/web#port", WEB.format("web/admin.py")),
        ("internet", "app:web/app.py"),
    }
    del files["web/Dockerfile"]
    edge = edges(files)["k8s:prod/deployment/web#port", WEB.format("web/admin.py")]
    assert edge.decides == ("what r/web starts is web/admin.py",)


def test_routers_belong_to_the_application_that_imports_them() -> None:
    router = OPEN.replace("FastAPI()", "APIRouter()").replace("import FastAPI", "import APIRouter")
    main = "from fastapi import FastAPI\nfrom api import scores\napp = FastAPI()\napp.include_router(scores.app)\n"
    files = {"web/main.py": main, "web/api/__init__.py": "", "web/api/scores.py": router}
    assert set(edges(files)) == {("internet", "app:web/main.py")}
    start = {"web/serve.py": "import uvicorn\nimport main\nuvicorn.run(main.app)\n"}
    built = {"web/Dockerfile": "FROM a\nCMD python serve.py\n", "k.yaml": PODS.format(image="x/web", more="")}
    assert set(edges({**files, **start, **built})) == {("k8s:prod/deployment/web#port", WEB.format("web/main.py"))}


def test_what_asks_who_calls_and_what_is_for_everyone_is_not_open() -> None:
    guarded = (
        "from fastapi import FastAPI, Depends\nfrom fastapi.security import HTTPBearer\nfrom fastapi import HTTPException\n"
        "import os, hmac\ndef known(t=Depends(HTTPBearer())):\n    if not hmac.compare_digest(t.credentials, os.environ['T']):\n"
        "        raise HTTPException(401)\napp = FastAPI(dependencies=[Depends(known)])\n"
        "@app.post('/score')\ndef score(x: dict):\n    return x\n"
    )  # fmt: skip
    health = OPEN.replace("post('/score')", "get('/healthz')").replace("x: dict", "")
    assert edges({"a/app.py": guarded, "b/app.py": health, "tests/test_app.py": OPEN}) == {}


def test_what_is_sent_and_run_leads_to_the_workload_and_to_keys_beside_it() -> None:
    key = "AWS_ACCESS_KEY_ID=AKIAQYLPMN5HFIQR7XYA\n"
    files = {"web/app.py": RUNS, "web/.env": key, "lib/.env": key}
    found = assessed_files(files).graph
    drawn = {(one.source, one.relation, one.target): one for one in found.edges}
    edge = drawn["app:web/app.py", "runs-input", "process:web/app.py"]
    assert (edge.state, edge.how) == (State.YES, "load hands what is sent to pickle.loads")
    kept = drawn["process:web/app.py", "mounts", "file:web/.env"]
    assert (kept.state, kept.decides) == (State.UNKNOWN, ("web/.env is among what is deployed",))
    assert ("process:web/app.py", "mounts", "file:lib/.env") not in drawn
    deployed = {
        "web/Dockerfile": IMAGE,
        "k.yaml": PODS.format(image="r/web:1", more=""),
        "compose.yaml": "services:\n  web:\n    build: web\n    image: r/web\n",
    }
    drawn = {(one.source, one.relation, one.target): one for one in assessed_files({**files, **deployed}).graph.edges}
    assert drawn[WEB.format("web/app.py"), "runs-input", "k8s:prod/deployment/web"].state is State.YES
    assert ("k8s:prod/deployment/web", "mounts", "file:web/.env") in drawn
    assert not any(one.startswith("process:") for edge in drawn for one in (edge[0], edge[2]))


def test_a_policy_of_the_mesh_may_ask_for_it() -> None:
    policy = (
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {istio-injection: enabled}}\n---\n"
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: only-us, namespace: prod}\nspec: SPEC\n"
    )
    files = {
        "web/app.py": OPEN,
        "web/Dockerfile": IMAGE,
        "k.yaml": PODS.format(image="r/web:1", more="") + policy.replace("SPEC", "{}"),
        "compose.yaml": "services:\n  web:\n    build: web\n    image: r/web\n",
    }
    assert not edges(files)  # a policy without rules lets nobody in
    files["k.yaml"] = files["k.yaml"].replace("spec: {}\n", "spec: {action: CUSTOM, rules: [{}]}\n")
    [edge] = edges(files).values()
    assert edge.decides == ("AuthorizationPolicy only-us lets whoever comes pass",)


def test_a_function_of_the_cloud_passes_calls_on() -> None:
    terraform = """
        resource "aws_lambda_function" "score" {
          function_name = "score"
          package_type  = "Image"
          image_uri     = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"
          role          = aws_iam_role.score.arn
        }
        resource "aws_iam_role" "score" {
          name = "score"
          assume_role_policy = jsonencode({ Statement = [{
            Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" }
          }] })
        }
        resource "aws_lambda_function_url" "score" {
          function_name      = aws_lambda_function.score.function_name
          authorization_type = "NONE"
        }
        """
    found = assessed_files({"web/app.py": RUNS, "web/Dockerfile": IMAGE, "main.tf": terraform})
    drawn = {(one.relation, one.target): one for one in found.graph.edges if one.source.endswith(":function:score")}
    [app] = [target for relation, target in drawn if relation == "passes-calls"]
    assert app.startswith("app:web/app.py@arn:aws:lambda:")
    ends = {path.target.id for path in found.ranked.paths if path.source.id == "internet"}
    assert app in ends


def test_what_ray_serves_is_named_by_its_service() -> None:
    served = "from ray import serve\n@serve.deployment\nclass Model:\n    async def __call__(self, r):\n        return await r.json()\napp = Model.bind()\n"
    ray = """
        apiVersion: ray.io/v1
        kind: RayService
        metadata: {name: llm, namespace: prod}
        spec:
          serveConfigV2: |
            applications:
            - name: llm
              import_path: llm_serve:app
          rayClusterConfig:
            headGroupSpec:
              template:
                spec:
                  containers: [{name: head, image: my/ray:1}]
        """
    found = edges({"a/llm_serve.py": served, "b/llm_serve.py": served, "a/ray.yaml": ray})
    assert {target for _, target in found} == {"app:a/llm_serve.py@k8s:prod/rayservice/llm", "app:b/llm_serve.py"}
