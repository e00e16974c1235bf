"""Files that something else puts on the disk of a program, which the program then unpickles."""

from __future__ import annotations

import pytest
from tests.unit.assess.source.test_source_programs import loaded

from assaymark.assess.source.fetched import fetched
from assaymark.core.graph import Because, State

HERE = Because("f", 1, "")
SERVE = 'import os, joblib\nmodel = joblib.load(os.path.join(os.environ.get("MODEL_DIR", "/models"), "m.pkl"))\n'
BUILD = {
    "Dockerfile": 'FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD ["python", "serve.py"]\n',
    "build.sh": "#!/bin/sh\ndocker build -t acme/serve:1 .\n",
}
POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ml}
spec:
  initContainers:
  - name: fetch
    image: amazon/aws-cli:2
    command: [sh, -c, "%s"]
    volumeMounts: [{name: models, mountPath: /work%s}]
  containers:
  - name: c
    image: acme/serve:1
    %s
    volumeMounts: [{name: models, mountPath: /models%s}]
  volumes: [%s]
"""
EMPTY = "{name: models, emptyDir: {}}"


def by_pod(
    command: str = "true",
    volume: str = EMPTY,
    more: str = "env: []",
    program: str = SERVE,
    subs: tuple[str, str] = ("", ""),
) -> dict[str, State]:
    """What the container of a pod loads, where another container runs a command before it."""
    pod = POD % (command, subs[0], more, subs[1], volume)
    found = loaded({**BUILD, "serve.py": program, "pod.yaml": pod})
    return {source: state for (source, target), (state, _) in found.items() if target == "k8s:ml/pod/p"}


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("aws s3 sync s3://models/v1 /work", {"models": State.YES}),
        ("aws --region eu-west-1 s3 cp --recursive s3://models/v1/ /work/", {"models": State.YES}),
        ("aws s3 cp s3://models/v1/m.pkl /work/m.pkl --only-show-errors", {"models": State.YES}),
        ("aws s3 cp s3://models/v1/m.pkl /work/", {"models": State.YES}),
        ("gsutil -m cp -r gs://gmodels/v1/* /work/", {"gmodels": State.YES}),
        ("gcloud storage cp gs://gmodels/m.pkl /work/m.pkl", {"gmodels": State.YES}),
        ("gcloud storage rsync gs://gmodels/v1 /work --recursive", {"gmodels": State.YES}),
        (
            "azcopy copy 'https://mlstore.blob.core.windows.net/models/*?sv=1' /work --recursive",
            {"models": State.YES},
        ),
        ("mc mirror s3/models/v1 /work", {"models": State.YES}),
        ("RCLONE_CONFIG_R_TYPE=s3 rclone copy r:models/v1 /work", {"models": State.YES}),
        ("rclone copy :s3,provider=AWS:models/v1 /work", {"models": State.YES}),
    ],
)
def test_an_earlier_container_puts_it_into_a_shared_volume(command: str, wanted: dict[str, State]) -> None:
    assert by_pod(command) == wanted


@pytest.mark.parametrize(
    "command",
    [
        "aws s3 cp s3://models/v1/other.json /work/other.json",  # a file that the program does not unpickle
        "aws s3 sync s3://models/v1 /elsewhere",  # no volume of both
        "aws s3 sync s3://models/v1 /work/sub",
        "aws s3 sync /work s3://models/v1",  # out
        "echo aws s3 sync s3://models/v1 /work",
        "aws --endpoint-url http://minio:9000 s3 sync s3://models/v1 /work",  # another service's bucket
    ],
)
def test_what_it_does_not_put_there_is_not_loaded(command: str) -> None:
    assert State.YES not in by_pod(command).values()


def test_a_volume_is_the_same_folder_by_another_path() -> None:
    command = "aws s3 sync s3://models/v1 /work"
    assert by_pod(command, subs=(", subPath: a", ", subPath: a")) == {"models": State.YES}
    assert State.YES not in by_pod(command, subs=(", subPath: a", ", subPath: b")).values()
    assert by_pod("aws s3 sync s3://models/v1 /work/a", subs=("", ", subPath: a")) == {"models": State.YES}


def test_a_folder_that_is_told() -> None:
    command = "aws s3 sync s3://models/v1 /work/v1"
    assert by_pod(command, more="env: [{name: MODEL_DIR, value: /models/v1}]") == {"models": State.YES}
    assert State.YES not in by_pod(command, more="env: [{name: MODEL_DIR, value: /other}]").values()
    options = (
        "import argparse, torch\np = argparse.ArgumentParser()\np.add_argument('--model')\n"
        "torch.load(open(p.parse_args().model, 'rb'), weights_only=False)\n"
    )
    told = "args: [python, serve.py, --model, /models/v1/x.pt]"
    assert by_pod(command, more=told, program=options) == {"models": State.YES}


def test_a_path_that_nothing_shows_is_unknown() -> None:
    program = "import pickle, settings_of_ours\nwith open(settings_of_ours.PATH, 'rb') as f:\n    pickle.load(f)\n"
    assert by_pod("aws s3 sync s3://models/v1 /work", program=program) == {"models": State.UNKNOWN}


def test_a_program_that_unpickles_nothing_of_it() -> None:
    program = "import json\nmodel = json.load(open('/models/m.json'))\n"
    assert State.YES not in by_pod("aws s3 sync s3://models/v1 /work", program=program).values()


@pytest.mark.parametrize(
    ("volume", "wanted"),
    [
        (
            "{name: models, csi: {driver: gcsfuse.csi.storage.gke.io, volumeAttributes: {bucketName: gmodels}}}",
            {"gmodels": State.YES},
        ),
        (
            "{name: models, csi: {driver: blob.csi.azure.com, volumeAttributes: {containerName: models}}}",
            {"models": State.YES},
        ),
        ("{name: models, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {bucketName: gmodels}}}", {}),
    ],
)
def test_a_bucket_that_is_mounted(volume: str, wanted: dict[str, State]) -> None:
    assert by_pod(volume=volume) == wanted


def test_a_bucket_behind_a_claim() -> None:
    claim = (
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: m, namespace: ml}\n"
        "spec: {storageClassName: '', volumeName: pv, accessModes: [ReadOnlyMany]}\n"
        "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n"
        "  csi: {driver: s3.csi.aws.com, volumeHandle: v, volumeAttributes: {bucketName: models}}\n"
    )
    volume = "{name: models, persistentVolumeClaim: {claimName: m}}"
    pod = POD % ("true", "", "env: []", "", volume)
    files = {**BUILD, "serve.py": SERVE}
    found = loaded({**files, "pod.yaml": pod + claim})
    assert found[("models", "k8s:ml/pod/p")] == (State.YES, ())
    assert loaded({**files, "pod.yaml": pod + claim.replace("volumeName: pv", "volumeName: other")}) == {}


def test_the_command_and_the_entry_script_of_the_same_container() -> None:
    own = 'command: [sh, -c, "aws s3 cp s3://models/m.pkl /models/m.pkl && exec python serve.py"]'
    assert by_pod(more=own) == {"models": State.YES}
    late = 'command: [sh, -c, "python serve.py && aws s3 cp s3://models/m.pkl /models/m.pkl"]'
    assert State.YES not in by_pod(more=late).values()
    script = '#!/bin/sh\nset -e\nBUCKET=models\naws s3 sync "s3://$BUCKET/v1" \\\n  /models\nexec "$@"\n'
    build = BUILD | {"Dockerfile": BUILD["Dockerfile"].replace("CMD", 'ENTRYPOINT ["./entry.sh"]\nCMD')}
    pod = POD % ("true", "", "env: []", "", EMPTY)
    found = loaded({**build, "entry.sh": script, "serve.py": SERVE, "pod.yaml": pod})
    assert found == {("models", "k8s:ml/pod/p"): (State.YES, ())}


def test_a_job_of_a_pipeline_fetches_first() -> None:
    workflow = (
        "on: push\npermissions: {id-token: write}\njobs:\n  eval:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "    - uses: aws-actions/configure-aws-credentials@v4\n      with: {role-to-assume: 'arn:aws:iam::111122223333:role/r'}\n"
        "    - run: aws s3 cp s3://models/m.pkl out/m.pkl\n    - run: python evaluate.py\n"
    )
    program = "import pickle\nmodel = pickle.load(open('out/m.pkl', 'rb'))\n"
    found = loaded({".github/workflows/e.yml": workflow, "evaluate.py": program})
    target = "ci:github:.github/workflows/e.yml#eval"
    assert found == {("models", target): (State.YES, ())}


def test_a_step_in_another_folder_leaves_it_open() -> None:
    workflow = (
        "on: push\npermissions: {id-token: write}\njobs:\n  eval:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "    - uses: aws-actions/configure-aws-credentials@v4\n      with: {role-to-assume: 'arn:aws:iam::111122223333:role/r'}\n"
        "    - run: aws s3 sync s3://models/v1 out\n      working-directory: ml\n"
        "    - run: python evaluate.py\n      working-directory: ml\n"
    )
    program = "import pickle\nmodel = pickle.load(open('out/m.pkl', 'rb'))\n"
    found = loaded({".github/workflows/e.yml": workflow, "ml/evaluate.py": program})
    ((state, decides),) = found.values()
    assert (state, decides) == (State.UNKNOWN, ("out/m.pkl is ml/out where it runs",))


def test_a_volume_of_cloud_run() -> None:
    service = """
    resource "google_cloud_run_v2_service" "s" {
      name     = "s"
      location = "europe-west1"
      project  = "p"
      template {
        containers {
          image = "acme/serve:1"
          volume_mounts {
            name       = "models"
            mount_path = "/models"
          }
        }
        volumes {
          name = "models"
          gcs {
            bucket = google_storage_bucket.m.name
          }
        }
      }
    }
    """
    found = loaded({**BUILD, "serve.py": SERVE, "run.tf": service})
    assert [(source, state) for (source, _), (state, _) in found.items()] == [("gmodels", State.YES)]
    other = service.replace('"/models"', '"/data"')
    assert loaded({**BUILD, "serve.py": SERVE, "run.tf": other}) == {}


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("hf download acme/llm --local-dir /models", [("/models", "acme/llm")]),
        ("huggingface-cli download acme/llm --local-dir=/models --revision " + "a" * 40, []),
        ("aws s3 cp s3://b/m.pkl -", []),
        ("cd /srv && aws s3 cp s3://b/m.pkl .", [("/srv/m.pkl", "b")]),
        ("if [ ! -f /m/x ]; then aws s3 cp s3://b/x /m/x; fi", [("/m/x", "b"), ("/m/x/x", "b")]),
        ("# aws s3 cp s3://b/x /m/x", []),
        ("aws s3 cp 's3://b/x /m", []),
    ],
)
def test_words_of_commands(command: str, wanted: list[tuple[str, str]]) -> None:
    assert [(one.path, one.store.name[0]) for one in fetched(command, {}, HERE)] == wanted
