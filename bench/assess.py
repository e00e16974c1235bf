"""Assessing: the graph's figures, an estate with known answers beside other tools, and growth with a repository.

``IAM_VULNERABLE=FOLDER`` names a checkout of BishopFox/iam-vulnerable (MIT), which is not part of this repository;
other tools (cloudsplaining, parliament, checkov) are asked when ``.venv-assess`` has them, about the same account:
Terraform for checkov, the account's authorization details, written here from what was read, for the other two.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.graph import Graph, States
from assaymark.assess.paths.closure import Closure
from assaymark.assess.paths.ranked import ranked_paths
from assaymark.core.graph import Because, Edge, Node, State
from assaymark.service.assess import uncollected
from bench.assess_peers import ask_peers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NODES, EDGES, ENDS, WORST = 10_000, 200_000, 200, 20
SIZES = (250, 500, 1000, 2000)
DOUBTFUL = 0.1
HERE = (Because("a.tf", 1, "0" * 64),)
LIMITS = {"closure": 0.75, "paths": 1.0, "repository": 60.0, "iam-vulnerable": 2.4}  # CPU seconds
MEMORY = 234  # MiB, of the process that closes the graph


def graph(seed: int = 1) -> Graph:
    """10,000 nodes in layers, 200,000 edges onwards: roles, stores, two hundred entries and targets."""
    chance = random.Random(seed)  # noqa: S311 - a graph, no secret
    nodes = {}
    for number in range(NODES):
        props: dict[str, Any] = {}
        if number < ENDS:
            props["entry"] = "internet" if number < WORST else "principal"
        if number >= NODES - ENDS:
            props["target"] = "administrator" if number >= NODES - WORST else "data"
        name = f"n{number:05}"
        nodes[name] = Node(
            name, "role", name, HERE, {"environment": "production" if number > NODES // 2 else "test"}, props
        )
    edges: dict[tuple[str, str], Edge] = {}
    while len(edges) < EDGES:
        source = chance.randrange(NODES)
        target = source + chance.randrange(1, 600)  # onwards only: a circle would make its members one, and be easy
        if target < NODES:
            unknown = chance.random() < DOUBTFUL
            state, decides = (State.UNKNOWN, ("a condition",)) if unknown else (State.YES, ())
            one = Edge(f"n{source:05}", f"n{target:05}", "assumes", "how", HERE, state, decides, chance.randrange(3))
            edges[one.source, one.target] = one
    return Graph(nodes, tuple(edges[key] for key in sorted(edges)))


def measure_graph() -> bool:
    """Closure and paths of the large graph."""
    with uncollected():  # as the command does it
        return _measure_graph()


def _measure_graph() -> bool:
    states = States(graph())
    arcs = [[target for target, _ in some] for some in states.arcs]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = process_time()
    closure = Closure(arcs)
    closed = process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pairs = sum(closure.reach(vertex).bit_count() for vertex in range(0, len(arcs), 100))
    begin = process_time()
    ranked = ranked_paths(states, 100)
    took = process_time() - begin
    size = f"{NODES:,} nodes and {EDGES:,} edges, {pairs * 100:,} pairs about"
    print(f"| closure of {size} | {closed:.2f} | {LIMITS['closure']} |")
    print(f"| its memory, MiB ({before >> 10} before) | {memory >> 10} | {MEMORY} |")
    print(f"| top {len(ranked.paths)} of {ranked.pairs:,} paths | {took:.2f} | {LIMITS['paths']} |")
    return closed <= LIMITS["closure"] and took <= LIMITS["paths"] and memory >> 10 <= MEMORY


def repository(size: int) -> list[Any]:
    """A repository of that many files: manifests, Terraform, exports' policies, Python, requirements."""
    files = []
    for number in range(size):
        team, kind = number % 40, number % 4
        if kind == 0:
            text = MANIFEST.format(number=number, team=team)
            files.append(source_file(f"deploy/team-{team}/{number}.yaml", text.encode()))
        elif kind == 1:
            files.append(
                source_file(f"infra/team-{team}/{number}.tf", TERRAFORM.format(number=number, team=team).encode())
            )
        elif kind == 2:  # noqa: PLR2004 - of four kinds
            files.append(source_file(f"src/team_{team}/module_{number}.py", PYTHON.format(number=number).encode()))
        else:
            files.append(
                source_file(f"src/team_{team}/lib_{number}/requirements.txt", b"numpy==2.3.1\nflask==3.1.0\n")
            )
    return files


MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: team-{team}, labels: {{app: app-{number}}}}}
spec:
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}}}}}
    spec:
      serviceAccountName: app-{number}
      containers:
      - name: main
        image: registry.example/app-{number}:1.0
        env:
        - {{name: BUCKET, value: "s3://team-{team}-data"}}
        - name: PASSWORD
          valueFrom: {{secretKeyRef: {{name: secret-{team}, key: password}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: app-{number}, namespace: team-{team}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: allow-{number}, namespace: team-{team}}}
spec:
  podSelector: {{matchLabels: {{app: app-{number}}}}}
  ingress: [{{from: [{{podSelector: {{}}}}]}}]
"""
TERRAFORM = """resource "aws_iam_role" "app_{number}" {{
  name = "app-{number}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole",
      Principal = {{ Service = "lambda.amazonaws.com" }} }}]
  }})
  inline_policy {{
    name   = "access"
    policy = data.aws_iam_policy_document.app_{number}.json
  }}
}}
data "aws_iam_policy_document" "app_{number}" {{
  statement {{
    actions   = ["s3:GetObject", "s3:ListBucket", "sqs:*"]
    resources = [aws_s3_bucket.data_{number}.arn, "${{aws_s3_bucket.data_{number}.arn}}/*"]
  }}
}}
resource "aws_s3_bucket" "data_{number}" {{
  bucket = "team-{team}-data-{number}"
}}
"""
PYTHON = '''"""A module."""

import json
import logging

import torch
from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger(__name__)


@app.route("/predict-{number}", methods=["POST"])
def predict():
    body = request.get_json()
    model = torch.load("model.pt", weights_only=True)
    return json.dumps(model(body["x"]).tolist())


class Helper:
    def __init__(self, path):
        self.path = path

    def read(self):
        with open(self.path) as file:
            return [line.strip().split(",") for line in file if line]
'''


def measure_growth() -> bool:
    """Repositories of growing size, and how the time grows with them."""
    print("\n| files | nodes | edges | CPU seconds | a file, ms | |\n|---:|---:|---:|---:|---:|---|")
    kept = True
    for size in SIZES:
        files = repository(size)
        begin = process_time()
        with uncollected():
            found = assess(files, NOW)
            _ = found.ranked, found.reach
        took = process_time() - begin
        bar = "#" * round(10 * took / size * 1000)
        nodes, edges = len(found.graph.nodes), len(found.graph.edges)
        print(f"| {size} | {nodes} | {edges} | {took:.2f} | {took / size * 1000:.1f} | {bar[:60]} |", flush=True)
        kept = kept and (size < SIZES[-1] or took <= LIMITS["repository"])
    return kept


def measure_known(folder: Path) -> bool:
    """iam-vulnerable: its traps and escalations, beside other tools."""
    command = [sys.executable, "-m", "assaymark", "assess", str(folder), "--format", "json", "--fail-on", "none"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer = json.loads(done.stdout)
    reached = {path["from"].rpartition("/")[2] for path in answer["paths"] if path["to"].endswith(":administrator")}
    wrong, missing = _right(folder, reached)
    traps, escalations = (len(some) for some in _cases(folder))
    print("\n| iam-vulnerable | traps right | escalations reported | CPU seconds |\n|---|---:|---:|---:|")
    print(
        f"| assaymark | {traps - len(wrong)}/{traps} | {escalations - len(missing)}/{escalations}, each with its path"
        f" | {took:.2f} |"
    )
    for name in wrong + missing:
        print(f"wrong: {name}")
    for peer, names, cost in ask_peers(folder, json.dumps(_details(folder))):
        if names is None:
            print(f"| {peer} | not installed in .venv-assess | | |")
            continue
        mistaken, unseen = _right(folder, names)
        right = f"{traps - len(mistaken)}/{traps} ({', '.join(mistaken)} wrong)" if mistaken else f"{traps}/{traps}"
        print(f"| {peer} | {right} | {escalations - len(unseen)}/{escalations}, no path | {cost:.2f} |", flush=True)
    return not wrong and not missing and took <= LIMITS["iam-vulnerable"]


def _cases(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of the traps, and those of the escalations."""
    place = folder / "modules/free-resources"
    return sorted((place / "tool-testing").glob("f*.tf")), sorted((place / "privesc-paths").glob("privesc*.tf"))


def _right(folder: Path, names: set[str]) -> tuple[list[str], list[str]]:
    """The traps that reported names get wrong, and the escalations that they lack."""
    traps, escalations = _cases(folder)
    wrong = []
    for file in traps:
        number = file.name[:3]
        hit = any(name.lower().startswith(number) for name in names)
        if hit is not number.startswith("fn"):
            wrong.append(number)
    return wrong, [file.stem for file in escalations if not any(_same(file.stem, name) for name in names)]


def _same(file: str, name: str) -> bool:
    mark = file.split("-", maxsplit=1)[0] if file[7:8].isdigit() else file
    return name.lower().startswith(mark.lower() + ("-" if mark != file else "")) or (
        "".join(c for c in mark.lower() if c.isalnum()) in "".join(c for c in name.lower() if c.isalnum())
    )


def _details(folder: Path) -> dict[str, Any]:
    """The account as ``get-account-authorization-details`` would write it."""
    files = [source_file(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*.tf"))]
    estate = assess(files, NOW).estates.aws
    lists: dict[str, list[Any]] = {"UserDetailList": [], "RoleDetailList": [], "GroupDetailList": [], "Policies": []}
    for identity in estate.identities.values():
        kind = identity.kind.capitalize()
        item: dict[str, Any] = {
            "Arn": identity.arn,
            f"{kind}Name": identity.name,
            f"{kind}Id": identity.name,
            "Path": "/",
            "CreateDate": "2026-01-01T00:00:00Z",
            "AttachedManagedPolicies": [],
            f"{kind}PolicyList": [
                {"PolicyName": f"p{index}", "PolicyDocument": _document(policy)}
                for index, policy in enumerate(identity.policies)
            ],
        }
        if identity.kind == "role":
            item |= {"AssumeRolePolicyDocument": _document(identity.trust), "InstanceProfileList": []}
        if identity.kind == "user":
            item["GroupList"] = [arn.rpartition("/")[2] for arn in identity.groups]
        lists[f"{kind}DetailList"].append(item)
    return lists


def _document(policy: Any) -> dict[str, Any]:
    statements = []
    for one in policy.statements if policy else ():
        item: dict[str, Any] = {"Effect": one.effect}
        for key, value in (
            ("Action", one.actions),
            ("NotAction", one.not_actions),
            ("Resource", one.resources),
            ("NotResource", one.not_resources),
        ):
            if value:
                item[key] = list(value)
        if one.principals:
            item["Principal"] = {key: list(value) for key, value in one.principals.items()}
        if one.condition:
            item["Condition"] = {
                key: {name: list(v) for name, v in value.items()} for key, value in one.condition.items()
            }
        statements.append(item)
    return {"Version": "2012-10-17", "Statement": statements}


def main() -> int:
    """1 when a figure is above its limit."""
    print("| what | CPU seconds | limit |\n|---|---:|---:|")
    kept = measure_graph()
    kept = measure_growth() and kept
    folder = os.environ.get("IAM_VULNERABLE")
    if folder:
        kept = measure_known(Path(folder)) and kept
    else:
        print("\niam-vulnerable: left out, IAM_VULNERABLE names no checkout")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
