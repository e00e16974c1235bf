"""Buckets from which code is taken: builds and pipelines, scripts of notebooks, environments of Airflow.

What lies in a bucket that a build project has its source from, that a pipeline keeps its artifacts in, or that a
script which runs when a notebook starts fetches, runs there. Sources: AWS CodeBuild User Guide, "Build projects"
(``source`` of type S3); AWS CodePipeline User Guide, "Action structure reference" (``S3``, ``CodeBuild``,
``CloudFormation``); SageMaker, "Lifecycle configuration scripts"; Amazon MWAA, "Add DAGs to Amazon S3".
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.cloudformation_words import snake, snaked
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import dicts_in, mappings, texts_in
from assaymark.core.graph import Edge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.aws.triggers import Triggers
    from assaymark.assess.estate.aws import Resource
    from assaymark.core.graph import Because

_ADDRESS: Final = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])|arn:aws[\w-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
)
_NOTEBOOK: Final = "sagemaker:notebook-instance"
_SCRIPTS: Final = ("aws_sagemaker_notebook_instance_lifecycle_configuration", "aws_sagemaker_studio_lifecycle_config")


def link_deployed(triggers: Triggers) -> None:
    """Draws them for all of the input, whatever file it came from."""
    drawing = _Deployed(triggers)
    for _, resource in sorted(triggers.run.estate.resources.items()):
        settings = {snake(str(name)): snaked(value) for name, value in resource.settings.items()}
        if resource.kind == "codebuild:project":
            drawing.project(resource, settings)
        elif resource.kind.startswith(("codepipeline:", "codepipeline")):
            drawing.pipeline(resource, settings)
        elif resource.kind == _NOTEBOOK:
            drawing.notebook(resource, settings)
        elif resource.kind.startswith(("mwaa:", "airflow:")):
            bucket = triggers.named(settings.get("source_bucket_arn"))
            drawing.loaded(bucket, resource.arn, "it runs the workflows that lie there", resource.because)


class _Deployed:
    def __init__(self, triggers: Triggers) -> None:
        self.triggers = triggers
        self.builder = triggers.run.builder

    def loaded(self, bucket: str, node: str, how: str, *because: Because) -> None:
        """The edge from a bucket to what runs what lies there."""
        if bucket and self.builder.has(bucket) and self.builder.has(node):
            self.builder.edge(Edge(bucket, node, "loaded-by", how, because))

    def named(self, text: Any) -> str:
        """The bucket that a text names: by its name, ARN or address, before a path."""
        if not isinstance(text, str):
            return ""
        name = text.removeprefix("s3://")
        return self.triggers.named(name) or self.triggers.named(name.partition("/")[0], "s3:bucket")

    def project(self, resource: Resource, settings: dict[str, Any]) -> None:
        """A build project, by its sources and what it is told to do."""
        sources = [one for name in ("source", "secondary_sources") for one in dicts_in(settings.get(name))]
        for one in sources:
            if str(one.get("type")).upper() == "S3":
                how = f"it builds what lies there ({one.get('location')})"
                self.loaded(self.named(one.get("location")), resource.arn, how, resource.because)
            told = one.get("buildspec", one.get("build_spec"))
            if isinstance(told, str) and told.startswith(("arn:", "s3://")):
                bucket = self.named(told.partition("/")[0] if told.startswith("arn:") else told)
                self.loaded(bucket, resource.arn, "what it does is written there", resource.because)

    def pipeline(self, resource: Resource, settings: dict[str, Any]) -> None:
        """A pipeline: what it builds and deploys comes from its sources, and lies in its store meanwhile."""
        inner = settings.get("pipeline")
        inner = inner if isinstance(inner, dict) else settings
        actions = list(_actions(inner))
        stores = [one.get("location") for one in dicts_in(inner.get("artifact_store"))]
        places = dict.fromkeys(self.named(one) for one in stores)
        places |= dict.fromkeys(
            self.named(_entry(configuration, "S3Bucket"))
            for category, provider, configuration in actions
            if category == "Source" and provider == "S3"
        )
        for category, provider, configuration in actions:
            target = ""
            if provider == "CodeBuild":
                target = self.triggers.named(_entry(configuration, "ProjectName"), "codebuild:project")
            elif provider == "CloudFormation" and category == "Deploy":
                target = self.deploys(resource, _entry(configuration, "RoleArn"))
            elif provider == "Lambda":
                target = ""  # it is called, and runs its own code
            for bucket in places:
                self.loaded(bucket, target, "the pipeline hands it what lies there", resource.because)

    def deploys(self, resource: Resource, role: Any) -> str:
        """What makes a stack of a template: whoever writes that makes what the role may make."""
        if not isinstance(role, str) or not self.builder.has(role):
            return ""
        node, because = f"{resource.arn}#deploys", (resource.because,)
        shown = f"deployments of {resource.arn.rpartition(':')[2]}"
        self.builder.node(node, "workload", shown, because, boundary=self.builder.boundary(role))
        how = "its stacks are made with the role"
        self.builder.edge(Edge(node, role, "runs-as", how, because, effort=0))
        return node

    def notebook(self, resource: Resource, settings: dict[str, Any]) -> None:
        """A notebook, by the scripts that run as root when it is made or started."""
        wanted = settings.get("lifecycle_config_name", settings.get("notebook_instance_lifecycle_config_name"))
        for kind in _SCRIPTS:
            for one in self.triggers.index.by_kind[kind]:
                name = one.address.rpartition(".")[2]
                known = (one.text("name"), one.arn, name, f"<{one.address}>", f"${{{one.address}.name}}")
                if not isinstance(wanted, str) or wanted not in known:
                    continue
                for text in texts_in(dict(one.values)):
                    for match in _ADDRESS.finditer(_decoded(text)):
                        bucket = self.named(match[1] or match[2])
                        how = "a script that runs when it starts takes something from there"
                        self.loaded(bucket, resource.arn, how, one.because(), resource.because)


def _actions(settings: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Category, provider and configuration of each action."""
    for part in mappings(settings):
        kind = part.get("action_type_id")
        about = kind if isinstance(kind, dict) else part
        configuration = part.get("configuration")
        if isinstance(about.get("category"), str) and isinstance(configuration, dict):
            yield about["category"], str(about.get("provider")), configuration


def _entry(configuration: dict[str, Any], name: str) -> Any:
    return configuration.get(name, configuration.get(snake(name)))


def _decoded(text: str) -> str:
    """A script, which Terraform has encoded."""
    if " " in text or isinstance(text, Unresolved):
        return text
    try:
        return b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text
