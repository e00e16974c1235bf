"""What the files say of a team's own source: routes, flows, secrets, requirements, pipelines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.loads import Load, Program, Task, Words
    from assaymark.core.graph import Because
    from assaymark.core.report import Confidence, Severity


@dataclass(frozen=True, slots=True)
class Route:
    """What a web application answers.

    ``purpose``: ``health``, ``metrics``, ``sign-in``, ``static``, ``called`` (by a platform that decides who may), or
    empty. ``authenticated``: something on the way to the handler refuses who does not say who they are. ``asks``
    names what is asked for and checked nowhere. ``body``: it reads what a client sends; ``limited``: something bounds
    its size. ``local``: its server listens on the machine's own address alone.
    """

    framework: str
    methods: tuple[str, ...]
    path: str
    handler: str
    because: Because
    authenticated: bool
    asks: str = ""
    purpose: str = ""
    body: bool = False
    limited: bool = True
    inert: bool = False
    local: bool = False


@dataclass(frozen=True, slots=True)
class ProcessFile:
    """A file that says which programs are started. ``kind``: ``supervisor`` or ``procfile``.

    ``commands``: each with the name of its program; ``included``: patterns of the files that count beside it.
    """

    kind: str
    commands: tuple[tuple[str, str], ...]
    included: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """Something that reaches a place where it should not arrive.

    ``label``: ``body``, ``headers``, ``query`` or ``upload`` of a client, a ``prediction``, a ``secret``, or what was
    ``fetched``. ``sink``: ``log``, ``print``, ``file``, ``code``, ``command``, ``loader``, ``path``, ``template``,
    ``query``; ``call`` is the function that it reaches.
    """

    label: str
    sink: str
    call: str
    function: str
    because: Because
    origin: Because


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A long-lived key of a cloud, by what tells whose it is; the key itself is not kept.

    ``kind``: ``aws`` (``identity`` is the id of an access key), ``google`` (an account's email), ``azure-storage``
    (an account's name), ``azure-client`` (an application's id), ``terraform`` (the address of what makes it).
    ``beside``: words near it, a profile's or user's name among them. ``rights``: what a shared access signature
    opens, and ``until`` when it ends, as ISO 8601 is written; all, and never, for keys. ``decides``: what would have
    to be so for it to open anything; ``delegated``: a user signed it and no key of the account.
    """

    kind: str
    identity: str
    beside: frozenset[str] = frozenset()
    rights: tuple[str, ...] = ("reads", "writes")
    until: str = ""
    decides: tuple[str, ...] = ()
    delegated: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential in a file. ``rule`` is the rule that it falls under, ``shown`` never more than four characters.

    ``key``: whose it is, where it tells.
    """

    rule: str
    kind: str
    shown: str
    because: Because
    severity: Severity
    key: HeldKey | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A distribution that an environment installs. ``exact``: the one version, empty when others would do."""

    name: str
    specifier: str
    exact: str
    because: Because


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A job of a CI service that may ask for an identity token.

    ``subjects`` are patterns over the token's subject; ``roles`` are those that it names; ``untrusted``: strangers'
    code may run in it.
    """

    id: str
    name: str
    issuer: str
    subjects: tuple[str, ...]
    roles: tuple[str, ...]
    because: Because
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class CloudCall:
    """A call of a platform's client library in code (AWS's is boto3), or what another library asks by it.

    ``operation``: the client's method, ``*`` when the client is handed on to where it is not followed. ``parameters``
    are those that are texts, ``*`` in them for what the source does not spell out; of other platforms than AWS those
    given by place have their numbers as names. ``service`` of Kubernetes: the class of the client.
    """

    service: str
    operation: str
    parameters: Mapping[str, str]
    because: Because
    platform: str = "aws"


@dataclass(frozen=True, slots=True)
class WebApplication:
    """A web application, by the module that makes it.

    ``parts`` are the paths of all modules that it is made of, itself among them; ``starters`` those of all that
    import it, itself among them: who starts one of these starts it.
    """

    framework: str
    path: str
    because: Because
    parts: frozenset[str]
    starters: frozenset[str]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that a Dockerfile of the input makes. ``command``: the words that it starts, variables before them.

    ``folder``: the Dockerfile's own, empty for the root; ``ports``: those that it says it listens on (EXPOSE).
    ``entrypoint``: the part of the command that arguments given elsewhere leave; ``variables``: its environment.
    ``workdir``: the folder in which it starts; ``copies``: paths in it with those of the context that lie there.
    """

    path: str
    folder: str
    command: str
    because: Because
    ports: frozenset[int] = frozenset()
    entrypoint: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    workdir: str = "/"
    copies: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """What builds a Dockerfile under a name. ``name`` has no tag; ``*`` in it stands for what is not written.

    ``context``: the folder that the build is given, empty for the root.
    """

    dockerfile: str
    context: str
    name: str
    because: Because


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a rule finds by itself, at one place."""

    rule: str
    about: str
    message: str
    because: tuple[Because, ...]
    severity: Severity | None = None
    confidence: Confidence | None = None


@dataclass(slots=True)
class Source:
    """All of it.

    ``packed``: archives with the files that whoever runs them sees, which may lie elsewhere in the input too.
    ``repositories``: what files say this repository is called, ``owner/name``. ``revisions``: models and data sets of
    a hub that calls name at a commit, with the commits.
    """

    routes: list[Route] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)  # those that run what they load from a store
    trackings: list[tuple[Words, Because]] = field(default_factory=list)  # servers of MLflow that the source names
    secrets: list[Secret] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    cloud_calls: list[CloudCall] = field(default_factory=list)
    applications: list[WebApplication] = field(default_factory=list)
    images: list[BuiltImage] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)
    packed: dict[str, frozenset[str]] = field(default_factory=dict)
    repositories: dict[str, Because] = field(default_factory=dict)
    owners: dict[str, tuple[str, Because]] = field(default_factory=dict)  # AWS access key id: user name, where
    revisions: dict[str, set[str]] = field(default_factory=dict)
    shell: dict[str, str] = field(default_factory=dict)  # texts of shell scripts by path
    processes: dict[str, ProcessFile] = field(default_factory=dict)  # by path
    commands: dict[tuple[str, str], str] = field(default_factory=dict)  # (folder, name) of a package's: its module
    inactive: set[str] = field(default_factory=set)  # ids of AWS access keys that are switched off
    rate_limited: bool = False
