"""Images, compose files, dependencies, pipelines and logging: what is found on which line, and what is not."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files, lines_of, rules_of

from assaymark.assess.source.link import overlaps
from assaymark.core.graph import State

DIGEST = "sha256:" + "0" * 63 + "1"
COMMIT = "6b1e2a7c0d9f4e8ab35c7d1f2e3a4b5c6d7e8f90"


def dockerfile(text: str) -> set[str]:
    return rules_of(assessed_files({"Dockerfile": f"FROM a@{DIGEST}\n{text}\nUSER 1000\n"}))


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("RUN curl https://a.b/c | bash", {"build-pipe-to-shell"}),
        ("RUN wget -qO- https://a.b/c | sudo -E bash -s --", {"build-pipe-to-shell"}),
        ('RUN bash -c "$(curl -fsSL https://a.b/c)"', {"build-pipe-to-shell"}),
        ("RUN curl https://a.b/c.json | jq .", set()),
        ('RUN curl -fsSLo c.sh https://a.b/c.sh && echo "$D c.sh" | sha256sum -c', set()),
        ("RUN curl -fsSLO https://a.b/c.tar.gz", {"build-remote-file"}),
        ("RUN curl -k https://a.b/c", {"source-tls-unverified"}),
        ("ADD https://a.b/model.onnx /m", {"build-remote-file"}),
        (f"ADD --checksum={DIGEST} https://a.b/model.onnx /m", set()),
        ("ENV DB_PASSWORD=9rTk2vQx", {"build-secret-in-image"}),
        ("ENV DB_PASSWORD 9rTk2vQx", {"build-secret-in-image"}),
        ("ENV DB_PASSWORD_FILE=/run/secrets/db TOKEN_LIMIT=4096", set()),
        ("ENV HF_TOKEN=${HF_TOKEN}", set()),
        ("ARG HF_TOKEN", {"build-secret-in-image"}),
        ("COPY .env .", {"build-secret-in-image"}),
        ("COPY .env.example requirements.txt /app/", set()),
        ("RUN pip install numpy", {"deps-unpinned"}),
        ('RUN echo "to format: pip install black and use it"', set()),
        ("RUN echo 'wait' && pip install numpy", {"deps-unpinned"}),
        ("RUN pip install --no-cache-dir numpy==2.3.0 'torch==2.9.0'", set()),
        ("RUN pip install -r requirements.txt && pip install -U pip setuptools", set()),
        ("RUN pip install --no-cache-dir -e . && pip install ./wheels/x.whl", set()),
        ("RUN pip install --extra-index-url https://a.internal/simple x==1", {"deps-extra-index"}),
        ("RUN pip install --trusted-host a.internal x==1", {"deps-insecure-index"}),
        ("RUN pip install git+https://github.com/a/b", {"deps-moving-source"}),
        (f"RUN pip install git+https://github.com/a/b@{COMMIT}", set()),
        ("RUN huggingface-cli download a/b", {"load-unpinned-model"}),
        ("CMD mlflow server --host 0.0.0.0", {"build-server-open", "build-server-plaintext"}),
        ('CMD ["gunicorn", "-b", "0.0.0.0:8000", "app:app"]', {"web-plaintext"}),
        ('CMD ["gunicorn", "-b", "127.0.0.1:8000", "app:app"]', set()),
    ],
)  # fmt: skip
def test_instructions(text: str, rules: set[str]) -> None:
    assert dockerfile(text) == rules


def test_the_line_is_that_of_the_part_of_a_long_instruction() -> None:
    text = f"FROM a@{DIGEST}\nRUN apt-get update && \\\n    # a comment\n    pip install numpy && \\\n    rm -rf /tmp\nUSER 1\n"
    assert lines_of(assessed_files({"Dockerfile": text}), "deps-unpinned") == [("Dockerfile", 4)]


def test_bases_arguments_and_stages() -> None:
    text = f"""
    ARG VERSION=latest
    FROM a:$VERSION AS build
    FROM build AS next
    FROM b:1@{DIGEST}
    COPY --from=build /x /x
    USER 1
    """
    assert lines_of(assessed_files({"Dockerfile": text}), "build-image-unpinned") == [("Dockerfile", 2)]


def test_a_dockerfile_that_cannot_be_read_is_said() -> None:
    assert [one.path for one in assessed_files({"Dockerfile": "{% include 'x' %}\n"}).reading.skipped] == [
        "Dockerfile"
    ]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("numpy\n", {"deps-unpinned", "deps-unhashed"}),
        ("numpy==2.3.0\n", {"deps-unhashed"}),
        (f"numpy==2.3.0 --hash={DIGEST}\n", set()),
        (f"numpy==2.3.0 \\\n  --hash={DIGEST} \\\n  --hash={DIGEST}\n", set()),
        ("--extra-index-url https://a.internal/simple\n", {"deps-extra-index"}),
        (f"--extra-index-url https://a.internal/simple\nx==1 --hash={DIGEST}\n", set()),
        ("--index-url http://a.internal/simple\n", {"deps-insecure-index"}),
        ("x @ https://a.b/x.whl\n", {"deps-moving-source"}),
        (f"x @ https://a.b/x.whl#sha256={'0' * 64}\n", set()),
        ("-e git+ssh://git@github.com/a/b.git@main#egg=b\n", {"deps-moving-source"}),
        ("-e .\n-r other.txt\n# numpy\n", set()),
    ],
)
def test_requirements(text: str, rules: set[str]) -> None:
    assert rules_of(assessed_files({"requirements.txt": text})) == rules


def test_requirements_for_development_are_low() -> None:
    found = assessed_files({"requirements-dev.txt": "pytest\n", "docs/requirements.txt": "sphinx\n"}).findings
    assert {one.severity.name for one in found} == {"LOW"}


def test_a_project_is_loose_only_without_a_lock() -> None:
    project = '[project]\nname = "a"\nversion = "1"\ndependencies = ["numpy>=2"]\n'
    lock = f'version = 1\n[[package]]\nname = "numpy"\nversion = "2.3.0"\nsdist = {{ url = "https://a/b", hash = "{DIGEST}" }}\n'
    assert rules_of(assessed_files({"pyproject.toml": project})) == {"deps-unpinned"}
    assert rules_of(assessed_files({"pyproject.toml": project, "uv.lock": lock})) == set()
    assert rules_of(assessed_files({"uv.lock": lock.replace(DIGEST, "").replace("hash", "size")})) == {
        "deps-unhashed"
    }


def test_conda_pipfile_pip_conf_and_poetry() -> None:
    conda = "name: a\ndependencies:\n  - numpy=2.3.0\n  - pandas\n  - pip:\n    - torch==2.9.0\n"
    assert lines_of(assessed_files({"environment.yml": conda}), "deps-unpinned") == [("environment.yml", 4)]
    pipfile = '[[source]]\nurl = "https://a/simple"\nverify_ssl = false\nname = "a"\n[packages]\nflask = "*"\n'
    assert rules_of(assessed_files({"Pipfile": pipfile})) == {"deps-insecure-index", "deps-unpinned"}
    conf = "[global]\nextra-index-url =\n    https://a.internal/simple\n"
    assert lines_of(assessed_files({"pip.conf": conf}), "deps-extra-index") == [("pip.conf", 3)]
    poetry = (
        '[tool.poetry.dependencies]\npython = "^3.11"\na = { git = "https://github.com/a/b.git", branch = "main" }\n'
    )
    assert rules_of(assessed_files({"pyproject.toml": poetry})) == {"deps-moving-source"}


@pytest.mark.parametrize(
    ("service", "rules"),
    [
        ("image: a:1\n    privileged: true", {"build-image-unpinned", "build-host-access"}),
        (f"image: a@{DIGEST}\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']", {"build-host-access"}),
        (f"image: a@{DIGEST}\n    network_mode: host", {"build-host-access"}),
        (f"image: a@{DIGEST}\n    environment:\n      - API_KEY=9rTk2vQx7Lm", {"secret-password"}),
        (f"image: a@{DIGEST}\n    environment:\n      API_KEY: ${{API_KEY}}\n    volumes: ['m:/m']", set()),
        (f"image: vllm/vllm-openai@{DIGEST}\n    ports: ['8000:8000']", {"build-server-open", "build-server-plaintext"}),
        (f"image: vllm/vllm-openai@{DIGEST}\n    command: --api-key $KEY --ssl-certfile a\n    ports: ['8000:8000']", set()),
        (f"image: jupyter/base@{DIGEST}\n    command: jupyter lab --ServerApp.token=''\n    ports: ['127.0.0.1:8888:8888']", {"build-server-open"}),
    ],
)  # fmt: skip
def test_compose(service: str, rules: set[str]) -> None:
    assert rules_of(assessed_files({"compose.yaml": f"services:\n  a:\n    {service}\n"})) == rules


@pytest.mark.parametrize(
    ("output", "rules"),
    [
        ("Name es\n    Host a.b", {"log-plaintext-shipping", "log-no-redaction"}),
        ("Name es\n    Host a.b\n    tls On", {"log-no-redaction"}),
        ("Name http\n    Host a.b\n    tls On\n    tls.verify Off", {"log-plaintext-shipping", "log-no-redaction"}),
        ("Name forward\n    Host 127.0.0.1", set()),
        ("Name stdout", set()),
    ],
)
def test_fluent_bit_in_a_file_and_in_a_config_map(output: str, rules: set[str]) -> None:
    text = f"[INPUT]\n    Name tail\n[OUTPUT]\n    {output}\n"
    assert rules_of(assessed_files({"fluent-bit.conf": text})) == rules
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  fluent-bit.conf: |\n{indented}\n"
    found = assessed_files({"map.yaml": manifest})
    assert rules_of(found) == rules
    for rule in rules:
        assert lines_of(found, rule) == [("map.yaml", 9)]


# pipelines

HEADER = "name: a\non:\n  %s:\npermissions:\n  id-token: write\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
STEP = f"      - uses: actions/checkout@{COMMIT}\n"


def test_a_stranger_s_commit_is_taken_in_on_a_privileged_event_only() -> None:
    taken = STEP + "        with:\n          ref: ${{ github.event.pull_request.head.ref }}\n"
    for event, bad in (("pull_request_target", True), ("pull_request", False), ("workflow_run", True)):
        found = rules_of(assessed_files({".github/workflows/a.yml": HEADER % event + taken}))
        assert ("ci-untrusted-checkout" in found) is bad


@pytest.mark.parametrize(
    ("step", "rules"),
    [
        ("- uses: a/b@v1", {"ci-action-unpinned"}),
        (f"- uses: a/b@{COMMIT}", set()),
        ("- uses: ./own", set()),
        ("- run: echo ${{ github.event.pull_request.title }}", {"ci-script-injection"}),
        ("- run: echo ${{ github.sha }}", set()),
        ("- run: echo ${{ secrets.X_TOKEN }}", {"ci-secret-printed"}),
        ("- run: echo ${{ secrets.X_TOKEN }} | docker login --password-stdin", set()),
        ("- run: curl https://a.b/c.sh | sh", {"build-pipe-to-shell"}),
        ("- run: pip install torch", {"deps-unpinned"}),
        (
            f"- uses: a/b@{COMMIT}\n        with:\n          aws-access-key-id: ${{{{ secrets.K }}}}",
            {"ci-static-cloud-key"},
        ),
    ],
)
def test_steps(step: str, rules: set[str]) -> None:
    text = HEADER % "push" + f"      {step}\n"
    assert rules_of(assessed_files({".github/workflows/a.yml": text})) == rules


def test_lines_of_a_script_are_those_of_the_file() -> None:
    text = HEADER % "push" + "      - run: |\n          echo a\n          curl https://a.b/c \\\n            | sh\n"
    assert lines_of(assessed_files({".github/workflows/a.yml": text}), "build-pipe-to-shell") == [
        (".github/workflows/a.yml", 12)
    ]


def trusting(subject: str) -> str:
    role = {
        "RoleName": "publish", "Arn": "arn:aws:iam::111122223333:role/publish", "RoleId": "AROA1", "Path": "/",
        "RolePolicyList": [], "AttachedManagedPolicies": [], "InstanceProfileList": [],
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
                "Condition": {
                    "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                    "StringLike": {"token.actions.githubusercontent.com:sub": subject},
                },
            }],
        },
    }  # fmt: skip
    return json.dumps({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []})


@pytest.mark.parametrize(
    ("subject", "event", "files", "state"),
    [
        ("repo:acme/models:ref:refs/heads/main", "push", {}, State.UNKNOWN),
        ("repo:acme/models:*", "push", {"pyproject.toml": '[project.urls]\nSource = "https://github.com/acme/models"\n'}, State.YES),
        ("repo:acme/other:*", "push", {"pyproject.toml": '[project.urls]\nSource = "https://github.com/acme/models"\n'}, None),
        ("repo:acme/models:environment:prod", "push", {}, None),
        ("repo:acme/models:pull_request", "pull_request", {}, State.UNKNOWN),
        ("repo:acme/models:pull_request", "push", {}, None),
        ("*", "push", {}, State.YES),
    ],
)  # fmt: skip
def test_a_job_s_token_is_joined_to_the_subjects_that_roles_trust(
    subject: str, event: str, files: dict[str, str], state: State | None
) -> None:
    workflow = HEADER % event + STEP
    found = assessed_files({"details.json": trusting(subject), ".github/workflows/a.yml": workflow, **files})
    edges = [edge for edge in found.graph.edges if edge.source.startswith("ci:github:")]
    assert [edge.state for edge in edges] == ([] if state is None else [state])


def test_a_job_that_names_the_role_shows_whose_repository_it_is() -> None:
    step = f"      - uses: aws-actions/configure-aws-credentials@{COMMIT}\n        with:\n          role-to-assume: arn:aws:iam::111122223333:role/publish\n"
    found = assessed_files(
        {"details.json": trusting("repo:acme/models:*"), ".github/workflows/a.yml": HEADER % "push" + step}
    )
    assert [edge.state for edge in found.graph.edges if edge.source.startswith("ci:")] == [State.YES]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a*c", "ab*", True),
        ("a*c", "b*", False),
        ("repo:a/b:*", "repo:a/b:ref:refs/heads/*", True),
        ("repo:a/b:environment:*", "repo:a/b:ref:*", False),
        ("*a*b*", "*b*a*", True),
        ("a?", "*b", True),
        ("", "*", True),
        ("a", "", False),
    ],
)
def test_two_patterns_overlap(one: str, other: str, both: bool) -> None:
    assert overlaps(one, other) is both
    assert overlaps(other, one) is both


def test_gitlab_s_jobs_are_read() -> None:
    text = "include:\n  - remote: https://a.b/c.yml\ntrain:\n  image: python:latest\n  script:\n    - echo $DB_PASSWORD\n    - pip install torch\n"
    found = assessed_files({".gitlab-ci.yml": text})
    assert rules_of(found) == {"ci-action-unpinned", "build-image-unpinned", "ci-secret-printed", "deps-unpinned"}
    assert lines_of(found, "ci-secret-printed") == [(".gitlab-ci.yml", 6)]


def test_here_documents_are_read_line_by_line() -> None:
    text = """
        FROM a@DIGEST
        RUN <<EOF
        set -e
        wget -qO- https://a.b/c | sh
        pip install \\
          torch==2.9.0
        apt-get update
        EOF
        RUN python3 <<EOF
        print("curl https://a.b/c | sh")
        EOF
        RUN <<EOF
        #!/usr/bin/env python3
        print("curl https://a.b/c | sh")
        EOF
        RUN bash -e <<EOF
        curl -fsSLo c.sh https://a.b/c.sh
        sha256sum -c sums
        EOF
        USER 1000
        """
    found = assessed_files({"Dockerfile": text.replace("DIGEST", DIGEST)})
    assert rules_of(found) == {"build-pipe-to-shell"}
    assert lines_of(found, "build-pipe-to-shell") == [("Dockerfile", 4)]


def test_the_line_is_that_of_the_command_between_others() -> None:
    text = f"FROM a@{DIGEST}\nRUN apt-get update && \\\n    curl https://a.b/c | sh && \\\n    rm -rf /c\nUSER 1000\n"
    assert lines_of(assessed_files({"Dockerfile": text}), "build-pipe-to-shell") == [("Dockerfile", 3)]


def test_what_an_image_starts_may_run_code_of_a_model() -> None:
    text = f'FROM a@{DIGEST}\nUSER 1000\nCMD ["vllm", "serve", "acme/a", "--trust-remote-code", "--api-key", "$K"]\n'
    assert lines_of(assessed_files({"Dockerfile": text}), "load-remote-code") == [("Dockerfile", 3)]


@pytest.mark.parametrize(
    ("source", "lock", "rules"),
    [
        ('{ git = "https://github.com/acme/lib", branch = "main" }', False, {"deps-moving-source"}),
        (f'{{ git = "https://github.com/acme/lib", rev = "{COMMIT}" }}', False, set()),
        ('{ git = "https://github.com/acme/lib", tag = "v1" }', True, set()),
        ("{ workspace = true }", False, set()),
        ('{ path = "../lib" }', False, set()),
        ('{ index = "inner" }', False, {"deps-unpinned"}),
    ],
)
def test_sources_of_uv(source: str, lock: bool, rules: set[str]) -> None:
    text = (
        f'[project]\nname = "a"\nversion = "1"\ndependencies = ["acme-lib"]\n[tool.uv.sources]\nacme_lib = {source}\n'
    )
    files = {"pyproject.toml": text} | ({"uv.lock": "version = 1\n"} if lock else {})
    found = assessed_files(files)
    assert rules_of(found) == rules
    assert {line for _, line in lines_of(found, "deps-moving-source")} <= {6}


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ('bash -c "echo $CI_COMMIT_MESSAGE"', 3),
        ("eval echo $CI_COMMIT_REF_NAME", 3),
        ("eval 'echo $CI_COMMIT_REF_NAME'", None),
        ("bash -c 'echo \"$CI_COMMIT_MESSAGE\"'", None),
        ('echo "$CI_COMMIT_MESSAGE"', None),
        ('bash -c "echo $CI_COMMIT_SHA"', None),
    ],
)
def test_what_a_shell_of_gitlab_reads_twice(step: str, line: int | None) -> None:
    text = f"build:\n  script:\n    - {json.dumps(step)}\n"
    found = lines_of(assessed_files({".gitlab-ci.yml": text}), "ci-script-injection")
    assert found == ([(".gitlab-ci.yml", line)] if line else [])


def test_the_image_of_a_whole_pipeline_of_gitlab_is_pinned() -> None:
    text = "image: python:latest\nbuild:\n  script: [make]\n"
    assert lines_of(assessed_files({".gitlab-ci.yml": text}), "build-image-unpinned") == [(".gitlab-ci.yml", 1)]


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ('pip install "a @ git+https://github.com/x/a.git@${{ github.sha }}"', set()),
        ("pip install git+https://github.com/x/a.git@$GITHUB_SHA", set()),
        ("pip install git+https://github.com/x/a.git@${{ github.ref_name }}", {"deps-moving-source"}),
        ('echo "::add-mask::$SECRET_TOKEN"', set()),
        ('echo "$SECRET_TOKEN" | docker login -u a --password-stdin && docker push b', set()),
        ("echo $SECRET_TOKEN && make | tee log", {"ci-secret-printed"}),
        ("echo ${{ secrets.KEY }} && make | tee log", {"ci-secret-printed"}),
    ],
)
def test_commits_and_secrets_of_a_pipeline_s_own(line: str, rules: set[str]) -> None:
    text = (
        "on: [push]\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          "
        + line
        + "\n"
    )
    assert rules_of(assessed_files({".github/workflows/a.yml": text})) == rules
