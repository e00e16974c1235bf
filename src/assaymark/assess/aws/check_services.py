"""Notebooks, jobs and models of SageMaker, functions, registries: what their settings leave open.

Sources: SageMaker Developer Guide, "Connect a Notebook Instance in a VPC to External Resources", "Protect
Communications Between ML Compute Instances" and "Run Training and Inference Containers in Internet-Free Mode"; AWS
Lambda Developer Guide, "Control access to Lambda function URLs"; Amazon ECR User Guide, "Image tag mutability".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.gateways import asks_nothing, is_quiet
from assaymark.assess.aws.rule_list import API_OPEN, FUNCTION_URL, NOTEBOOK_ROOT, REGISTRY_MUTABLE, SAGEMAKER_PLAIN
from assaymark.assess.rule import found
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, whole_number
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.aws import ApiRoute, Resource
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding


def check_services(run: Linking, seen: Seen) -> Iterator[Finding]:
    """Findings about what services of AWS run and keep."""
    del seen
    for _, resource in sorted(run.estate.resources.items()):
        check = _BY_KIND.get(resource.kind)
        if check is not None:
            yield from check(resource)
    yield from _apis(run.estate.routes)


def _notebook(resource: Resource) -> Iterator[Finding]:
    name, settings = resource.arn.rpartition("/")[2], resource.settings
    direct = settings.get("direct_internet_access", settings.get("DirectInternetAccess", "Enabled"))
    root = settings.get("root_access", settings.get("RootAccess", "Enabled"))
    open_ones = [
        word for word, value in (("direct internet access", direct), ("root access", root)) if value == "Enabled"
    ]
    if open_ones:
        message = f"notebook {name} has {' and '.join(open_ones)}"
        yield found(NOTEBOOK_ROOT, resource.arn, message, (resource.because,))


def _domain(resource: Resource) -> Iterator[Finding]:
    settings = resource.settings
    access = settings.get("app_network_access_type", settings.get("AppNetworkAccessType", "PublicInternetOnly"))
    if access == "PublicInternetOnly":
        message = f"Studio domain {resource.arn.rpartition('/')[2]} reaches the internet past one's own network"
        yield found(NOTEBOOK_ROOT, resource.arn, message, (resource.because,))


def _model(resource: Resource) -> Iterator[Finding]:
    settings = resource.settings
    isolated = settings.get("enable_network_isolation", settings.get("EnableNetworkIsolation"))
    known = "terraform" in settings or "EnableNetworkIsolation" in settings
    if known and isolated is not True and not isinstance(isolated, Unresolved):
        message = f"model {resource.arn.rpartition('/')[2]} runs without network isolation"
        yield found(SAGEMAKER_PLAIN, resource.arn, message, (resource.because,), Severity.LOW)


def _job(resource: Resource) -> Iterator[Finding]:
    name = f"job {resource.arn.rpartition('/')[2]}"
    yield from _exchanges(resource, resource.arn, name, resource.settings)


def _pipeline(resource: Resource) -> Iterator[Finding]:
    definition = json_of(resource.settings.get("pipeline_definition"), resource.because.line)
    steps = definition.get("Steps") if isinstance(definition, dict) else None
    for step in steps or ():
        if isinstance(step, dict) and step.get("Type") in ("Training", "Processing"):
            words = step.get("Arguments")
            if isinstance(words, dict):
                name = str(step.get("Name"))
                yield from _exchanges(resource, f"{resource.arn}#{name}", f"step {name}", words)


def _exchanges(resource: Resource, unique: str, name: str, words: Mapping[str, Any]) -> Iterator[Finding]:
    """What a job's request says of its network; a job of one instance has nothing between containers."""
    network = words.get("NetworkConfig")
    said = {**words, **(network if isinstance(network, dict) else {})}
    if _instances(words) > 1 and said.get("EnableInterContainerTrafficEncryption") is not True:
        message = f"containers of {name} on {_instances(words)} instances talk in plain text"
        yield found(SAGEMAKER_PLAIN, unique, message, (resource.because,))
    elif said.get("EnableNetworkIsolation") is not True:
        message = f"{name} runs without network isolation"
        yield found(SAGEMAKER_PLAIN, unique, message, (resource.because,), Severity.LOW)


def _instances(words: Mapping[str, Any]) -> int:
    where = words.get("ResourceConfig") or words.get("ProcessingResources")
    inner = where.get("ClusterConfig", where) if isinstance(where, dict) else {}
    groups = inner.get("InstanceGroups") if isinstance(inner, dict) else None
    counts = [part.get("InstanceCount") for part in groups if isinstance(part, dict)] if groups else []
    counts = counts or ([inner.get("InstanceCount")] if isinstance(inner, dict) else [])
    return sum(whole_number(count) or 0 for count in counts)


def _function(resource: Resource) -> Iterator[Finding]:
    url = resource.settings.get("url")
    if isinstance(url, dict) and url.get("authorization_type") == "NONE":
        message = f"function {resource.arn.rpartition(':')[2]} has a URL that anyone may call"
        yield found(FUNCTION_URL, resource.arn, message, (resource.because,))


def _registry(resource: Resource) -> Iterator[Finding]:
    settings = resource.settings
    mode = settings.get("image_tag_mutability", settings.get("imageTagMutability"))
    said = "terraform" in settings or mode is not None
    if said and not isinstance(mode, Unresolved) and (mode is None or str(mode).startswith("MUTABLE")):
        message = f"tags of registry {resource.arn.partition('repository/')[2]} may be moved to other images"
        yield found(REGISTRY_MUTABLE, resource.arn, message, (resource.because,))


_BY_KIND: Final = {
    "sagemaker:notebook-instance": _notebook,
    "sagemaker:domain": _domain,
    "sagemaker:model": _model,
    "sagemaker:training-job": _job,
    "sagemaker:processing-job": _job,
    "sagemaker:pipeline": _pipeline,
    "lambda:function": _function,
    "ecr:repository": _registry,
}


def _apis(routes: Iterable[ApiRoute]) -> Iterator[Finding]:
    """APIs of API Gateway with routes that anyone may call, probes left out."""
    by_api: dict[str, list[ApiRoute]] = {}
    for route in routes:
        if route.open is State.YES and not is_quiet(route):
            by_api.setdefault(route.api, []).append(route)
    for api, some in sorted(by_api.items()):
        message = f"API {some[0].name}: {asks_nothing(some)}"
        yield found(
            API_OPEN, api, message, tuple(dict.fromkeys(one.because for one in some)), None, Confidence.MEDIUM
        )
