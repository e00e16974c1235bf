"""What hands on what others write or send: pipes, delivery streams, state machines, pipelines of SageMaker.

Whoever writes the source of a pipe or stream writes, or starts, what it hands on to, as far as its role lets it; what
starts a state machine is handed to its tasks. A job that a state or step describes is a workload of its own: it runs
with the role that is passed to it. Sources: Amazon EventBridge User Guide, "EventBridge Pipes"; Amazon Data Firehose
Developer Guide, "Transform source data"; AWS Step Functions Developer Guide, "Integrating services"; SageMaker,
"Pipeline definition JSON schema".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.cloudformation_words import snake, snaked
from assaymark.assess.aws.images import images_of
from assaymark.assess.aws.linking import Chain
from assaymark.assess.values import dicts_in, json_of, mappings, texts_in
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.aws.triggers import Triggers
    from assaymark.assess.estate.aws import Resource

_ARN: Final = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:[^\s\"\\$]+")
_WRITES: Final = ("sqs", "sns", "kinesis", "events", "firehose", "s3", "dynamodb", "logs")
# What the role of who hands on needs, by the service of what it hands on to.
_NEEDS: Final = {
    "lambda": ("lambda:InvokeFunction",),
    "states": ("states:StartExecution", "states:StartSyncExecution"),
    "ecs": ("ecs:RunTask",),
    "batch": ("batch:SubmitJob",),
    "sqs": ("sqs:SendMessage",),
    "sns": ("sns:Publish",),
    "kinesis": ("kinesis:PutRecord", "kinesis:PutRecords"),
    "events": ("events:PutEvents",),
    "firehose": ("firehose:PutRecord", "firehose:PutRecordBatch"),
    "s3": ("s3:PutObject",),
    "sagemaker": ("sagemaker:StartPipelineExecution",),
    "codebuild": ("codebuild:StartBuild",),
}
# Parameters of an integration that name what it is about: of which kind, and whether it is written or called.
_ABOUT: Final = {
    "FunctionName": ("lambda:function", "calls"),
    "TaskDefinition": ("ecs:task-definition", "calls"),
    "JobDefinition": ("batch:job-definition", "calls"),
    "JobName": ("glue:job", "calls"),
    "StateMachineArn": ("states:state-machine", "calls"),
    "PipelineName": ("sagemaker:pipeline", "calls"),
    "ProjectName": ("codebuild:project", "calls"),
    "EndpointName": ("sagemaker:endpoint", "calls"),
    "QueueUrl": ("sqs:queue", "writes"),
    "TopicArn": ("sns:topic", "writes"),
    "TableName": ("dynamodb:table", "writes"),
    "EventBusName": ("events:event-bus", "writes"),
    "Bucket": ("s3:bucket", "writes"),
}
_SENDS: Final = re.compile(r"(?:put|send|publish|update|write|copy|batchWrite)\w*", re.IGNORECASE)
_JOBS: Final = re.compile(r"sagemaker:create\w*Job|emr-serverless:startJobRun|glue:createJob", re.IGNORECASE)
_ROLES: Final = ("RoleArn", "ExecutionRoleArn", "TaskRoleArn", "Role")
_STEPS: Final = ("Training", "Processing", "Tuning", "AutoML", "Transform", "EMR")


def link_passing(triggers: Triggers) -> None:
    """Draws them for all of the input, whatever file it came from."""
    run = triggers.run
    for arn, resource in sorted(run.estate.resources.items()):
        draw = next((draw for words, draw in _KINDS.items() if resource.kind.startswith(words)), None)
        if draw is not None and run.builder.has(arn):
            draw(_Passing(triggers, resource))


class _Passing:
    """What one thing hands on. ``settings``: its own, in Terraform's spelling."""

    def __init__(self, triggers: Triggers, resource: Resource) -> None:
        self.triggers = triggers
        self.run: Linking = triggers.run
        self.resource = resource
        self.arn = resource.arn
        self.settings = {snake(str(name)): snaked(value) for name, value in resource.settings.items()}

    def lets(self, target: str, role: str = "") -> Chain:
        """Whether its role lets it hand on to something; unknown for a role that the input does not hold."""
        who = self.run.estate.identities.get(role or self.resource.role)
        service = target.split(":")[2]
        needed = _NEEDS.get(service, ())
        if who is None or not needed:
            return Chain(because=(self.resource.because,))
        about = f"{target}/*" if service == "s3" else target
        return Chain(because=(self.resource.because,)).then(
            self.run.any_of(who, tuple((one,) for one in needed), about)
        )

    def pass_on(self, source: str, target: str, how: str) -> None:
        """The edge from what is written to what gets it, or is started with it."""
        builder = self.run.builder
        if not (source and target and builder.has(source) and builder.has(target)):
            return
        written = target.split(":")[2] in _WRITES
        self.run.draw(source, target, "forwards" if written else "triggers", how, self.lets(target), 0)

    def from_code(self, source: str, target: str, how: str) -> None:
        """The edge from code to what gets its answers: whoever controls it chooses them."""
        if source and target and self.run.builder.has(source) and self.run.builder.has(target):
            written = target.split(":")[2] in _WRITES
            self.run.draw(source, target, "writes" if written else "invokes", how, self.lets(target), 0)

    def each(self, *names: str) -> Iterator[dict[str, Any]]:
        """The blocks of these names, at any depth."""
        for part in mappings(self.settings):
            for name in names:
                yield from dicts_in(part.get(name))

    # the kinds

    def pipe(self) -> None:
        """A pipe: its source, what enriches that, and its target."""
        settings, named = self.settings, self.triggers.named
        if settings.get("desired_state") == "STOPPED":
            return
        source, target = named(settings.get("source")), named(settings.get("target"))
        for one in self.each("ecs_task_parameters"):
            target = named(one.get("task_definition_arn"), "ecs:task-definition") or target
        between = named(settings.get("enrichment"))
        self.pass_on(source, between, "a pipe hands it what is put there, to enrich it")
        self.pass_on(source, target, "a pipe hands it what is put there")
        self.from_code(between, target, "a pipe hands on what it answers")

    def stream(self) -> None:
        """A delivery stream: what it reads, the function that transforms it, and where it is delivered."""
        named = self.triggers.named
        for one in mappings(self.settings):
            source = named(one.get("kinesis_stream_arn"))
            if source and self.run.builder.has(source):
                chain = Chain(because=(self.resource.because,))
                self.run.draw(source, self.arn, "forwards", "it reads what is put there", chain, 0)
        functions = [
            target
            for one in mappings(self.settings)
            if str(one.get("parameter_name")) == "LambdaArn"
            and (target := named(one.get("parameter_value"), "lambda:function"))
        ]
        buckets = {named(one.get("bucket_arn")) for one in mappings(self.settings)} - {""}
        for function in functions:
            self.pass_on(self.arn, function, "it transforms what is put there")
        for bucket in sorted(buckets):
            self.pass_on(self.arn, bucket, "what is put there is delivered to it")
            for function in functions:
                self.from_code(function, bucket, "what it answers is delivered to it")

    def machine(self) -> None:
        """A state machine: its tasks, and the jobs that these describe."""
        places = [self.settings.get(name) for name in ("definition", "definition_string", "definition_body")]
        given = self.resource.settings
        places = [
            given.get(name, place) for name, place in zip(("definition", "definition_string"), places, strict=False)
        ]
        for value in places:
            definition = json_of(value, self.resource.because.line or 1) if isinstance(value, str) else value
            for text in dict.fromkeys(found for one in texts_in(value) for found in _ARN.findall(one)):
                self.call(self.triggers.named(text))
            for state in mappings(definition) if isinstance(definition, dict) else ():
                self.state(state)

    def state(self, state: dict[str, Any]) -> None:
        """A task of a state machine."""
        resource = state.get("Resource")
        name = resource if isinstance(resource, str) else ""
        parameters = next(
            (state[key] for key in ("Parameters", "Arguments") if isinstance(state.get(key), dict)), None
        )
        if ":::" not in name or parameters is None:
            return
        action = name.partition(":::")[2]
        for key, (kind, how) in _ABOUT.items():
            target = self.triggers.named(parameters.get(key, parameters.get(f"{key}.$")), kind)
            if target and how == "calls":
                self.call(target)
            elif target and _SENDS.match(action.rpartition(":")[2]):
                self.edge(target, "passes-data", "a task of it writes there what it is started with")
        if _JOBS.search(action):
            self.job(action.partition(".")[0].rpartition(":")[2], parameters)

    def call(self, target: str) -> None:
        """The edge to what a task starts."""
        if target and target != self.arn and target.split(":")[2] not in (*_WRITES, "iam", "ecr"):
            self.edge(target, "passes-calls", "a task of it hands on what it is started with")

    def edge(self, target: str, relation: str, how: str) -> None:
        """An edge from it, as far as its role lets it."""
        if self.run.builder.has(target):
            self.run.draw(self.arn, target, relation, how, self.lets(target), 0)

    def pipeline(self) -> None:
        """A pipeline of SageMaker: the jobs that its steps describe."""
        value = self.resource.settings.get("pipeline_definition", self.resource.settings.get("PipelineDefinition"))
        if isinstance(value, dict):
            value = value.get("PipelineDefinitionBody", value)
        definition = json_of(value, self.resource.because.line or 1) if isinstance(value, str) else value
        for step in mappings(definition) if isinstance(definition, dict) else ():
            arguments = step.get("Arguments")
            if step.get("Type") in _STEPS and isinstance(arguments, dict):
                self.job(str(step.get("Name")), arguments, self.resource.role)
            elif step.get("Type") == "Lambda":
                self.call(self.triggers.named(step.get("FunctionArn"), "lambda:function"))

    def job(self, name: str, parameters: dict[str, Any], otherwise: str = "") -> None:
        """A job that it starts: what it loads runs with the role that the job is given."""
        identities = self.run.estate.identities
        given = [one.get(key) for one in mappings(parameters) for key in _ROLES]
        role = next((one for one in given if isinstance(one, str) and one in identities), otherwise)
        if not role or not self.run.builder.has(role):
            return
        builder, because = self.run.builder, (self.resource.because,)
        node = f"{self.arn}#{name}"
        shown = f"job {name} of {self.arn.rpartition('/')[2].rpartition(':')[2]}"
        builder.node(node, "workload", shown, because, boundary=builder.boundary(self.arn), entry="workload")
        how = "what runs in it gets the role's credentials"
        builder.edge(Edge(node, role, "runs-as", how, because, effort=0))
        for text in texts_in(parameters):
            for repository, image, decides in images_of(self.run.estate, text):
                state = State.UNKNOWN if decides else State.YES
                if builder.has(repository):
                    how = f"it runs {image}, a tag that may be moved"
                    builder.edge(Edge(repository, node, "loaded-by", how, because, state, decides))
        for part in mappings(parameters):
            code = [part.get("sagemaker_submit_directory")]
            if part.get("InputName") == "code" or part.get("ChannelName") == "code":
                code += texts_in(part)
            code += [
                one for key in ("ModelDataUrl", "EntryPoint", "ScriptLocation") for one in texts_in(part.get(key))
            ]
            for text in (str(one).strip('"') for one in code):
                bucket = f"arn:aws:s3:::{text[5:].partition('/')[0]}" if text.startswith("s3://") else ""
                if bucket and builder.has(bucket):
                    builder.edge(Edge(bucket, node, "loaded-by", f"it runs {text}", because))


_KINDS: Final[dict[str, Callable[[_Passing], None]]] = {
    "pipes:": _Passing.pipe,
    "firehose:": _Passing.stream,
    "kinesis:firehose": _Passing.stream,
    "states:state": _Passing.machine,
    "states:sfn-state-machine": _Passing.machine,
    "sagemaker:pipeline": _Passing.pipeline,
}
