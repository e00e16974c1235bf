"""The collector of CloudFormation: its resources in the names that Terraform has for them, with functions resolved.

What a template says of a role, a bucket or a function is the same as what Terraform says, in other words; so one
collector reads both (``from_terraform``). What conditions leave open counts as made.
This is one file because functions, references and resources of a template are resolved through each other.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.aws.cloudformation_conditions import Conditions
from assaymark.assess.aws.cloudformation_types import TYPES
from assaymark.assess.aws.cloudformation_words import listed, renamed, snake, snaked
from assaymark.assess.aws.sam_events import sam_events, sam_triggers
from assaymark.assess.aws.sam_policies import sam_policy
from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.estate.terraform import TfResource
from assaymark.assess.terraform.identity import REGION, arn_of, computed, name_of
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.assess.values import natural, text_of
from assaymark.core.graph import State
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

# A policy that names whom it is attached to makes one attachment for each.
_ATTACHED: Final = {"Roles": "role", "Users": "user", "Groups": "group"}
_IS_ARN: Final = frozenset(("aws_iam_policy", "aws_sns_topic", "aws_secretsmanager_secret", "aws_sfn_state_machine"))
_INGRESS: Final = {
    "CidrIp": "cidr_blocks",
    "CidrIpv6": "ipv6_cidr_blocks",
    "FromPort": "from_port",
    "ToPort": "to_port",
    "IpProtocol": "protocol",
}
# A policy of several things: its property that lists them, and the attribute that names one.
_SEVERAL: Final = {"AWS::SQS::QueuePolicy": ("Queues", "queue_url"), "AWS::SNS::TopicPolicy": ("Topics", "arn")}
_TRUSTS: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_PSEUDO: Final = {
    "AWS::AccountId": UNKNOWN_ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "<stack>",
}
_LISTS: Final = ("CommaDelimitedList",)
_NOTHING: Final = "AWS::NoValue"


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds the resources of all templates to what is declared."""
    templates = []
    for file, value in inputs.maps():
        resources = value.get("Resources")
        if isinstance(resources, Map) and any(
            isinstance(one, Map) and str(one.get("Type", "")).startswith("AWS::") for one in resources.values()
        ):
            inputs.reading.read.add(file.path)
            templates.append(_Template(inputs, file, value, resources))
    exported = _exported(templates)
    for template in templates:
        template.exported = exported
        estates.terraform += template.all()


def _exported(templates: list[_Template]) -> dict[str, Callable[[], Any]]:
    """By the name of an export what it is, where one template alone exports that name."""
    found: dict[str, list[Callable[[], Any]]] = {}
    for template in templates:
        for name, value in template.exports():
            found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


class _Template:
    def __init__(self, inputs: Inputs, file: SourceFile, value: Map, resources: Map) -> None:
        self._inputs = inputs
        self._file = file
        parameters = value.get("Parameters")
        self._parameters = parameters if isinstance(parameters, Map) else Map(1)
        mappings = value.get("Mappings")
        self._mappings = mappings if isinstance(mappings, Map) else Map(1)
        self._resources = resources
        self._open: set[str] = set()
        self._conditions = Conditions(value.get("Conditions"), self.resolve)
        self.globals: Any = value.get("Globals")  # what a template of SAM says for all of a kind
        self._outputs = value.get("Outputs")
        self.exported: dict[str, Callable[[], Any]] = {}  # what templates of the input export, by name

    def all(self) -> list[TfResource]:
        """The resources that it makes."""
        left_out = [name for name in self._resources if not self.made(name)]
        if left_out:
            names = ", ".join(left_out)
            self._inputs.reading.gap(f"with the defaults of its parameters {self._file.path} does not make {names}")
        return [one for name in self._resources if name not in left_out for one in self.declared(name)]

    def exports(self) -> list[tuple[str, Callable[[], Any]]]:
        """The names under which other stacks may take its outputs in, and what those are."""
        found: list[tuple[str, Callable[[], Any]]] = []
        for output in self._outputs.values() if isinstance(self._outputs, Map) else ():
            export = output.get("Export") if isinstance(output, Map) else None
            name = self.resolve(export.get("Name")) if isinstance(export, Map) else None
            no = isinstance(output, Map) and self._conditions.holds(output.get("Condition")) is State.NO
            if isinstance(name, str) and not isinstance(name, Unresolved) and not no:
                found.append((name, partial(self.resolve, output.get("Value"))))
        return found

    def made(self, name: str) -> bool:
        """Whether a resource of the template is made, unless its condition says that it is not."""
        item = self._resources[name]
        condition = item.get("Condition") if isinstance(item, Map) else None
        return condition is None or self._conditions.holds(condition) is not State.NO

    def declared(self, name: str) -> list[TfResource]:
        """The resources that one of the template is, in Terraform's names; none for types that nobody asks about."""
        item = self._resources[name]
        kind = str(item.get("Type")) if isinstance(item, Map) else ""
        if kind == "AWS::IAM::Policy":
            return self._policy(name, item, inline=True)
        if kind in _SAM_APIS:
            return self._sam_api(name, item, _SAM_APIS[kind])
        if kind not in TYPES:
            return []
        if kind in _SEVERAL:
            return self._each(name, item, *_SEVERAL[kind])
        found = [self._resource(name, TYPES[kind][0], self._values(item, TYPES[kind][1]), item.line)]
        if kind == "AWS::IAM::ManagedPolicy":
            found += self._policy(name, item, inline=False)
        if kind == "AWS::S3::Bucket":
            found += self._bucket(name, item)
        if found[0].kind == "aws_sfn_state_machine":
            found += self._machine(name, item, found[0])
        if kind == "AWS::Serverless::Function":
            found += [*self._url(name, item), *(roles := self._own_role(name, item, "lambda"))]
            for key, values in sam_events(_properties(item), self._resources, self.globals, self.resolve):
                values.put("function", found[0].arn, values.line)
                found.append(self._resource(f"{name}-{key}", "aws_sam_event", values, values.line))
            for key, values in sam_triggers(_properties(item), self.resolve):
                values.put("function", found[0].arn, values.line)
                found.append(self._resource(f"{name}-{key}", "aws_sam_trigger", values, values.line))
            for role in roles:
                found[0].values.put("role", role.arn, item.line)
        return found

    def _values(self, item: Map, names: dict[str, str]) -> Map:
        properties = _properties(item)
        found = Map(item.line)
        for key, value in properties.items():
            resolved = self.resolve(value)
            if key == "Policies" and isinstance(resolved, list):
                found.put(
                    "inline_policy",
                    renamed(resolved, {"PolicyName": "name", "PolicyDocument": "policy"}),
                    properties.at(key),
                )
            elif key == "SecurityGroupIngress" and isinstance(resolved, list):
                found.put("ingress", listed(renamed(resolved, _INGRESS)), properties.at(key))
            elif key == "Roles" and names.get(key) == "role":
                found.put(
                    "role", resolved[0] if isinstance(resolved, list) and resolved else resolved, properties.at(key)
                )
            elif key == "LaunchTemplateData" and isinstance(resolved, Map):
                for inner, value_of in snaked(resolved).items():
                    found.put(inner, value_of, properties.at(key))
            elif key in _SNAKED and key in names:
                found.put(names[key], snaked(resolved), properties.at(key))
            elif key == "Tags":
                found.put("tags", resolved, properties.at(key))
            elif key in names:
                found.put(names[key], resolved, properties.at(key))
        return found

    def _resource(self, name: str, kind: str, values: Map, line: int) -> TfResource:
        address = f"{kind}.{name}"

        def get(key: str) -> Any:
            return values.get(key)

        def made(key: str) -> Any:
            return computed(kind, name, key, get, UNKNOWN_ACCOUNT, REGION)

        arn = arn_of(kind, name, get, UNKNOWN_ACCOUNT, REGION)
        return TfResource(kind, address, values, self._file, line, UNKNOWN_ACCOUNT, REGION, arn, made)

    def _policy(self, name: str, item: Map, *, inline: bool) -> list[TfResource]:
        """The attachments of a policy."""
        properties = _properties(item)
        found = []
        for key, kind in _ATTACHED.items():
            members = self.resolve(properties.get(key))
            for index, member in enumerate(members if isinstance(members, list) else ()):
                values = Map(item.line)
                values.put(kind, member, item.line)
                if inline:
                    values.put(
                        "policy", self.resolve(properties.get("PolicyDocument")), properties.at("PolicyDocument")
                    )
                else:
                    values.put("policy_arn", self.reference(name), item.line)
                suffix = "policy" if inline else "policy_attachment"
                found.append(self._resource(f"{name}-{kind}-{index}", f"aws_iam_{kind}_{suffix}", values, item.line))
        return found

    def _each(self, name: str, item: Map, key: str, own: str) -> list[TfResource]:
        """The policy of a template that is that of several things, once for each."""
        kind, names = TYPES[str(item.get("Type"))]
        members = self.resolve(_properties(item).get(key))
        found = []
        for index, member in enumerate(members if isinstance(members, list) else [members]):
            values = self._values(item, names)
            values.put(own, member, _properties(item).at(key))
            found.append(self._resource(f"{name}-{index}", kind, values, item.line))
        return found

    def _machine(self, name: str, item: Map, made: TfResource) -> list[TfResource]:
        """The definition of a state machine, and what SAM makes beside it: its role, and what starts it."""
        properties = _properties(item)
        uri = properties.get("DefinitionUri")
        folder = posixpath.dirname(self._file.path)
        path = posixpath.normpath(posixpath.join(folder, uri)) if isinstance(uri, str) and "://" not in uri else ""
        file = self._inputs.file(path)
        for one in self._inputs.documents_of(file)[:1] if file is not None else ():
            made.values.put("definition", one.value, properties.at("DefinitionUri"))
            self._inputs.reading.read.add(one.file.path)
        given = self.resolve(properties.get("DefinitionSubstitutions"))
        for key in ("definition", "definition_string") if isinstance(given, Map) else ():
            if made.values.get(key) is not None:
                made.values.put(key, _substituted(made.values[key], given), item.line)
        if item.get("Type") != "AWS::Serverless::StateMachine":
            return []
        found = self._own_role(name, item, "states")
        for role in found:
            made.values.put("role_arn", role.arn, item.line)
        for key, values in sam_events(properties, self._resources, self.globals, self.resolve):
            values.put("function", made.arn, values.line)
            found.append(self._resource(f"{name}-{key}", "aws_sam_event", values, values.line))
        for key, values in sam_triggers(properties, self.resolve):
            values.put("function", made.arn, values.line)
            found.append(self._resource(f"{name}-{key}", "aws_sam_trigger", values, values.line))
        return found

    def _own_role(self, name: str, item: Map, service: str) -> list[TfResource]:
        """The role that SAM makes for what names none, with the policies that it lists."""
        properties = _properties(item)
        if properties.get("Role") is not None:
            return []
        line, role = item.line, f"{name}Role"
        values = Map(line)
        values.put("name", f"<stack>-{role}", line)
        values.put("assume_role_policy", _TRUSTS % service, line)
        policies = self.resolve(properties.get("Policies"))
        inline, managed = Seq(line), Seq(line)
        for given in policies if isinstance(policies, list) else [] if policies is None else [policies]:
            one = (sam_policy(given) or given) if isinstance(given, Map) else given
            if isinstance(one, Map) and "Statement" in one:
                block = Map(one.line)
                block.put("name", f"policy-{len(inline)}", one.line)
                block.put("policy", one, one.line)
                inline.put(block, one.line)
            elif isinstance(one, Map):
                text = f"the policy template {next(iter(one), '')} of {name} is not expanded: what it allows is open"
                self._inputs.reading.skip(self._file.path, text, one.line)
                managed.put(Unresolved("${" + str(next(iter(one), "")) + "}"), one.line)
            elif isinstance(one, str):
                text = (
                    one if one.startswith("arn:") or isinstance(one, Unresolved) else f"arn:aws:iam::aws:policy/{one}"
                )
                managed.put(text, line)
        values.put("inline_policy", inline, line)
        values.put("managed_policy_arns", managed, line)
        return [self._resource(role, "aws_iam_role", values, line)]

    def _url(self, name: str, item: Map) -> list[TfResource]:
        """The URL that a function of SAM has within itself."""
        value = self.resolve(_properties(item).get("FunctionUrlConfig"))
        if not isinstance(value, Map):
            return []
        values = Map(value.line)
        values.put("function_name", self.reference(name), value.line)
        values.put("authorization_type", value.get("AuthType"), value.at("AuthType"))
        return [self._resource(f"{name}-url", "aws_lambda_function_url", values, value.line)]

    def _sam_api(self, name: str, item: Map, kind: str) -> list[TfResource]:
        """An API of SAM whose routes stand in an OpenAPI document; the others are events of functions."""
        properties = _properties(item)
        body = self.resolve(properties.get("DefinitionBody"))
        if not isinstance(body, Map):
            return []
        auth = self.resolve(properties.get("Auth"))
        values = Map(item.line)
        values.put("name", properties.get("Name") or name, properties.at("Name"))
        values.put("body", body, properties.at("DefinitionBody"))
        values.put("endpoint_configuration", self.resolve(properties.get("EndpointConfiguration")), item.line)
        if isinstance(auth, Map):
            values.put("default_authorizer", auth.get("DefaultAuthorizer"), auth.line)
        return [self._resource(name, kind, values, item.line)]

    def _bucket(self, name: str, item: Map) -> list[TfResource]:
        properties = _properties(item)
        found = []
        parts = (
            ("PublicAccessBlockConfiguration", "aws_s3_bucket_public_access_block"),
            ("BucketEncryption", "aws_s3_bucket_server_side_encryption_configuration"),
        )
        for key, kind in parts:
            value = self.resolve(properties.get(key))
            if isinstance(value, Map):
                values = Map(value.line)
                values.put("bucket", self.reference(name), value.line)
                for one, inner in value.items():
                    values.put(snake(one), snaked(inner), value.at(one))
                found.append(self._resource(f"{name}-{kind}", kind, values, value.line))
        return found

    # functions

    def reference(self, name: str) -> Any:
        """What ``Ref`` gives."""
        if name in _PSEUDO or name == _NOTHING:
            return _PSEUDO.get(name)
        if name in self._parameters:
            parameter = self._parameters[name]
            default = parameter.get("Default") if isinstance(parameter, Map) else None
            kind = str(parameter.get("Type")) if isinstance(parameter, Map) else ""
            if default is None or kind.startswith("AWS::SSM::Parameter::"):  # whose default is a name, no value
                self._inputs.reading.gap(f"the parameter {name} of {self._file.path} has no value in the input")
                return Unresolved("${" + name + "}")
            return (
                _members(default, parameter.at("Default")) if kind in _LISTS or kind.startswith("List<") else default
            )
        return self._attribute(name, "Ref")

    def _attribute(self, name: str, attribute: str) -> Any:
        item = self._resources.get(name)
        kind = TYPES.get(str(item.get("Type")), ("",))[0] if isinstance(item, Map) else ""
        key = f"{name}.{attribute}"
        if not isinstance(item, Map) or not kind or key in self._open:
            return Unresolved("${" + key + "}")
        self._open.add(key)
        try:
            values = self._values(item, {k: v for k, v in TYPES[str(item.get("Type"))][1].items() if v in _NAMING})
        finally:
            self._open.discard(key)
        if attribute == "Arn" or (attribute == "Ref" and kind in _IS_ARN):
            return arn_of(kind, name, values.get, UNKNOWN_ACCOUNT, REGION) or Unresolved("${" + key + "}")
        if kind == "aws_iam_access_key" and attribute == "SecretAccessKey":
            return Unresolved(f"${{{kind}.{name}.secret}}")
        if attribute == "Ref" or attribute in _AS_REF:
            return name_of(kind, name, values.get)
        found = computed(kind, name, snake(attribute), values.get, UNKNOWN_ACCOUNT, REGION)
        return found if found is not None else Unresolved("${" + key + "}")

    def resolve(self, value: Any) -> Any:
        """A value with its functions computed, as far as they can be."""
        if isinstance(value, Map):
            if len(value) == 1:
                (name, argument), *_ = value.items()
                if name == "Ref" and isinstance(argument, str):
                    return self.reference(argument)
                if name.startswith("Fn::"):
                    return self._function(name[4:], argument, value)
            found = Map(value.line)
            for key, item in value.items():
                resolved = self.resolve(item)
                if resolved is not None or item is None:
                    found.put(key, resolved, value.at(key))
            return found
        if isinstance(value, Seq):
            items = Seq(value.line)
            for index, item in enumerate(value):
                if (resolved := self.resolve(item)) is not None:
                    items.put(resolved, value.at(index))
            return items
        return value

    def _function(self, name: str, argument: Any, value: Map) -> Any:
        if name == "If" and isinstance(argument, list) and len(argument) > 2:  # noqa: PLR2004 - a condition, two sides
            state = self._conditions.holds(argument[0])
            if state is not State.UNKNOWN:
                return self.resolve(argument[1 if state is State.YES else 2])
        run = _FUNCTIONS.get(name)
        found = run(self, argument) if run is not None else None
        return found if found is not None else Unresolved("${" + f"Fn::{name} of line {value.line}" + "}")

    def get_attribute(self, argument: Any) -> Any:
        """``Fn::GetAtt``."""
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) > 1 and all(isinstance(part, str) for part in parts):
            return self._attribute(parts[0], ".".join(parts[1:]))
        return None

    def substitute(self, argument: Any) -> Any:
        """``Fn::Sub``."""
        text, given = (argument, Map(0)) if isinstance(argument, str) else (None, Map(0))
        if isinstance(argument, list) and len(argument) > 1 and isinstance(argument[1], Map):
            text, given = argument[0], argument[1]
        if not isinstance(text, str):
            return None
        shown, pattern, at = [], [], 0
        for match in _VARIABLE.finditer(text):
            plain = text[at : match.start()]
            at = match.end()
            value: Any = "${" + match[2] + "}"
            if not match[1]:
                name = match[2].strip()
                value = self.resolve(given[name]) if name in given else self._variable(name)
            word = text_of(value)
            shown += [plain, str(value) if word is None else word]
            pattern += [plain, HOLE if word is None else pattern_of(word)]
        whole, holes = "".join((*shown, text[at:])), "".join((*pattern, text[at:]))
        return Unresolved(whole, holes) if HOLE in holes else whole

    def _variable(self, name: str) -> Any:
        head, dot, rest = name.partition(".")
        return self._attribute(head, rest) if dot else self.reference(name)

    def join(self, argument: Any) -> Any:
        """``Fn::Join``."""
        if not (isinstance(argument, list) and len(argument) == 2):  # noqa: PLR2004 - a separator and a list
            return None
        items = self.resolve(argument[1])
        texts = [text_of(item) for item in items] if isinstance(items, list) else [None]
        if any(text is None for text in texts):
            return None
        shown = str(argument[0]).join(str(text) for text in texts)
        holes = str(argument[0]).join(
            pattern_of(str(text) if not isinstance(text, Unresolved) else text) for text in texts
        )
        return Unresolved(shown, holes) if HOLE in holes else shown

    def select(self, argument: Any) -> Any:
        """``Fn::Select``."""
        items = self.resolve(argument[1]) if isinstance(argument, list) and len(argument) > 1 else None
        index = natural(text_of(argument[0])) if isinstance(argument, list) and argument else None
        if isinstance(items, list) and index is not None and index < len(items):
            return items[index]
        return None

    def either(self, argument: Any) -> Any:
        """``Fn::If``, not decided: known where both sides are the same, or one is nothing and the other something."""
        sides = [self.resolve(item) for item in argument[1:3]] if isinstance(argument, list) else []
        real = [side for side in sides if side is not None]
        return real[0] if len(real) == 1 or (len(real) > 1 and real[0] == real[1]) else None

    def imported(self, argument: Any) -> Any:
        """``Fn::ImportValue``: what another template of the input exports under the name."""
        name = self.resolve(argument)
        if not isinstance(name, str):
            return None
        if name not in self.exported or name in self._open:
            text = f"no template of the input exports {name}, which {self._file.path} takes in"
            self._inputs.reading.gap(text)
            return Unresolved("${" + name + "}")
        self._open.add(name)
        try:
            return self.exported[name]()
        finally:
            self._open.discard(name)

    def split(self, argument: Any) -> Any:
        """``Fn::Split``."""
        text = self.resolve(argument[1]) if isinstance(argument, list) and len(argument) > 1 else None
        separator = argument[0] if isinstance(argument, list) and argument else None
        if not isinstance(text, str) or isinstance(text, Unresolved) or not isinstance(separator, str):
            return None
        return _members(text, 0, separator) if separator else None

    def found_in_map(self, argument: Any) -> Any:
        """``Fn::FindInMap``."""
        value: Any = self._mappings
        for key in self.resolve(argument) if isinstance(argument, list) else [None]:
            value = value.get(key) if isinstance(value, Map) and isinstance(key, str) else None
        return value


_SAM_APIS: Final = {
    "AWS::Serverless::Api": "aws_api_gateway_rest_api",
    "AWS::Serverless::HttpApi": "aws_apigatewayv2_api",
}
# Attributes that are what ``Ref`` gives.
_AS_REF: Final = frozenset(
    (
        *(
            "GroupId",
            "LaunchTemplateId",
            "ListenerArn",
            "LoadBalancerArn",
            "TargetGroupArn",
            "SubnetId",
            "InstanceId",
        ),
        *("RestApiId", "ApiId", "AgentId", "QueueName", "TopicName", "EndpointConfigName", "ModelName"),
        "NotebookInstanceLifecycleConfigName",
    )
)
# Nested settings that are read by Terraform's names.
_SNAKED: Final = frozenset(
    (
        *("SourceConfiguration", "InstanceConfiguration", "LaunchTemplate", "Source", "SecondarySources", "Stages"),
        *("ArtifactStore", "BootstrapActions", "Steps", "ExtendedS3DestinationConfiguration", "TargetParameters"),
        *("KinesisStreamSourceConfiguration", "S3DestinationConfiguration", "RedshiftDestinationConfiguration"),
        *("AmazonopensearchserviceDestinationConfiguration",),
    )
)
_NAMING: Final = frozenset(
    ("name", "path", "bucket", "function_name", "identifier", "family", "url", "agent_name", "repository_name")
)
_FUNCTIONS: Final[dict[str, Callable[[_Template, Any], Any]]] = {
    "Base64": lambda template, text: template.resolve(text),  # what reads it takes the text as it is, too
    "FindInMap": _Template.found_in_map,
    "GetAtt": _Template.get_attribute,
    "If": _Template.either,
    "ImportValue": _Template.imported,
    "Join": _Template.join,
    "Select": _Template.select,
    "Split": _Template.split,
    "Sub": _Template.substitute,
}


def _members(text: Any, line: int, separator: str = ",") -> Any:
    """The members of a list that a text spells out; anything else as it is."""
    if not isinstance(text, str):
        return text
    found = Seq(line)
    for one in text.split(separator):
        found.put(one.strip() if separator == "," else one, line)
    return found


def _substituted(value: Any, given: Map) -> Any:
    """A definition with the values that a template gives its variables."""
    if isinstance(value, Map):
        found = Map(value.line)
        for key, item in value.items():
            found.put(key, _substituted(item, given), value.at(key))
        return found
    if isinstance(value, Seq):
        items = Seq(value.line)
        for index, item in enumerate(value):
            items.put(_substituted(item, given), value.at(index))
        return items
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda match: text_of(given.get(match[2].strip())) or match[0], value)


def _properties(item: Map) -> Map:
    found = item.get("Properties")
    return found if isinstance(found, Map) else Map(item.line)
