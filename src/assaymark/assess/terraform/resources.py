"""``terraform_resources``: the resources of all plans and root modules in the input, in one form."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.estate.terraform import TfResource
from assaymark.assess.files import is_fetched
from assaymark.assess.terraform.identity import REGION, arn_of, computed
from assaymark.assess.terraform.identity_clouds import is_cloud, unknown_place
from assaymark.assess.terraform.module import Folder, Module
from assaymark.assess.unresolved import Unresolved
from assaymark.core.errors import InputError
from assaymark.formats.hcl.json_syntax import body_of_json, values_of_json
from assaymark.formats.hcl.parser import parse_hcl
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.hcl.tree import Body


_COLONS = 5  # of an ARN
_STATE = 4  # the version of state files since Terraform 0.12
# Data sources that make something of the input's own files, or tell what the own account is in.
_LOCAL = frozenset(("archive_file", "aws_organizations_organization"))
_WRITTEN = (".json", ".tfstate")  # what Terraform writes; of YAML nothing is looked at before charts are known
_MAX_BLOCKS = 20  # of blocks in blocks


def terraform_resources(inputs: Inputs) -> list[TfResource]:
    """All managed resources, and archives of own files, by address within each root; plans before configuration."""
    found = [resource for file, plan in _plans(inputs) for resource in _linked(list(_planned(file, plan)))]
    found += [resource for file, state in _states(inputs) for resource in _linked(list(_stated(file, state)))]
    planned = {resource.address for resource in found}
    for module in _roots(inputs):
        for instance in module.instances():
            kept = instance.mode == "resource" or instance.kind in _LOCAL
            if kept and instance.address not in planned:
                account, region = instance.place()

                def made(name: str, instance: Any = instance) -> Any:
                    value = instance.attribute(name)
                    return None if value == "${" + f"{instance.address}.{name}" + "}" else value

                found.append(
                    TfResource(
                        instance.kind,
                        instance.address,
                        instance.values(),
                        instance.file,
                        instance.line,
                        account,
                        region,
                        arn_of(instance.kind, instance.address, instance.get, account, region),
                        made,
                    )
                )
    return found


def _roots(inputs: Inputs) -> list[Module]:
    """The root modules: folders with Terraform files that no other folder calls."""
    folders: dict[str, Folder] = {}
    modules = [one for one in inputs.fetched if one.path.endswith((".tf", ".tofu", ".tf.json", ".tofu.json"))]
    for file in (*inputs.named(".tf", ".tofu", ".tf.json", ".tofu.json"), *modules):
        path = posixpath.dirname(file.path)
        for body in _bodies(inputs, file, configuration=True):
            folders.setdefault(path, Folder(path)).add(file, body)
    for file in inputs.named(".tfvars", ".tfvars.json"):
        folder = folders.get(posixpath.dirname(file.path))
        name = posixpath.basename(file.path).removesuffix(".json")
        if folder is None:
            inputs.reading.skip(file.path, "values of variables beside no Terraform configuration")
            continue
        if name != "terraform.tfvars" and not name.endswith(".auto.tfvars"):
            inputs.reading.skip(file.path, "Terraform reads it only when it is named with -var-file")
            continue
        for body in _bodies(inputs, file, configuration=False):
            folder.given |= {key: (file, value) for key, value in body.attributes.items()}
    called = set()
    for folder in folders.values():
        for placed in folder.calls.values():
            source = placed.block.body.attributes.get("source")
            text = getattr(source, "value", None)
            if isinstance(text, str) and text.startswith("."):
                path = posixpath.normpath(posixpath.join(folder.path, text))
                called.add("" if path == "." else path)
    roots = [path for path in sorted(folders) if path not in called and not is_fetched(f"{path}/")]
    return [Module(folders[path], folders, inputs) for path in roots]


def _bodies(inputs: Inputs, file: SourceFile, *, configuration: bool) -> Iterator[Body]:
    """What a file holds in either syntax; nothing of one that cannot be read, which is noted."""
    try:
        if file.path.lower().endswith(".json"):
            read = body_of_json if configuration else values_of_json
            bodies = [read(one.value) for one in inputs.documents_of(file) if isinstance(one.value, Map)]
        else:
            bodies = [parse_hcl(file.text())]
    except InputError as error:
        inputs.reading.skip(file.path, f"{error.message} ({error.position})")
        return
    if bodies:
        inputs.reading.read.add(file.path)
    yield from bodies


def _plans(inputs: Inputs) -> Iterator[tuple[SourceFile, Map]]:
    """Documents that ``terraform show -json`` wrote, of a plan or a state."""
    for file, value in inputs.maps_of(*_WRITTEN):
        if "format_version" in value and ("planned_values" in value or isinstance(value.get("values"), Map)):
            inputs.reading.read.add(file.path)
            yield file, value


def _states(inputs: Inputs) -> Iterator[tuple[SourceFile, Map]]:
    """State files as Terraform itself keeps them (version 4)."""
    for file, value in inputs.maps_of(*_WRITTEN):
        if value.get("version") == _STATE and "serial" in value and isinstance(value.get("resources"), list):
            inputs.reading.read.add(file.path)
            yield file, value


def _stated(file: SourceFile, state: Map) -> Iterator[TfResource]:
    """The resources of a state file, an instance each."""
    managed = [one for one in state["resources"] if isinstance(one, Map) and one.get("mode") == "managed"]
    arns = {
        str(instance["attributes"].get("arn"))
        for one in managed
        for instance in listed(one.get("instances"))
        if isinstance(instance, Map) and isinstance(instance.get("attributes"), Map)
    }
    accounts = {parts[4] for arn in arns if len(parts := arn.split(":")) > 5 and parts[4].isdigit()}  # noqa: PLR2004
    account = accounts.pop() if len(accounts) == 1 else UNKNOWN_ACCOUNT
    for one in managed:
        instances = one.get("instances")
        for instance in instances if isinstance(instances, list) else ():
            values = instance.get("attributes") if isinstance(instance, Map) else None
            if not isinstance(values, Map):
                continue
            index = instance.get("index_key")
            shown = "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
            module = f"{one['module']}." if isinstance(one.get("module"), str) else ""
            item = Map(values.line)
            item.put("type", one.get("type"), values.line)
            item.put("address", f"{module}{one.get('type')}.{one.get('name')}{shown}", values.line)
            item.put("values", values, values.line)
            yield _resource(file, item, None, {}, account, REGION)


def _planned(file: SourceFile, plan: Map) -> Iterator[TfResource]:
    values = plan.get("planned_values") or plan.get("values")
    prior = plan.get("prior_state")
    roots = (values, prior.get("values") if isinstance(prior, Map) else None)
    changes = {str(change.get("address")): change for change in maps_in(plan.get("resource_changes"))}
    configured = _configured(plan)
    account, region = _placed(plan)
    pending = [(one["root_module"], one is values) for one in roots if isinstance(one, Map) and "root_module" in one]
    while pending:
        module, planned = pending.pop()
        if not isinstance(module, Map):
            continue
        pending += [(child, planned) for child in listed(module.get("child_modules"))]
        for item in maps_in(listed(module.get("resources"))):
            kept = planned if item.get("mode") == "managed" else item.get("type") in _LOCAL
            if kept and isinstance(item.get("values"), Map):
                yield _resource(file, item, changes.get(str(item.get("address"))), configured, account, region)


def _linked(resources: list[TfResource]) -> list[TfResource]:
    """The resources of a plan, with references to each other in place of what is known after apply only."""
    table = {resource.address: resource for resource in resources}
    for resource in resources:
        _refer(resource.values, table, 0)
    return resources


def _refer(values: Map, table: dict[str, TfResource], depth: int) -> None:
    for name, value in values.items():
        if isinstance(value, Unresolved) and value.startswith("${"):
            address, _, attribute = value[2:-1].rpartition(".")
            other = table.get(address) or table.get(f"{address}[0]")
            known = other.get(attribute) if other else None
            if isinstance(known, str) and not isinstance(known, Unresolved):
                values[name] = known
        elif isinstance(value, list) and depth < _MAX_BLOCKS:
            for inner in value:
                if isinstance(inner, Map):
                    _refer(inner, table, depth + 1)


def _fill(values: Map, opened: Map, expressions: Any, address: str, line: int, depth: int) -> None:
    """References in place of what is known after apply only, in blocks too.

    A list that is wholly open is a list of all that it refers to, as far as these are attributes.
    """
    if not isinstance(expressions, Map) or depth > _MAX_BLOCKS:
        return
    for name, is_open in opened.items():
        written = expressions.get(name)
        if is_open is True and values.get(name) is None and name in expressions:
            references = written.get("references") if isinstance(written, Map) else None
            shown = str(references[0]) if isinstance(references, list) and references else f"{address}.{name}"
            values.put(name, Unresolved("${" + shown + "}"), line)
        elif isinstance(is_open, list) and isinstance(values.get(name), list) and isinstance(written, list):
            for inner, some, expression in zip(values[name], is_open, written, strict=False):
                if isinstance(inner, Map) and isinstance(some, Map):
                    _fill(inner, some, expression, address, line, depth + 1)


def _placed(plan: Map) -> tuple[str, str]:
    """The account and region that a plan tells, where all that it tells is one."""
    accounts: set[str] = set()
    regions: set[str] = set()
    pending: list[Any] = []
    for key in ("planned_values", "values", "prior_state"):
        value = plan.get(key)
        pending.append(value.get("values", value) if isinstance(value, Map) else None)
    while pending:
        value = pending.pop()
        if not isinstance(value, Map):
            continue
        pending += [value.get("root_module"), *listed(value.get("child_modules"))]
        for item in listed(value.get("resources")):
            inner = item.get("values") if isinstance(item, Map) else None
            if not isinstance(inner, Map):
                continue
            if item.get("type") == "aws_caller_identity":
                accounts.add(str(inner.get("account_id") or ""))
            parts = str(inner.get("arn", "")).split(":")
            if item.get("mode") == "managed" and len(parts) > 5 and parts[4].isdigit():  # noqa: PLR2004 - an ARN
                accounts.add(parts[4])
    configuration = plan.get("configuration")
    providers = configuration.get("provider_config") if isinstance(configuration, Map) else None
    for one in providers.values() if isinstance(providers, Map) else ():
        expressions = one.get("expressions") if isinstance(one, Map) and one.get("name") == "aws" else None
        if isinstance(expressions, Map):
            for name, found in (("allowed_account_ids", accounts), ("region", regions)):
                value = expressions.get(name)
                constant = value.get("constant_value") if isinstance(value, Map) else None
                found |= {str(text) for text in (constant if isinstance(constant, list) else [constant]) if text}
    known = accounts - {""}
    account = known.pop() if len(known) == 1 else UNKNOWN_ACCOUNT
    return account, regions.pop() if len(regions) == 1 else REGION


def _resource(
    file: SourceFile, item: Map, change: Map | None, configured: dict[str, Map], account: str, region: str
) -> TfResource:
    kind, address, values = str(item.get("type")), str(item.get("address")), item["values"]
    after = change.get("change") if isinstance(change, Map) else None
    open_ones = after.get("after_unknown") if isinstance(after, Map) else None
    expressions = configured.get(address.partition("[")[0], Map(0))
    place = unknown_place(kind) if is_cloud(kind) else account

    def get(name: str) -> Any:
        return values.get(name)

    if isinstance(open_ones, Map):
        _fill(values, open_ones, expressions, address, item.line, 0)

    def made(name: str) -> Any:
        return computed(kind, address, name, get, place, region)

    arn = values.get("arn")
    known = arn if isinstance(arn, str) and arn.startswith("arn:") and arn.count(":") >= _COLONS else ""
    own = known.split(":")[4] if known else ""
    return TfResource(
        kind,
        address,
        values,
        file,
        item.line,
        own or place,
        region,
        known or arn_of(kind, address, get, account, region),
        made,
    )


def _configured(plan: Map) -> dict[str, Map]:
    """The expressions of each resource by its address without indices."""
    found: dict[str, Map] = {}
    configuration = plan.get("configuration")
    root = configuration.get("root_module") if isinstance(configuration, Map) else None
    pending = [("", root)] if isinstance(root, Map) else []
    while pending:
        prefix, module = pending.pop()
        for item in listed(module.get("resources")):
            if isinstance(item, Map) and isinstance(item.get("expressions"), Map):
                found[f"{prefix}{item.get('address')}"] = item["expressions"]
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, Map) else ():
            if isinstance(call, Map) and isinstance(call.get("module"), Map):
                pending.append((f"{prefix}module.{name}.", call["module"]))
    return found
