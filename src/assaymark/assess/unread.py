"""The collector of what nobody else reads: descriptions of infrastructure in languages that are not read here.

They are listed as skipped, with what to assess instead, so that nobody takes silence for an answer.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Map, maps_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_BY_NAME: Final = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"(?:^|/)terragrunt\.hcl(?:\.json)?$", "Terragrunt; assess what `terragrunt show -json` writes of a plan"),
        (r"(?:^|/)Pulumi\.ya?ml$", "a program of Pulumi; assess what its platforms' command lines export"),
        (r"\.(?:jsonnet|libsonnet)$", "Jsonnet; assess the JSON that it comes to"),
        (r"\.cue$", "CUE; assess what `cue export` writes"),
        (r"\.dhall$", "Dhall; assess what `dhall-to-yaml` writes"),
        (r"\.k$", "KCL; assess what `kcl run` writes"),
        (r"\.nomad(?:\.hcl)?$", "a job of Nomad, which is not read"),
        (r"\.pkr\.hcl$", "a template of Packer, which is not read"),
        (r"\.(?:ya?ml|json|tf)\.(?:j2|jinja2?|erb|gotmpl|tmpl|tpl|mustache)$", "a template; assess what it comes to"),
    )
)
_PLAN: Final = b"tfplan"  # the first member of a plan that Terraform saved
_SERVERLESS: Final = "a service of the Serverless Framework; assess the template that `serverless package` writes"


def collect(inputs: Inputs, estates: Estates) -> None:
    """Lists them. ``estates`` is not needed."""
    del estates
    compiled = {posixpath.splitext(file.path)[0] for file in inputs.named(".json")}
    synthesised = any("/cdk.out/" in f"/{file.path}" for file in inputs.files)
    for file in inputs.files:
        name = posixpath.basename(file.path)
        reason = next((said for pattern, said in _BY_NAME if pattern.search(file.path)), "")
        if name.endswith((".bicep", ".bicepparam")) and posixpath.splitext(file.path)[0] not in compiled:
            reason = "Bicep; assess the JSON that `az bicep build` writes"
        elif name == "cdk.json" and not synthesised:
            reason = "an application of CDK; assess the templates that `cdk synth` writes"
        elif file.data[:2] == b"PK" and _PLAN in file.data[:100]:
            reason = "a saved plan; assess what `terraform show -json` writes of it"
        elif not reason and name.endswith((".yml", ".yaml")):
            reason = _of_yaml(inputs, file)
        if reason and file.path not in inputs.reading.read and not inputs.charts.has(file.path):
            inputs.reading.skip(file.path, reason)
        if b"templatePatch:" in file.data:
            _patches(inputs, file)


def _patches(inputs: Inputs, file: SourceFile) -> None:
    """Sets of Argo CD's applications whose template a text changes that is only known when it is filled in."""
    for one in inputs.documents_of(file):
        spec = one.value.get("spec") if isinstance(one.value, Map) else None
        if isinstance(spec, Map) and one.value.get("kind") == "ApplicationSet" and "templatePatch" in spec:
            reason = "a templatePatch, which is not read: applications of the set stay as their template has them"
            inputs.reading.skip(file.path, reason, spec.at("templatePatch"))


def _of_yaml(inputs: Inputs, file: SourceFile) -> str:
    for mark, known, reason in _BY_CONTENT:
        if mark in file.data and any(known(one.value) for one in inputs.documents_of(file)):
            return reason
    return ""


def _serverless(value: object) -> bool:
    return isinstance(value, Map) and "service" in value and "provider" in value and "apiVersion" not in value


def _playbook(value: object) -> bool:
    plays = maps_in(value) if isinstance(value, list) else []
    return any("hosts" in one and ({"tasks", "roles"} & one.keys()) for one in plays)


def _bundle(value: object) -> bool:
    return isinstance(value, Map) and isinstance(value.get("bundle"), Map) and "resources" in value


_BY_CONTENT: Final[tuple[tuple[bytes, Callable[[object], bool], str], ...]] = (
    (b"provider:", _serverless, _SERVERLESS),
    (b"hosts:", _playbook, "a playbook of Ansible, which is not read"),
    (b"bundle:", _bundle, "a bundle of Databricks, which is not read"),
)
