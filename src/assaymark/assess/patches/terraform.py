"""Patches of Terraform: settings of resources that are wrong by themselves, of AWS.

A setting that a variable decides is left to whoever gives the variable; encryption that makes a thing anew, and what
takes access from somebody, is shown and never applied.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.edits import text_of_file
from assaymark.assess.patches.buckets import Statement, bucket_of, denied, in_network
from assaymark.assess.terraform.declared import block_of, declared, referable
from assaymark.formats.hcl.tree import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.patch import Patch, Place
    from assaymark.formats.hcl.tree import Block

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]
    Changes: TypeAlias = dict[str, str]

_BLOCK: Final = "aws_s3_bucket_public_access_block"
_FLAGS: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def found_at(place: Place, *kinds: str) -> Iterator[TfResource]:
    """The resources of these kinds that a finding is about: those on its line, else those of its name."""
    index = declared(place.estates)
    here = [one for one in index.by_line[place.path, place.line] if one.kind in kinds]
    yield from here or [one for one in index.by_arn[place.finding.name] if one.kind in kinds]


def changed(resource: TfResource, values: Changes, title: str, *, safe: bool = False) -> Iterator[Patch]:
    """A resource with attributes set; nothing where one of them is no plain value, or not plain to set."""
    found = block_of(resource)
    if found is None:
        yield from _of_template(resource, values, title, safe=safe)
        return
    file, block = found
    changes = []
    for path, value in values.items():
        change = None if _decided(block, path) else file.set(block, path, value)
        if change is None:
            return
        changes.append(change)
    yield from file.text.replaced(_joined(changes), title, safe=safe)


def _of_template(resource: TfResource, values: Changes, title: str, *, safe: bool) -> Iterator[Patch]:
    """Properties of a template of CloudFormation that are written as plain values, each on a line of its own."""
    if not resource.file.path.lower().endswith((".yaml", ".yml", ".json", ".template")):
        return
    text = text_of_file(resource.file)
    changes = []
    for name, value in values.items():
        line = resource.values.at(name)
        camel = "".join(word.capitalize() for word in name.split("_"))
        match = None
        if name in resource.values and 0 < line <= len(text.lines):
            match = re.search(rf"\b{camel}\"?\s*:\s*(\"\w+\"|\w+)(?=\s*(?:[,}}#]|$))", text.lines[line - 1])
        if match is None:
            return
        start = text.start_of(line)
        changes.append((start + match.start(1), start + match.end(1), value))
    yield from text.replaced(changes, title, safe=safe)


def _joined(changes: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Texts that are added at one position, as one."""
    found: dict[tuple[int, int], str] = {}
    for start, end, text in changes:
        found[start, end] = found.get((start, end), "") + text
    return [(start, end, text) for (start, end), text in found.items()]


def _decided(block: Block, path: str) -> bool:
    """Whether an attribute is there and is no plain value: what a variable gives is for its giver to change."""
    name, _, rest = path.partition(".")
    if rest:
        return any(_decided(one, rest) for one in block.body.blocks if one.kind == name)
    value = block.body.attributes.get(name)
    return value is not None and not isinstance(value, Literal)


def setting(kind: str, values: Changes, title: str, *, safe: bool = False) -> Writer:
    """Sets attributes of the resource that the finding is about."""

    def write(place: Place) -> Iterator[Patch]:
        for resource in found_at(place, kind):
            yield from changed(resource, values, title, safe=safe)

    return write


def first_of(*writers: Writer) -> Writer:
    """What the first writer that knows the resource writes."""

    def write(place: Place) -> list[Patch]:
        return next((found for one in writers if (found := list(one(place)))), [])

    return write


def _notebook(place: Place) -> Iterator[Patch]:
    """A notebook is kept from the internet only where it is in a network that it could use instead."""
    for resource in found_at(place, "aws_sagemaker_notebook_instance"):
        values = {"root_access": '"Disabled"'}
        if resource.get("direct_internet_access") != "Disabled":
            if not resource.get("subnet_id"):
                return
            values["direct_internet_access"] = '"Disabled"'
        yield from changed(resource, values, "keep the notebook from root and from the internet past its network")


def _isolation(place: Place) -> Iterator[Patch]:
    """A model without a network, where all its containers are given what they load; others fetch it."""
    for resource in found_at(place, "aws_sagemaker_model"):
        containers = [*resource.blocks("primary_container"), *resource.blocks("container")]
        given = all(one.get("model_data_url") or one.get("model_data_source") for one in containers)
        fetches = any("HF_MODEL_ID" in str(one.get("environment")) for one in containers)
        if containers and given and not fetches:
            yield from changed(resource, {"enable_network_isolation": "true"}, "run the model without a network")


def _function_url(place: Place) -> Iterator[Patch]:
    function = place.estates.aws.resources.get(place.finding.name)
    url = declared(place.estates).of_values(function.settings.get("url")) if function is not None else None
    if url is None:
        return
    title = "let only those call the URL whom IAM lets"
    yield from changed(url, {"authorization_type": '"AWS_IAM"'}, title)
    line = url.values.at("authorization_type")
    text = text_of_file(url.file)
    if url.file.path.lower().endswith((".yaml", ".yml", ".json", ".template")) and line <= len(text.lines):
        match = re.search(r"(?<=AuthType)(\"?\s*:\s*[\"']?)NONE\b", text.lines[line - 1])
        if match is not None:
            start = text.start_of(line) + match.start()
            yield from text.replaced([(start, start + len(match[0]), f"{match[1]}AWS_IAM")], title)


def _acl(place: Place) -> Iterator[Patch]:
    """A bucket's canned ACL."""
    bucket = place.estates.aws.resources.get(place.finding.name)
    acl = bucket.settings.get("acl") if bucket is not None else None
    resource = declared(place.estates).of_values(acl)
    if resource is not None and isinstance(resource.values.get("acl"), str):
        yield from changed(resource, {"acl": '"private"'}, "let only the owner's account in")
    elif isinstance(acl, str):
        for one in found_at(place, "aws_s3_bucket"):
            yield from changed(one, {"acl": '"private"'}, "let only the owner's account in")


def _is_public(place: Place) -> bool:
    """Whether something lets everyone into a bucket on purpose: that goes first, or a block refuses to be with it."""
    bucket = place.estates.aws.resources.get(place.finding.name)
    if bucket is None:
        return False
    acl = bucket.settings.get("acl")
    canned = acl.get("acl") if isinstance(acl, dict) else acl
    everyone = any(
        one.effect == "Allow" and ({"*"} & {*(one.principals or {}), *(one.principals or {}).get("AWS", ())})
        for one in (bucket.policy.statements if bucket.policy is not None else ())
    )
    grants = "/groups/global/" in str(acl) or "/groups/global/" in str(bucket.settings.get("grant"))
    return everyone or grants or (isinstance(canned, str) and canned.startswith(("public", "authenticated")))


def _public_block(place: Place) -> Iterator[Patch]:
    """A block of public access for a bucket of Terraform; one that is there is closed."""
    bucket = bucket_of(place)
    if bucket is None or _is_public(place):
        return
    title = "block public access"
    name = bucket.address.partition(".")[2]
    there = declared(place.estates).naming(_BLOCK, "bucket", bucket)
    if there:
        for one in there:
            yield from changed(one, dict.fromkeys(_FLAGS, "true"), title)
        return
    if not declared(place.estates).free(bucket.file.path, f"{_BLOCK}.{name}"):
        return
    text = text_of_file(bucket.file)
    width = max(map(len, _FLAGS))
    flags = [f"  {flag.ljust(width)} = true" for flag in _FLAGS]
    bound = f"  {'bucket'.ljust(width)} = {bucket.address}.id"
    yield text.appended(("", f'resource "{_BLOCK}" "{name}" {{', bound, *flags, "}"), title)


def _tls_only(place: Place) -> Iterator[Patch]:
    """A statement that refuses requests without TLS, in the bucket's policy or in one that is made."""
    bucket = bucket_of(place)
    if bucket is None:
        return
    title = "refuse requests without TLS"
    resources = (f"{bucket.address}.arn", f'"${{{bucket.address}.arn}}/*"')
    statement = Statement("TlsOnly", "s3:*", resources, (("Bool", "aws:SecureTransport", '"false"'),))
    yield from denied(place, bucket, statement, title)


def _listener(place: Place) -> Iterator[Patch]:
    """A redirection to the same balancer's listener with TLS, where there is one on its usual port."""
    index = declared(place.estates)
    kinds = ("aws_lb_listener", "aws_alb_listener")
    named = index.by_address[place.finding.name]
    found = [one for one in named if one.kind in kinds and one.file.path == place.path]
    for resource in found[:1]:
        balancer = resource.get("load_balancer_arn")
        with_tls = any(
            one.get("load_balancer_arn") == balancer
            and str(one.get("protocol")) == "HTTPS"
            and str(one.get("port")) in ("443", "443.0")
            for one in index.by_kind[resource.kind]
        )
        shown = block_of(resource)
        if not with_tls or not balancer or shown is None:
            return
        file, block = shown
        actions = [one for one in block.body.blocks if one.kind == "default_action"]
        if len(actions) != 1:
            return
        start, end = file.spans[id(actions[0].body)]
        indent = file.text.indent(actions[0].line)
        lines = ['type = "redirect"', "redirect {", '  port        = "443"', '  protocol    = "HTTPS"']
        lines += ['  status_code = "HTTP_301"', "}"]
        new = "".join(f"\n{indent}  {line}" for line in lines) + f"\n{indent}"
        yield from file.text.replaced([(start, end, new)], "send plain HTTP on to the listener with TLS")


def _security_group(place: Place) -> Iterator[Patch]:
    """The network that a group is in, in place of every address, where that network is declared beside it."""
    index = declared(place.estates)
    address = place.finding.name.partition("#")[0]
    named = [one for one in index.by_address[address] if one.kind in _GROUPS]
    for resource in named[:1]:
        group = resource if "security_group_id" not in resource.values else _group_of(place, resource)
        network = str(group.get("vpc_id")) if group is not None else ""
        vpcs = [
            one
            for one in index.by_kind["aws_vpc"]
            if network in (one.text("id"), "${" + one.address + ".id}") and referable(one, resource.file.path)
        ]
        shown = block_of(resource)
        if len(vpcs) != 1 or shown is None or not isinstance(vpcs[0].get("cidr_block"), str):
            return
        file, _ = shown
        block = file.blocks.get(place.line)
        if block is None or block.kind == "dynamic":
            return
        there = [
            name for name in ("ipv6_cidr_blocks", "cidr_ipv6", "prefix_list_ids") if block.body.attributes.get(name)
        ]
        name = next((one for one in ("cidr_blocks", "cidr_ipv4") if one in block.body.attributes), "")
        if there or not name:
            return
        new = f"{vpcs[0].address}.cidr_block"
        change = (*file.spans[id(block.body.attributes[name])], f"[{new}]" if name == "cidr_blocks" else new)
        yield from file.text.replaced([change], f"let only the network {vpcs[0].address} in")


def _signed(place: Place) -> Iterator[Patch]:
    """Routes of an API that ask callers to sign, which those with an identity of AWS can."""
    index = declared(place.estates)
    for line in place.at_lines:
        for resource in index.by_line[place.path, line]:
            name = _AUTHORIZATION.get(resource.kind)
            if name is not None:
                yield from changed(resource, {name: '"AWS_IAM"'}, "let callers in who sign as principals of AWS")


def _no_bodies(place: Place) -> Iterator[Patch]:
    """What keeps requests and answers is turned off."""
    for resource in declared(place.estates).by_address[place.finding.name]:
        name = _KEEPS.get(resource.kind)
        if name is not None and resource.file.path == place.path:
            yield from changed(resource, {name: "false"}, "keep nothing of what clients send")


_KEEPS: Final = {
    "aws_api_gateway_method_settings": "settings.data_trace_enabled",
    "google_vertex_ai_endpoint": "predict_request_response_logging_config.enabled",
    "aws_bedrock_model_invocation_logging_configuration": "logging_config.text_data_delivery_enabled",
}
_AUTHORIZATION: Final = {
    "aws_api_gateway_method": "authorization",
    "aws_apigatewayv2_route": "authorization_type",
}
_GROUPS: Final = (
    *("aws_security_group", "aws_default_security_group", "aws_security_group_rule"),
    "aws_vpc_security_group_ingress_rule",
)


def _group_of(place: Place, rule: TfResource) -> TfResource | None:
    named = rule.text("security_group_id")
    for one in declared(place.estates).by_kind["aws_security_group"]:
        if named and named in (one.text("id"), "${" + one.address + ".id}"):
            return one
    return None


TERRAFORM_WRITERS: Final[dict[str, Writer]] = {
    "aws-api-open": _signed,
    "log-body-configured": _no_bodies,
    "aws-bucket-any-network": in_network,
    "aws-bucket-plaintext": _tls_only,
    "aws-bucket-public": _acl,
    "aws-bucket-public-block": _public_block,
    "aws-file-system-plaintext": setting(
        "aws_efs_file_system", {"encrypted": "true"}, "encrypt the file system, which makes it anew"
    ),
    "aws-function-url-open": _function_url,
    "aws-key-rotation": setting(
        "aws_kms_key", {"enable_key_rotation": "true"}, "rotate the key each year", safe=True
    ),
    "aws-listener-plaintext": _listener,
    "aws-notebook-open": first_of(
        _notebook,
        setting(
            "aws_sagemaker_domain",
            {"app_network_access_type": '"VpcOnly"'},
            "reach the internet by one's own network",
        ),
    ),
    "aws-registry-mutable": setting(
        "aws_ecr_repository", {"image_tag_mutability": '"IMMUTABLE"'}, "keep tags where they are"
    ),
    "aws-sagemaker-plaintext": _isolation,
    "aws-security-group-open": _security_group,
}
