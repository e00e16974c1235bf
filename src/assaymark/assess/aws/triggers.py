"""What starts functions and agents' tools: who writes a bucket, queue, topic, stream or bus hands them their input.

With what things run, too: layers, the models of endpoints, and secrets that containers have as variables.

Sources: AWS Lambda Developer Guide, "Invoking Lambda with events from other AWS services" (event source mappings are
polled with the function's own role; the others need the function's policy); Amazon S3 User Guide, "Amazon S3 Event
Notifications"; Amazon SNS Developer Guide, "Event destinations"; Amazon EventBridge User Guide, "Event patterns"
(sources that begin with ``aws.`` are the services' own); Amazon Bedrock User Guide, "Action groups".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.linking import Chain
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, mappings
from assaymark.core.graph import Edge, State
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from assaymark.assess.aws.linking import Linking
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource
    from assaymark.core.graph import Because

_FUNCTION: Final = re.compile(r"arn:aws[\w-]*:lambda:[\w-]*:\d*:function:[^/:\"\\]+")
_REFERENCE: Final = re.compile(r"\$\{([\w.\[\]\"-]+)\.\w+\}")
_POLLS: Final = "Lambda hands it what is put there"
_DEFAULT_BUS: Final = "default"


def link_triggers(run: Linking, estates: Estates) -> Triggers:
    """Draws them; what found what names mean, for others that draw."""
    drawing = Triggers(run, estates)
    for kind, draw in _KINDS.items():
        for one in drawing.index.by_kind[kind]:
            draw(drawing, one)
    for source, target, because in run.estate.mappings:
        drawing.drawn(drawing.named(source), drawing.named(target), _POLLS, because)
    return drawing


def function_lets(run: Linking, arn: str, service: str) -> bool:
    """Whether a function's policy lets a service of AWS call it."""
    function = run.estate.resources.get(arn)
    policy = function.policy if function is not None else None
    return any(
        service in (statement.principals or {}).get("Service", ()) and statement.effect == "Allow"
        for statement in (policy.statements if policy is not None else ())
    )


class Triggers:
    """What draws them, and finds what names mean."""

    def __init__(self, run: Linking, estates: Estates) -> None:
        self.run = run
        self.index = declared(estates)
        self._by_address = {str(one.settings.get("terraform")): arn for arn, one in run.estate.resources.items()}

    def named(self, value: Any, kind: str = "") -> str:
        """The thing of the input that a reference means, of a kind where only a name is given; empty for none."""
        known = self.run.estate.resources
        if not isinstance(value, str) or not value:
            return ""
        function = _FUNCTION.search(value)
        for text in (value, value.partition("/stream/")[0], function[0] if function else "", f"arn:aws:s3:::{value}"):
            if text in known:
                return text
        reference = _REFERENCE.fullmatch(value)
        if reference is not None:
            return self._by_address.get(reference[1], "")
        last = re.split(r"[:/]", value)[-1]
        same = [arn for arn, one in known.items() if one.kind == kind and re.split(r"[:/]", arn)[-1] == last]
        return same[0] if len(same) == 1 else ""

    def draw(self, source: str, target: str, how: str, one: TfResource, service: str = "") -> None:
        """The edge from what is written to what it starts, or is passed on to."""
        self.drawn(source, target, how, one.because(), service)

    def drawn(self, source: str, target: str, how: str, because: Because, service: str = "") -> None:
        """The same, for what stands at a place."""
        run = self.run
        if not (source and target and run.builder.has(source) and run.builder.has(target)):
            return
        starts = target.split(":")[2] not in ("sqs", "sns", "kinesis", "s3", "events", "firehose")
        decides: tuple[str, ...] = ()
        if service and ":lambda:" in target and not function_lets(run, target, service):
            decides = (f"the policy of {target.rpartition(':')[2]} lets {service} call it",)
        state = State.UNKNOWN if decides else State.YES
        relation = "triggers" if starts else "forwards"
        run.builder.edge(Edge(source, target, relation, how, (because,), state, decides, 0))

    def calls(self, source: str, target: str, how: str, one: TfResource, service: str = "") -> None:
        """The edge from what is called to what it calls."""
        run = self.run
        if not (source and target and run.builder.has(source) and run.builder.has(target)):
            return
        lets = not service or function_lets(run, target, service)
        decides = () if lets else (f"the policy of {target.rpartition(':')[2]} lets {service} call it",)
        state = State.UNKNOWN if decides else State.YES
        run.builder.edge(Edge(source, target, "passes-calls", how, (one.because(),), state, decides, 0))

    # the kinds

    def mapping(self, one: TfResource) -> None:
        """A queue or stream that Lambda polls for a function."""
        if one.get("enabled") is not False:
            source = self.named(one.get("event_source_arn"))
            target = self.named(one.get("function_name"), "lambda:function")
            self.draw(source, target, _POLLS, one)

    def notification(self, one: TfResource) -> None:
        """A bucket that tells of new objects."""
        bucket = one.arn or self.named(one.get("bucket"))
        for block, keys, kind in _NOTIFIED:
            for part in (*maps_in(one.get(block)), *maps_in(_within(one.get("notification"), block))):
                if not _of_new_objects(part):
                    continue
                target = next((found for key in keys if (found := self.named(part.get(key), kind))), "")
                self.draw(bucket, target, "the bucket tells it of new objects", one, "s3.amazonaws.com")

    def subscription(self, one: TfResource) -> None:
        """A function or queue that gets what is published to a topic."""
        topic, target = self.named(one.get("topic_arn"), "sns:topic"), self.named(one.get("endpoint"))
        if one.text("protocol") in ("lambda", "sqs", "firehose"):
            self.draw(topic, target, "it gets what is published there", one, "sns.amazonaws.com")

    def topic(self, one: TfResource) -> None:
        """The subscriptions that a topic of a template has within itself."""
        for part in maps_in(one.get("subscription")):
            if part.get("Protocol") in ("lambda", "sqs"):
                target = self.named(part.get("Endpoint"))
                self.draw(one.arn, target, "it gets what is published there", one, "sns.amazonaws.com")

    def sam(self, one: TfResource) -> None:
        """An event of a function of SAM, which lets its source call the function."""
        target = self.named(one.get("function"))
        if one.values.get("pattern") is not None:
            self._pattern(one, one.get("pattern"), one.get("event_bus_name"), [target])
        else:
            self.draw(self.named(one.get("source"), one.text("of")), target, "it gets what is put there", one)

    def rule(self, one: TfResource) -> None:
        """A rule of EventBridge with its targets; one that only a clock starts is nobody's."""
        pattern = one.get("event_pattern")
        if pattern is None or one.get("state") == "DISABLED" or one.get("is_enabled") is False:
            return
        names = {one.text("name"), one.text("id"), one.address.rpartition(".")[2], f"<{one.address}>"} - {""}
        targets = [
            self._target(other.values, "arn")
            for other in self.index.by_kind["aws_cloudwatch_event_target"]
            if other.text("rule") in names or f"${{{one.address}." in other.text("rule")
        ]
        targets += [self._target(part, "Arn") for part in maps_in(one.get("targets"))]
        self._pattern(one, pattern, one.get("event_bus_name"), targets, "events.amazonaws.com")

    def _target(self, part: Map, key: str) -> str:
        """What a rule starts: of tasks the definition, not the cluster that they run in."""
        for inner in (*maps_in(part.get("ecs_target")), *maps_in(part.get("EcsParameters"))):
            task = inner.get("task_definition_arn") or inner.get("TaskDefinitionArn")
            found = self.named(task, "ecs:task-definition")
            if found:
                return found
        return self.named(part.get(key))

    def _pattern(self, one: TfResource, pattern: Any, bus: Any, targets: list[str], service: str = "") -> None:
        asked = pattern if isinstance(pattern, Map) else json_of(pattern, one.line)
        asked = asked if isinstance(asked, dict) else {}
        sources = [text for text in listed(asked.get("source")) if isinstance(text, str)]
        detail = asked.get("detail")
        for target in dict.fromkeys(one for one in targets if one):
            if "aws.s3" in sources and isinstance(detail, dict):
                inner = detail.get("bucket")
                for name in listed(inner.get("name")) if isinstance(inner, dict) else ():
                    bucket = self.named(name)
                    self.draw(bucket, target, "EventBridge tells it of new objects", one, service)
            if not sources or any(not text.startswith("aws.") for text in sources):
                self.draw(self._bus(one, bus), target, "EventBridge passes on what is put there", one, service)

    def _bus(self, one: TfResource, given: Any) -> str:
        """The node of a bus of events, with who may put some there."""
        run = self.run
        name = str(given or _DEFAULT_BUS).rpartition("/")[2]
        name = _DEFAULT_BUS if isinstance(given, Unresolved) and "event_bus" not in given else name
        arn = f"arn:aws:events:{one.region}:{one.account}:event-bus/{name}"
        if not run.builder.has(arn):
            boundary = {"cloud": "aws", "account": one.account}
            run.builder.node(arn, "queue", f"event bus {name}", (one.because(),), boundary=boundary)
            for who in run.principals:
                chain = Chain().then(run.can(who, "events:PutEvents", arn))
                run.draw(who.arn, arn, "writes", "its policies allow events:PutEvents", chain, 0)
        return arn

    def agent(self, one: TfResource) -> None:
        """Who may talk to an agent, by its aliases; and the functions of its action groups."""
        run = self.run
        if not run.builder.has(one.arn):
            return
        alias = one.arn.replace(":agent/", ":agent-alias/") + "/TSTALIASID"
        for who in run.principals:
            if who.arn not in run.administrators:
                chain = Chain().then(run.can(who, "bedrock:InvokeAgent", alias))
                run.draw(who.arn, one.arn, "invokes", "its policies allow bedrock:InvokeAgent", chain, 0)
        for part in maps_in(one.get("action_groups")):
            self._tool(one.arn, _within(part.get("ActionGroupExecutor"), "Lambda"), one)

    def group(self, one: TfResource) -> None:
        """An action group that is a resource of its own."""
        agent = self.named(one.get("agent_id"), "bedrock:agent")
        for part in one.blocks("action_group_executor"):
            self._tool(agent, part.get("lambda"), one)

    # what runs, and what answers with it

    def layers(self, one: TfResource) -> None:
        """The buckets that the layers of a function are made from: what lies there runs before the function."""
        run = self.run
        given = [text for text in listed(one.get("layers")) if isinstance(text, str)]
        for layer in self.index.by_kind["aws_lambda_layer_version"]:
            address = f"${{{layer.address}."
            name = layer.address.rpartition(".")[2]
            if not any(text.startswith((address, f"${{{name}.")) or text == f"${{{name}}}" for text in given):
                continue
            inner = layer.get("content")
            bucket = self.named(layer.get("s3_bucket") or _within(inner, "S3Bucket"))
            if bucket and run.builder.has(bucket) and run.builder.has(one.arn):
                how = f"its layer {layer.text('layer_name') or layer.address} is made from there"
                run.builder.edge(Edge(bucket, one.arn, "loaded-by", how, (layer.because(), one.because("layers"))))

    def secrets(self, one: TfResource) -> None:
        """The secrets and parameters that containers have as variables."""
        run = self.run
        given = [one.get(name) for name in ("container_definitions", "container_properties")]
        for part in mappings(*(value if isinstance(value, list) else json_of(value, one.line) for value in given)):
            value = part.get("valueFrom") or part.get("ValueFrom")
            text = ":".join(str(value).split(":")[:7]) if isinstance(value, str) else ""
            target = self.named(text, "secretsmanager:secret") or self.named(text, "ssm:parameter")
            if target and run.builder.has(target) and run.builder.has(one.arn):
                how = "its containers have it as a variable"
                run.builder.edge(Edge(one.arn, target, "mounts", how, (one.because(),), effort=0))

    def endpoint(self, one: TfResource) -> None:
        """An endpoint of SageMaker and the models behind it."""
        run = self.run
        wanted = one.text("endpoint_config_name")
        for config in self.index.by_kind["aws_sagemaker_endpoint_configuration"]:
            if wanted not in (config.text("name"), config.arn, f"${{{config.address}.name}}"):
                continue
            for part in maps_in(config.get("production_variants")):
                model = self.named(part.get("model_name") or part.get("ModelName"), "sagemaker:model")
                if model and run.builder.has(model) and run.builder.has(one.arn):
                    because = (config.because(), one.because())
                    how = "the endpoint answers with this model"
                    run.builder.edge(Edge(model, one.arn, "serves", how, because, effort=0))

    def _tool(self, agent: str, function: Any, one: TfResource) -> None:
        target = self.named(function, "lambda:function")
        self.calls(agent, target, "the agent hands it what its users ask for", one, "bedrock.amazonaws.com")


_NOTIFIED: Final = (
    ("lambda_function", ("lambda_function_arn",), "lambda:function"),
    ("queue", ("queue_arn",), "sqs:queue"),
    ("topic", ("topic_arn",), "sns:topic"),
    ("LambdaConfigurations", ("Function",), "lambda:function"),
    ("QueueConfigurations", ("Queue",), "sqs:queue"),
    ("TopicConfigurations", ("Topic",), "sns:topic"),
)
_KINDS: Final = {
    "aws_batch_job_definition": Triggers.secrets,
    "aws_ecs_task_definition": Triggers.secrets,
    "aws_bedrockagent_agent": Triggers.agent,
    "aws_bedrockagent_agent_action_group": Triggers.group,
    "aws_cloudwatch_event_rule": Triggers.rule,
    "aws_lambda_function": Triggers.layers,
    "aws_lambda_event_source_mapping": Triggers.mapping,
    "aws_s3_bucket": Triggers.notification,
    "aws_s3_bucket_notification": Triggers.notification,
    "aws_sagemaker_endpoint": Triggers.endpoint,
    "aws_sam_trigger": Triggers.sam,
    "aws_sns_topic": Triggers.topic,
    "aws_sns_topic_subscription": Triggers.subscription,
}


def _within(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Map) else None


def _of_new_objects(part: Map) -> bool:
    """Whether it is about objects that somebody writes; one that names nothing that is known may be."""
    given = part.get("events") or part.get("Events") or part.get("Event")
    names = [given] if isinstance(given, str) else listed(given)
    known = [one for one in names if isinstance(one, str) and not isinstance(one, Unresolved)]
    return not known or len(known) < len(names) or any(not one.startswith("s3:ObjectRemoved") for one in known)
