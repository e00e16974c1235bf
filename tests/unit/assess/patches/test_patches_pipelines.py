"""Pipelines that sign in by their own token, and do not run what strangers write."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml
from tests.support.patched import patched

COMMIT = "08eba0b27e820071cde6df949e0beb9ba4906955"
DIGEST = "3a" * 32
HEAD = "name: models\non: [push]\n"
PATH = ".github/workflows/check.yml"
STEPS = {
    "aws": """\
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-region: eu-west-1
          aws-access-key-id: ${{ secrets.AWS_KEY }}  # of the robot
          aws-secret-access-key: ${{ secrets.AWS_SECRET }}
""",
    "google": """\
      - name: Sign in
        uses: 'google-github-actions/auth@v2'
        with:
          credentials_json: '${{ secrets.GCP_KEY }}'
          project_id: models
""",
    "azure": """\
      - uses: azure/login@v2
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
""",
}
INSTEAD = {
    "aws": {"aws-region": "eu-west-1", "role-to-assume": "${{ vars.AWS_ROLE_ARN }}"},
    "google": {
        "workload_identity_provider": "${{ vars.GCP_WORKLOAD_IDENTITY_PROVIDER }}",
        "service_account": "${{ vars.GCP_SERVICE_ACCOUNT }}",
        "project_id": "models",
    },
    "azure": {
        "client-id": "${{ vars.AZURE_CLIENT_ID }}",
        "tenant-id": "${{ vars.AZURE_TENANT_ID }}",
        "subscription-id": "${{ vars.AZURE_SUBSCRIPTION_ID }}",
    },
}
PERMISSIONS = {
    "of the job": (HEAD, "    permissions:\n      contents: write\n", {"contents": "write", "id-token": "write"}),
    "of the workflow": (HEAD + "permissions:\n  contents: read\n", "", None),
    "of nobody": (HEAD, "", {"contents": "read", "id-token": "write"}),
    "of the job, less": (
        HEAD,
        "    permissions:\n      contents: read\n      id-token: none\n",
        {"contents": "read", "id-token": "write"},
    ),
    "of all": (HEAD + "permissions: write-all\n", "", None),
}


def workflow(step: str, head: str = HEAD, job: str = "") -> str:
    return (
        f"{head}jobs:\n  first:\n    permissions:\n      contents: read\n    runs-on: ubuntu-24.04\n    steps:\n"
        f"      - uses: actions/checkout@{COMMIT}\n"
        f"  check:\n    runs-on: ubuntu-24.04\n{job}    steps:\n{step}      - run: make check\n"
    )


@pytest.mark.parametrize("where", PERMISSIONS)
@pytest.mark.parametrize("cloud", STEPS)
def test_jobs_of_github_sign_in_by_their_own_token(cloud: str, where: str) -> None:
    head, job, expected = PERMISSIONS[where]
    text = workflow(STEPS[cloud], head, job)
    done = patched({PATH: text}, "ci-static-cloud-key")
    done.check("ci-static-cloud-key")
    value = yaml.safe_load(done.files[PATH])
    old = yaml.safe_load(text)
    assert value["jobs"]["check"]["steps"][0].pop("with") == INSTEAD[cloud]
    del old["jobs"]["check"]["steps"][0]["with"]
    holder = value["jobs"]["check"] if expected else value
    assert holder.get("permissions") == (
        expected or {"of the workflow": {"contents": "read", "id-token": "write"}}.get(where, "write-all")
    )
    for one in (value, value["jobs"]["check"], old, old["jobs"]["check"]):
        one.pop("permissions", None)
    assert value == old


def test_a_role_that_a_key_took_on_is_taken_on_without_it() -> None:
    text = workflow(STEPS["aws"].replace("aws-region: eu-west-1", "role-to-assume: arn:aws:iam::1:role/models"))
    done = patched({PATH: text}, "ci-static-cloud-key")
    done.check("ci-static-cloud-key")
    given = yaml.safe_load(done.files[PATH])["jobs"]["check"]["steps"][0]["with"]
    assert given == {"role-to-assume": "arn:aws:iam::1:role/models"}


def test_both_steps_of_a_job_are_changed() -> None:
    text = workflow(STEPS["aws"] + STEPS["aws"] + STEPS["google"])
    done = patched({PATH: text}, "ci-static-cloud-key")
    done.check("ci-static-cloud-key")
    assert done.files[PATH].count("id-token: write") == 1


LEFT = {
    "another action": STEPS["aws"].replace("aws-actions/", "acme/"),
    "one line": "      - {uses: azure/login@v2, with: {creds: '${{ secrets.A }}'}}\n",
    "several lines": STEPS["azure"].replace("creds: ", "creds: >-\n            "),
    "in the environment": "      - run: make\n        env:\n          AWS_SECRET_ACCESS_KEY: ${{ secrets.A }}\n",
}


@pytest.mark.parametrize("why", LEFT)
def test_what_cannot_be_federated_line_by_line_is_left(why: str) -> None:
    done = patched({PATH: workflow(LEFT[why])}, "ci-static-cloud-key")
    assert [one for one in done.before if one.rule == "ci-static-cloud-key"]
    assert done.patches == ()


@pytest.mark.parametrize("said", ["{}", "read-all", "{contents: read}"])
def test_permissions_that_cannot_be_added_to_are_left(said: str) -> None:
    text = workflow(STEPS["azure"], f"{HEAD}permissions: {said}\n")
    assert patched({PATH: text}, "ci-static-cloud-key").patches == ()


GITLAB = f"""\
image: python@sha256:{DIGEST}
publish:
  stage: deploy
  variables:
    AWS_ACCESS_KEY_ID: $ROBOT_KEY
    AWS_SECRET_ACCESS_KEY: ${{ROBOT_SECRET}}
    AWS_REGION: eu-west-1
  script:
    - aws s3 sync models s3://models
"""  # fmt: skip


def test_jobs_of_gitlab_trade_their_token_for_a_role() -> None:
    done = patched({".gitlab-ci.yml": GITLAB}, "ci-static-cloud-key")
    done.check("ci-static-cloud-key")
    job = yaml.safe_load(done.files[".gitlab-ci.yml"])["publish"]
    assert job["id_tokens"] == {"AWS_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
    assert list(job["variables"]) == ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION"]
    assert job["script"][0] == '(umask 077 && printf \'%s\' "$AWS_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE")'
    assert job["script"][1:] == ["aws s3 sync models s3://models"]


@pytest.mark.parametrize("other", [
    GITLAB.replace("  stage: deploy\n", "  extends: .deploy\n"),
    GITLAB + "before_script:\n  - aws sts get-caller-identity\n",
    GITLAB.replace("publish:\n  stage: deploy\n  variables:", "variables:").replace("  script:\n    - aws s3 sync models s3://models\n", ""),
    GITLAB.replace("  script:\n    - aws s3 sync models s3://models\n", "  script: aws s3 sync models s3://models\n"),
])  # fmt: skip
def test_jobs_of_gitlab_that_are_not_seen_whole_are_left(other: str) -> None:
    done = patched({".gitlab-ci.yml": other}, "ci-static-cloud-key")
    assert [one for one in done.before if one.rule == "ci-static-cloud-key"]
    assert done.patches == ()


def test_gitlab_s_variables_that_are_no_keys_are_none() -> None:
    text = "job:\n  variables:\n    AWS_REGION: $REGION\n    AWS_ACCESS_KEY_ID: ''\n  script: [make]\n"
    assert not [one for one in patched({".gitlab-ci.yml": text}).before if one.rule == "ci-static-cloud-key"]


@pytest.mark.parametrize(("more", "expected"), [
    ("", {"contents": "read"}),
    ("      - uses: azure/login@v2\n", {"contents": "read", "id-token": "write"}),
])  # fmt: skip
def test_tokens_may_read_code_and_what_federation_needs(more: str, expected: dict[str, str]) -> None:
    text = workflow(more, f"{HEAD}permissions: write-all  # for now\n", "    permissions: 'write-all'\n")
    done = patched({PATH: text}, "ci-permissions-wide")
    done.check("ci-permissions-wide")
    value = yaml.safe_load(done.files[PATH])
    assert value["permissions"] == value["jobs"]["check"]["permissions"] == expected


TITLE = "${{ github.event.issue.title }}"
SCRIPTS = [
    (f'echo "{TITLE}"', 'echo "${ISSUE_TITLE}"'),
    (f"echo {TITLE} | tee title", 'echo "${ISSUE_TITLE}" | tee title'),
    (f"echo 'it is {TITLE}'", "echo 'it is '\"${ISSUE_TITLE}\"''"),
    (f'echo "$(wc -c {TITLE})"', 'echo "$(wc -c "${ISSUE_TITLE}")"'),
    ("git switch ${{ github.head_ref }} # now", 'git switch "${HEAD_REF}" # now'),
    ("git switch ${{ github.head_ref }}", 'git switch "${HEAD_REF}"'),
    ("make model=${{ inputs.model-name }}", 'make model="${INPUT_MODEL_NAME}"'),
    ("pytest ${{ inputs.pytest-args }}", None),
    ("${{ inputs.run }} now", None),
    ("for one in ${{ inputs.model }}; do make $one; done", None),
    (f"cat <<EOF\n{TITLE}\nEOF", None),
    (f"echo `echo {TITLE}`", None),
    (f"ISSUE_TITLE=a; echo {TITLE}", None),
    (f"# {TITLE}\nmake", None),
    (f"python -c 'print(\"{TITLE}\")'", None),
    (f'ssh models "echo {TITLE}"', None),
    (f"bash -ec '\necho {TITLE}'", None),
    (f"python train.py --name {TITLE}", 'python train.py --name "${ISSUE_TITLE}"'),
    (f'echo "\\"" {TITLE}', 'echo "\\"" "${ISSUE_TITLE}"'),
    (f"if true; then\n  echo {TITLE} \\\n    now  # it's\nfi", "if true; then\n  echo \"${ISSUE_TITLE}\" \\\n    now  # it's\nfi"),
]  # fmt: skip


def job(step: str) -> str:
    return f"name: a\non: [issues, workflow_dispatch]\npermissions:\n  contents: read\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{step}"


@pytest.mark.parametrize(("script", "expected"), SCRIPTS)
def test_scripts_take_what_others_write_from_variables(script: str, expected: str | None) -> None:
    block = "".join(f"          {line}\n" for line in script.split("\n"))
    step = f"      - name: a\n        run: |\n{block}        if: always()\n"
    done = patched({PATH: job(step)}, "ci-script-injection")
    if expected is None:
        assert done.patches == ()
        return
    done.check("ci-script-injection")
    (old,) = yaml.safe_load(job(step))["jobs"]["a"]["steps"]
    (new,) = yaml.safe_load(done.files[PATH])["jobs"]["a"]["steps"]
    (name,) = new["env"]
    assert new.pop("env") == {name: script[script.index("${{") : script.index("}}") + 2]}
    assert new == old | {"run": f"{expected}\n"}


def test_variables_join_those_that_are_there_and_steps_in_one_line_grow() -> None:
    step = f"""\
      - run: echo {TITLE} "${{{{ github.event.issue.body }}}}"
      - env:
          WHERE: here
          TITLE: {TITLE}
        run: |-
          echo "$WHERE {TITLE} ${{{{ github.event.issue.body }}}} ${{{{ matrix.model }}}}"
"""
    done = patched({PATH: job(step)}, "ci-script-injection")
    done.check("ci-script-injection")
    assert done.files[PATH] == job("""\
      - env:
          ISSUE_TITLE: ${{ github.event.issue.title }}
          ISSUE_BODY: ${{ github.event.issue.body }}
        run: echo "${ISSUE_TITLE}" "${ISSUE_BODY}"
      - env:
          ISSUE_BODY: ${{ github.event.issue.body }}
          WHERE: here
          TITLE: ${{ github.event.issue.title }}
        run: |-
          echo "$WHERE ${TITLE} ${ISSUE_BODY} ${{ matrix.model }}"
""")


@pytest.mark.parametrize("step", [
    f"      - shell: pwsh\n        run: echo {TITLE}\n",
    f"      - shell: python\n        run: print('{TITLE}')\n",
    f"      - run: 'echo {TITLE}'\n",
    f"      - run: echo {TITLE} # now\n",
    f"      - run: >\n          echo\n          {TITLE}\n",
    f"      - {{run: 'echo {TITLE}'}}\n",
    f"      - run: echo {TITLE}\n        env: {{A: b}}\n",
    f"      - uses: actions/github-script@{COMMIT}\n        with:\n          script: alert('{TITLE}')\n",
])  # fmt: skip
def test_scripts_that_are_read_otherwise_are_left(step: str) -> None:
    done = patched({PATH: job(step)}, "ci-script-injection")
    assert [one for one in done.before if one.rule == "ci-script-injection"]
    assert done.patches == ()


def test_actions_that_are_made_of_steps_take_inputs_from_variables_too() -> None:
    text = """\
name: deploy
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        if [ "${{ inputs.proxy }}" = "true" ]; then make; fi
    - run: echo ${{ inputs.proxy }}
"""
    done = patched({"deploy/action.yml": text}, "ci-script-injection")
    assert done.files["deploy/action.yml"] == text.replace(
        '      run: |\n        if [ "${{ inputs.proxy }}"',
        '      env:\n        INPUT_PROXY: ${{ inputs.proxy }}\n      run: |\n        if [ "${INPUT_PROXY}"',
    )


def test_a_runner_whose_shell_is_not_known_is_left() -> None:
    for runner in ("windows-2022", "${{ matrix.os }}", "[self-hosted, gpu]"):
        text = job(f"      - run: echo {TITLE}\n").replace("ubuntu-24.04", runner)
        assert patched({PATH: text}, "ci-script-injection").patches == ()


@pytest.mark.parametrize(
    "title", ["a b", "$(touch gone)", '"; touch gone; "', "'; touch gone; '", "`touch gone`", "*"]
)
@pytest.mark.parametrize("script", [one for one, two in SCRIPTS[:4] if two])
def test_a_shell_prints_the_text_as_it_is(script: str, title: str, tmp_path) -> None:
    text = job(f"      - run: |\n          {script.replace('wc -c', 'printf %s')}\n")
    (step,) = yaml.safe_load(patched({PATH: text}).files[PATH])["jobs"]["a"]["steps"]
    done = subprocess.run(
        [shutil.which("sh") or "sh", "-c", step["run"]],
        env={"ISSUE_TITLE": title, "PATH": "/usr/bin:/bin"}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert title in done.stdout
    assert not (tmp_path / "gone").exists()
