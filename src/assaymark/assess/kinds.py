"""The kinds of nodes, the relations of edges, and what a relation asks of its source and gives of its target.

An attacker who holds a node holds it in some *mode*: ``control`` (acts as it, runs code in it), ``write``, ``read``,
``network`` (can send it packets), ``invoke`` (may call what it serves), ``delete`` (destroys what it holds, and puts
nothing in its place), ``permissions`` (changes who may use it, where that alone lets nobody at what it holds).
Control includes all others. A relation is followed only by who holds its source in the mode that it needs: reading a
bucket does not change the model in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONTROL: Final = "control"
WRITE: Final = "write"
READ: Final = "read"
NETWORK: Final = "network"
INVOKE: Final = "invoke"
DELETE: Final = "delete"
GOVERN: Final = "permissions"
MODES: Final = (CONTROL, WRITE, READ, NETWORK, INVOKE, DELETE, GOVERN)


@dataclass(frozen=True, slots=True)
class Relation:
    """``needs`` of the source, ``gives`` of the target; ``verb`` completes "who has SOURCE ... TARGET".

    ``cuttable`` is False for what no configuration changes: a workload has the identity that it runs as.
    """

    verb: str
    needs: str = CONTROL
    gives: str = CONTROL
    cuttable: bool = True


RELATIONS: Final[dict[str, Relation]] = {
    # identities
    "assumes": Relation("can assume"),
    "member-of": Relation("belongs to", cuttable=False),
    "runs-as": Relation("has the identity of", cuttable=False),
    "impersonates": Relation("can impersonate"),
    "escalates": Relation("can make itself"),
    "passes-role": Relation("can start something that runs as"),
    "takes-over": Relation("can run code in"),
    "changes": Relation("can change what runs in"),
    "resets": Relation("can make credentials of"),
    "administers": Relation("administers"),
    "federates": Relation("can exchange its token for"),
    "issues": Relation("signs the tokens of", cuttable=False),
    "holds-credential": Relation("holds the credentials of", needs=READ),
    "deploys": Relation("deploys to"),
    "builds": Relation("builds what runs in"),
    # data
    "reads": Relation("can read", gives=READ),
    "writes": Relation("can write", gives=WRITE),
    "deletes": Relation("can delete what is in", gives=DELETE),
    "permissions": Relation("can change who may use"),
    "governs": Relation("can change who may use", gives=GOVERN),
    "decrypts": Relation("can decrypt with", gives=READ),
    "invokes": Relation("can call", gives=INVOKE),
    "contains": Relation("holds", cuttable=False),
    "contains-read": Relation("holds", needs=READ, gives=READ, cuttable=False),
    "contains-write": Relation("holds", needs=WRITE, gives=WRITE, cuttable=False),
    "contains-delete": Relation("holds", needs=DELETE, gives=DELETE, cuttable=False),
    "contains-governed": Relation("holds", needs=GOVERN, gives=GOVERN, cuttable=False),
    "loaded-by": Relation("is loaded, and runs, in", needs=WRITE),
    "serves": Relation("decides the answers of", needs=WRITE, gives=WRITE, cuttable=False),
    "mounts": Relation("has as a file or variable", gives=READ),
    "triggers": Relation("starts, with what is written there,", needs=WRITE, gives=INVOKE, cuttable=False),
    "forwards": Relation("passes what is written there on to", needs=WRITE, gives=WRITE, cuttable=False),
    "passes-data": Relation("passes what it is sent on to", needs=INVOKE, gives=WRITE, cuttable=False),
    "passes-answers": Relation("answers with what is in", needs=INVOKE, gives=READ, cuttable=False),
    "logs-to": Relation("writes what it gets to", needs=READ, gives=READ),
    # network
    "reaches": Relation("reaches over the network", gives=NETWORK),
    "exposes": Relation("passes packets on to", needs=NETWORK, gives=NETWORK, cuttable=False),
    "open-service": Relation("answers anyone, and runs what it is sent, in", needs=NETWORK),
    "open-read": Relation("answers anyone with", needs=NETWORK, gives=READ),
    "open-write": Relation("lets anyone write to", needs=NETWORK, gives=WRITE),
    "open-invoke": Relation("answers anyone who calls", needs=NETWORK, gives=INVOKE),
    "passes-calls": Relation("passes calls on to", needs=INVOKE, gives=INVOKE, cuttable=False),
    "passes-requests": Relation("passes requests on to", needs=INVOKE, gives=NETWORK, cuttable=False),
    "runs-input": Relation("runs what it is sent, in", needs=INVOKE),
    "intercepts": Relation("can read what passes to", needs=NETWORK, gives=READ),
}

INTERNET: Final = "internet"

# What a path may begin with, the worst first: the weight orders paths.
ENTRIES: Final[dict[str, int]] = {
    "internet": 100,  # anyone
    "outside": 90,  # a principal of an account, cloud or repository that is not in the input
    "tenant": 70,  # a tenant's workload
    "supply-chain": 60,  # a package, image, workflow or repository that others may change
    "workload": 50,  # a program that may be taken over
    "principal": 40,  # a person or program with credentials
}

# What a path may end at, the worst first.
TARGETS: Final[dict[str, int]] = {
    "administrator": 100,  # of an account, subscription, project or cluster
    "tenant-data": 90,
    "model": 85,
    "data": 80,
    "secret": 75,
    "key": 70,
    "identity": 60,  # a principal of another boundary
    "endpoint": 50,
}

# How a target of each kind is held when a path to it is complete.
HELD: Final[dict[str, tuple[str, ...]]] = {
    "administrator": (CONTROL,),
    "identity": (CONTROL,),
    "endpoint": (INVOKE, CONTROL),
    "tenant-data": (READ, WRITE, DELETE, CONTROL),
    "model": (READ, WRITE, DELETE, CONTROL),
    "data": (READ, WRITE, DELETE, CONTROL),
    "secret": (READ, WRITE, DELETE, CONTROL),
    "key": (READ, CONTROL),
}

# Who acts: the rows of reach. A function acts, and is acted upon.
PRINCIPALS: Final = frozenset(
    ("user", "role", "service-account", "managed-identity", "service-principal", "workload", "function")
)

# What is acted upon, with the action classes that control of it includes: the columns of reach.
RESOURCES: Final[dict[str, tuple[str, ...]]] = {
    "bucket": ("read", "write", "permissions"),
    "prefix": ("read", "write"),
    "database": ("read", "write", "permissions"),
    "volume": ("read", "write"),
    "secret": ("read", "write", "permissions"),
    "key": ("decrypt", "permissions"),
    "model": ("read", "write"),
    "registry": ("read", "write", "permissions"),
    "endpoint": ("invoke", "write", "permissions"),
    "function": ("invoke", "write", "permissions"),
    "queue": ("read", "write", "permissions"),
    "log": ("read", "write"),
}
