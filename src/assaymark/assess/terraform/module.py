"""``Module``: one instance of a Terraform module, whose names are looked up and whose resources are unfolded.

Evaluation is lazy: an attribute is computed when something refers to it, once, and a circle is left open.

This is one file because modules, their resources and the instances of both look each other up.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.aws import UNKNOWN_ACCOUNT
from assaymark.assess.terraform.bodies import blocks_of, body_map, map_of, provider_named
from assaymark.assess.terraform.documents import policy_document_json
from assaymark.assess.terraform.evaluate import Within, evaluate
from assaymark.assess.terraform.fetched import fetched
from assaymark.assess.terraform.functions import CannotError
from assaymark.assess.terraform.identity import REGION, as_made, computed
from assaymark.assess.terraform.identity_clouds import IDENTITY, cloud_data, is_cloud, shut, unknown_place
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import Json, natural, text_of
from assaymark.core.errors import InputError
from assaymark.core.limits import TERRAFORM_MAX_INSTANCES
from assaymark.formats.hcl.parser import parse_template
from assaymark.formats.hcl.tree import Block, Body, Expression, Object
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from assaymark.assess.files import Reading, SourceFile
    from assaymark.assess.inputs import Inputs

_META: Final = frozenset(("count", "for_each", "provider", "depends_on", "lifecycle"))
_OF_CALLS: Final = _META | {"providers", "source", "version"}  # of a module: resources have such of their own
_MAX_DEPTH: Final = 20  # of modules in modules
_ACCOUNT_DIGITS: Final = 12
_WHO: Final = ("profile", "access_key", "shared_credentials_files", "assume_role_with_web_identity")


@dataclass(frozen=True, slots=True)
class Placed:
    """A block or expression and the file that it stands in."""

    file: SourceFile
    block: Block


@dataclass(slots=True)
class Folder:
    """What the ``.tf`` files of one folder declare."""

    path: str
    files: list[SourceFile] = field(default_factory=list)
    variables: dict[str, Placed] = field(default_factory=dict)
    locals: dict[str, tuple[SourceFile, Expression]] = field(default_factory=dict)
    resources: dict[tuple[str, str, str], Placed] = field(default_factory=dict)  # mode, type, name
    calls: dict[str, Placed] = field(default_factory=dict)
    outputs: dict[str, Placed] = field(default_factory=dict)
    providers: list[Placed] = field(default_factory=list)
    given: dict[str, tuple[SourceFile, Expression]] = field(
        default_factory=dict
    )  # tfvars that are read by themselves

    def add(self, file: SourceFile, body: Body) -> None:
        """What one file declares."""
        self.files.append(file)
        for block in body.blocks:
            placed = Placed(file, block)
            match (block.kind, block.labels):
                case ("variable", (name,)):
                    self.variables.setdefault(name, placed)
                case ("locals", ()):
                    for key, value in block.body.attributes.items():
                        self.locals.setdefault(key, (file, value))
                case ("resource" | "data" as mode, (kind, name)):
                    self.resources.setdefault((mode, kind, name), placed)
                case ("module", (name,)):
                    self.calls.setdefault(name, placed)
                case ("output", (name,)):
                    self.outputs.setdefault(name, placed)
                case ("provider", _):
                    self.providers.append(placed)


class Module:
    """An instance of a folder. ``given`` looks a variable up: a value, or None when none is given."""

    def __init__(
        self,
        folder: Folder,
        folders: Mapping[str, Folder],
        inputs: Inputs,
        address: str = "",
        given: Callable[[str], Any] = lambda _name: None,
        parent: Module | None = None,
        passed: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.address = address
        self._folders = folders
        self._inputs = inputs
        self._given = given
        self._parent = parent
        self._passed = passed or {}  # providers that the call hands on, by their names here
        self.depth: int = parent.depth + 1 if parent else 0
        self._values: dict[tuple[str, ...], Any] = {}
        self._groups: dict[tuple[str, str, str], Group] = {}
        self._children: dict[str, Children] = {}

    @property
    def reading(self) -> Reading:
        """Where what could not be resolved is noted."""
        return self._inputs.reading

    def once(self, key: tuple[str, ...], compute: Callable[[], Any], shown: str) -> Any:
        """The value of ``compute``, computed once; open when it depends on itself."""
        if key not in self._values:
            self._values[key] = Unresolved("${" + shown + "}")
            self._values[key] = compute()
        return self._values[key]

    # names

    def name(self, name: str) -> Any:
        """The value of a root name."""
        match name:
            case "var":
                return _Named(self._variable)
            case "local":
                return _Named(self._local)
            case "module":
                return _Named(self._module)
            case "data":
                return _Named(lambda kind: _Named(lambda label: self._resource("data", kind, label)))
            case "path":
                return _Named(lambda which: (self.folder if which == "module" else self._root().folder).path or ".")
            case "terraform":
                return _Named(lambda which: Unresolved("${terraform." + which + "}"))
        return _Named(lambda label: self._resource("managed", name, label))

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """``file`` and its like, from the files of the input."""
        if name in ("file", "templatefile") and arguments and isinstance(arguments[0], str):
            file = self._inputs.file(posixpath.normpath(posixpath.join(self.folder.path, arguments[0])))
            if file is None:  # path.module is part of it mostly, else it is relative to the root
                file = self._inputs.file(posixpath.normpath(arguments[0]))
            if file is not None:
                return self._file(name, file, arguments)
        raise CannotError

    def _file(self, name: str, file: SourceFile, arguments: tuple[Any, ...]) -> Any:
        try:
            text = file.text()
            self._inputs.quoted.add(file.path)
            if name == "file":
                return InFile(text, file.path)
            names = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], Map) else Map(0)
            value = evaluate(parse_template(text), Within(self, names))
        except InputError:
            raise CannotError from None
        return InFile(value, file.path) if type(value) is str else value

    def _root(self) -> Module:
        return self._parent._root() if self._parent else self  # noqa: SLF001 - the same class

    def _variable(self, name: str) -> Any:
        def compute() -> Any:
            given = self._given(name)
            if given is not None:
                return given
            if name in self.folder.given:
                return evaluate(self.folder.given[name][1], self)
            placed = self.folder.variables.get(name)
            default = placed.block.body.attributes.get("default") if placed else None
            if default is None:
                if placed and not self._parent:
                    self.reading.gap(f"the variable {name} of {self.folder.path or '.'} has no value in the input")
                return Unresolved("${var." + name + "}")
            return evaluate(default, self)

        return self.once(("var", name), compute, f"var.{name}")

    def _local(self, name: str) -> Any:
        if name not in self.folder.locals:
            return Unresolved("${local." + name + "}")
        return self.once(("local", name), lambda: evaluate(self.folder.locals[name][1], self), f"local.{name}")

    def _module(self, name: str) -> Any:
        if name not in self.folder.calls:
            return Unresolved("${module." + name + "}")
        return self._child(name)

    def _child(self, name: str) -> Children:
        if name not in self._children:
            self._children[name] = Children(self, name, self.folder.calls[name])
        return self._children[name]

    def output(self, name: str) -> Any:
        """The value of an output."""
        placed = self.folder.outputs.get(name)
        value = placed.block.body.attributes.get("value") if placed else None
        shown = f"{self.address}.{name}"
        if value is None:
            return Unresolved("${" + shown + "}")
        return self.once(("output", name), lambda: evaluate(value, self), shown)

    # resources

    def _resource(self, mode: str, kind: str, label: str) -> Any:
        key = ("resource" if mode == "managed" else mode, kind, label)
        if key not in self.folder.resources:
            prefix = "data." if mode == "data" else ""
            return Unresolved("${" + f"{prefix}{kind}.{label}" + "}")
        group = self.group(key)
        return group.single() or group

    def group(self, key: tuple[str, str, str]) -> Group:
        """The instances of a resource."""
        if key not in self._groups:
            self._groups[key] = Group(self, key, self.folder.resources[key])
        return self._groups[key]

    def instances(self) -> Iterator[Instance]:
        """All resources and data sources, modules within included."""
        for key in self.folder.resources:
            yield from self.group(key).all()
        for name in self.folder.calls:
            for child in self._child(name).all():
                yield from child.instances()

    def child(self, placed: Placed, address: str, scope: Any) -> Module | None:
        """An instance of a module that this one calls; None when its source is not in the input."""
        source = placed.block.body.attributes.get("source")
        text = evaluate(source, self) if source else None
        path = posixpath.normpath(posixpath.join(self.folder.path, text)) if isinstance(text, str) else ""
        local = isinstance(text, str) and text.startswith((".", "/"))
        if not local and isinstance(text, str):
            version = placed.block.body.attributes.get("version")
            wanted = evaluate(version, self) if version else None
            path = fetched(self._inputs, self._root().folder.path, address, text, wanted)
        folder = self._folders.get("" if path == "." else path) if path else None
        if folder is None or self.depth >= _MAX_DEPTH:
            reason = f"module {address}: its source {text or 'nowhere'} is not in the input"
            self.reading.skip(placed.file.path, reason, placed.block.line)
            return None
        arguments = placed.block.body.attributes

        def given(name: str) -> Any:
            return evaluate(arguments[name], scope) if name in arguments and name not in _OF_CALLS else None

        handed = arguments.get("providers")
        pairs = handed.items if isinstance(handed, Object) else ()
        passed = {provider_named(key): provider_named(value) for key, value in pairs}
        return Module(folder, self._folders, self._inputs, address, given, self, passed)

    def account(self, provider: str = "aws") -> str:
        """The account that a provider names, else ``UNKNOWN_ACCOUNT``.

        A provider with an alias that says nothing of who it is is who the one without an alias is.
        """
        ids = self._provided("allowed_account_ids", provider)
        if isinstance(ids, Seq) and len(ids) == 1 and len(str(ids[0])) == _ACCOUNT_DIGITS:
            return str(ids[0])
        role = self._provided("assume_role", provider)
        if role is None and "." in provider and not any(self._provided(name, provider) for name in _WHO):
            return self.account() if self._provided("region", provider) else UNKNOWN_ACCOUNT
        arn = role.get("role_arn") if isinstance(role, Map) else None
        parts = arn.split(":") if isinstance(arn, str) else []
        if len(parts) > 4 and len(parts[4]) == _ACCOUNT_DIGITS and parts[4].isdigit():  # noqa: PLR2004 - ARN's account
            return parts[4]
        return UNKNOWN_ACCOUNT

    def region(self, provider: str = "aws") -> str:
        """The region that a provider names, else ``REGION``."""
        region = self._provided("region", provider)
        return region if isinstance(region, str) and not isinstance(region, Unresolved) else REGION

    def place(self, kind: str, provider: str = "") -> tuple[str, str]:
        """Where resources of a type are: account, project or subscription of its provider, and the region.

        ``provider``: as the resource names it, ``aws.production``; empty for the one that its type has by itself.
        """
        if not is_cloud(kind):
            provider = provider if provider.partition(".")[0] == "aws" else "aws"
            return self.account(provider), self.region(provider)
        label, name = ("google", "project") if kind.startswith("google_") else ("azurerm", "subscription_id")
        if provider.partition(".")[0] == label:
            label = provider
        return shut(self._provided(name, label)) or unknown_place(kind), shut(self._provided("region", label)) or "-"

    def _provided(self, name: str, label: str = "aws") -> Any:
        """A setting of a provider: ``aws``, or with its alias ``aws.production``."""
        kind, _, alias = label.partition(".")
        if label in self._passed and self._parent:
            return self._parent._provided(name, self._passed[label])  # noqa: SLF001 - the same class

        def compute() -> Any:
            for placed in self.folder.providers:
                body = placed.block.body
                own = evaluate(body.attributes["alias"], self) if "alias" in body.attributes else ""
                if placed.block.labels == (kind,) and own == alias:
                    if name in body.attributes:
                        return evaluate(body.attributes[name], self)
                    for block in body.blocks:
                        if block.kind == name:
                            return body_map(block.body, self, block.line)
            return self._parent._provided(name, label) if self._parent and not alias else None  # noqa: SLF001

        return self.once(("provider", label, name), compute, f"provider.{name}")


class InFile(str):
    """A text that came from another file."""

    __slots__ = ("path",)

    path: str

    def __new__(cls, text: str, path: str) -> InFile:  # noqa: PYI034 - nobody derives from it
        """The text, and the path of its file."""
        found = super().__new__(cls, text)
        found.path = path
        return found


class _Named:
    """``var``, ``local`` and the like: attributes are looked up."""

    def __init__(self, look: Callable[[str], Any]) -> None:
        self._look = look

    def attribute(self, name: str) -> Any:
        return self._look(name)

    def element(self, key: Any) -> Any:
        return self._look(str(key))

    def every(self) -> Any:
        return None


def unfold(module: Module, placed: Placed, address: str) -> list[tuple[str, Any]]:
    """The instances that ``count`` or ``for_each`` make: the part of the address, and the scope of each.

    One with everything open where that cannot be resolved, which is noted.
    """
    body = placed.block.body
    line = placed.block.line
    if "count" in body.attributes:
        count = evaluate(body.attributes["count"], module)
        number = natural(text_of(count))
        if number is not None:
            if number > TERRAFORM_MAX_INSTANCES:
                module.reading.skip(placed.file.path, f"{address}: count is {number}", line)
                return []
            return [(f"[{index}]", Within(module, {"count": map_of(line, index=index)})) for index in range(number)]
        module.reading.skip(placed.file.path, f"{address}: count could not be resolved; read as one", line)
        return [("[0]", Within(module, {"count": map_of(line, index=0)}))]
    if "for_each" in body.attributes:
        each = evaluate(body.attributes["for_each"], module)
        if hasattr(each, "every"):
            each = each.every()
        if isinstance(each, Map):
            pairs = [(key, value) for key, value in each.items()]
        elif isinstance(each, Seq) and all(isinstance(item, str) for item in each):
            pairs = [(item, item) for item in each]
        else:
            module.reading.skip(placed.file.path, f"{address}: for_each could not be resolved; read as one", line)
            pairs = [("*", Unresolved("${each.value}"))]
            return [
                ('["*"]', Within(module, {"each": map_of(line, key=Unresolved("${each.key}"), value=pairs[0][1])}))
            ]
        return [
            (f'["{key}"]', Within(module, {"each": map_of(line, key=key, value=value)}))
            for key, value in pairs[:TERRAFORM_MAX_INSTANCES]
        ]
    return [("", module)]


class Children:
    """The instances of a called module."""

    def __init__(self, module: Module, name: str, placed: Placed) -> None:
        prefix = f"{module.address}." if module.address else ""
        self._address = f"{prefix}module.{name}"
        self._members: dict[str, Module] = {}
        for suffix, scope in unfold(module, placed, self._address):
            child = module.child(placed, self._address + suffix, scope)
            if child is not None:
                self._members[suffix] = child

    def all(self) -> list[Module]:
        """Each of them."""
        return list(self._members.values())

    def attribute(self, name: str) -> Any:
        """An output of the only instance."""
        child = self._members.get("")
        return child.output(name) if child else Unresolved("${" + f"{self._address}.{name}" + "}")

    def element(self, key: Any) -> Any:
        """One instance by index or key."""
        child = self._members.get(f"[{key}]") or self._members.get(f'["{key}"]')
        return _Named(child.output) if child else Unresolved("${" + f"{self._address}[{key}]" + "}")

    def every(self) -> Any:
        """All instances, for splats."""
        found = Seq(0)
        for child in self._members.values():
            found.put(_Named(child.output), 0)
        return found


class Group:
    """The instances of a resource or data source."""

    def __init__(self, module: Module, key: tuple[str, str, str], placed: Placed) -> None:
        mode, kind, label = key
        prefix = f"{module.address}." if module.address else ""
        self._address = f"{prefix}{'data.' if mode == 'data' else ''}{kind}.{label}"
        self._keyed = "for_each" in placed.block.body.attributes
        self._members = {
            suffix: Instance(module, key, placed, self._address + suffix, scope)
            for suffix, scope in unfold(module, placed, self._address)
        }

    def single(self) -> Instance | None:
        """The instance of a resource without count and for_each."""
        return self._members.get("")

    def all(self) -> list[Instance]:
        """Each of them."""
        return list(self._members.values())

    def attribute(self, name: str) -> Any:
        """Of one that has ``count`` or ``for_each`` no attribute can be asked without an index."""
        members = self.all()
        return members[0].attribute(name) if len(members) == 1 else Unresolved("${" + f"{self._address}.{name}" + "}")

    def element(self, key: Any) -> Any:
        """One instance by index or key."""
        found = self._members.get(f"[{key}]") or self._members.get(f'["{key}"]')
        if found is None and len(self._members) == 1 and '["*"]' in self._members:
            found = self._members['["*"]']
        return found or Unresolved("${" + f"{self._address}[{key}]" + "}")

    def every(self) -> Any:
        """All instances, by key where they have keys."""
        if self._keyed:
            table = Map(0)
            for suffix, member in self._members.items():
                table.put(suffix[2:-2], member, 0)
            return table
        found = Seq(0)
        for member in self._members.values():
            found.put(member, 0)
        return found


class Instance:
    """A resource or data source, one instance: its attributes as written, and those it gets when it is made."""

    def __init__(self, module: Module, key: tuple[str, str, str], placed: Placed, address: str, scope: Any) -> None:
        self.mode, self.kind, self.label = key
        self.module = module
        self.file = placed.file
        self.line = placed.block.line
        self.address = address
        self._body = placed.block.body
        self._scope = scope

    def place(self) -> tuple[str, str]:
        """The account, project or subscription, and the region, of its provider."""
        return self.module.place(self.kind, provider_named(self._body.attributes.get("provider")))

    def get(self, name: str) -> Any:
        """What is written for an attribute or block; None for nothing."""

        def compute() -> Any:
            if name in self._body.attributes:
                return evaluate(self._body.attributes[name], self._scope)
            blocks = blocks_of(self._body, self._scope).get(name)
            if blocks is None:
                return None
            found = Seq(self.line)
            for value in blocks:
                found.put(value, value.line)
            return found

        return self.module.once(("instance", self.address, name), compute, f"{self.address}.{name}")

    def attribute(self, name: str) -> Any:
        """What is written, or what is known of what it gets."""
        found = self.get(name)
        if found is not None and not (name in IDENTITY and self.kind.startswith("azurerm_")):
            return as_made(self.kind, name, found)
        if self.mode == "data":
            return self._data(name)
        made = computed(self.kind, self.address, name, self.get, *self.place())
        return made if made is not None else Unresolved("${" + f"{self.address}.{name}" + "}")

    def element(self, key: Any) -> Any:
        """A resource is no list; Terraform takes index 0 of one without count for itself in old syntax."""
        return self if str(key) == "0" else Unresolved("${" + f"{self.address}[{key}]" + "}")

    def every(self) -> Any:
        """A splat over one resource is a list of it."""
        found = Seq(self.line)
        found.put(self, self.line)
        return found

    def _data(self, name: str) -> Any:
        """What data sources give that ask no cloud, and those that ask who we are."""
        match (self.kind, name):
            case ("aws_iam_policy_document", "json" | "minified_json"):
                return Json(policy_document_json(self))
            case ("aws_caller_identity", "account_id" | "id"):
                return self.place()[0]
            case ("aws_partition", "partition" | "id"):
                return "aws"
            case ("aws_partition", "dns_suffix"):
                return "amazonaws.com"
            case ("aws_region", "name" | "id" | "region"):
                return self.place()[1]
            case ("aws_iam_policy", "arn") if isinstance(managed := self.get("name"), str):
                return f"arn:aws:iam::aws:policy/{managed}"
        place, region = self.place()
        if is_cloud(self.kind):
            known = cloud_data(self, name, place)
            return known if known is not None else Unresolved("${" + f"{self.address}.{name}" + "}")
        made = computed(self.kind, self.address, name, self.get, place, region)
        return made if made is not None else Unresolved("${" + f"{self.address}.{name}" + "}")

    def values(self) -> Map:
        """All that is written, by name, with lines."""
        found = Map(self.line)
        for name in self._body.attributes:
            if name not in _META:
                found.put(name, self.get(name), self._body.lines[name])
        for block in self._body.blocks:
            name = block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
            if name not in found and name not in _META:
                value = self.get(name)
                if value:
                    found.put(name, value, block.line)
        return found
