"""Any use of a listed name with any values is granted or refused, and nothing else happens."""

from __future__ import annotations

from assaymark.formats.pickle.values import COMPUTED, SET, Blob, Dict, Global, Instance
from assaymark.scanning.pickle.permits import PERMITS
from assaymark.scanning.pickle.refusal import NotChecked, Refused

# One of each use and check: thousands of classes are listed alike.
NAMES = sorted(
    {
        (PERMITS[name].kind if PERMITS[name].call else name[0]): name
        for name in PERMITS
        if name[0][:20] != "transformers.models."
    }.values()
)


def value(data: bytes, depth: int = 0) -> object:
    """Some value that the machine knows, taken from ``data``."""
    head, rest = (data[0], data[1:]) if data else (0, b"")
    name = NAMES[int.from_bytes(rest[:2], "big") % len(NAMES)]
    parts = [rest[at::3] for at in range(min(head % 4, 3))] if depth < 3 else []
    makers = (
        lambda: None,
        lambda: int.from_bytes(rest[:9], "big", signed=True),
        lambda: rest[:40].decode("latin-1"),
        lambda: Blob(("bytes", "str", "bytearray", "int")[head % 4], len(rest)),
        lambda: tuple(value(part, depth + 1) for part in parts),
        lambda: [value(part, depth + 1) for part in parts],
        lambda: Dict([value(part, depth + 1) for part in parts for _ in range(2)], more=head > 250),
        lambda: Global(*name, ".".join(name), 0, "GLOBAL", permit=PERMITS[name]),
        lambda: Instance(PERMITS[name].kind, PERMITS[name], value(rest[2:], depth + 1), built=head % 2 == 1),
        lambda: head % 2 == 0,
        lambda: 0.5 * head,
        lambda: (SET, COMPUTED)[head % 2],
        lambda: ("_parse_arg_template", "handle", "latin1", "V8", "storage")[head % 5],
    )
    return makers[head % len(makers)]()


def fuzz(data: bytes) -> None:
    """Use the name that ``data`` names with the values that it makes."""
    permit = PERMITS[NAMES[int.from_bytes(data[:2], "big") % len(NAMES)]]
    arguments = tuple(value(data[2 + at :: 4]) for at in range(data[2] % 5 if len(data) > 2 else 0))
    for use in (permit.call, permit.new):
        if use is not None:
            try:
                use(arguments)
            except (Refused, NotChecked):
                continue
    if permit.build is not None:
        try:
            permit.build(Instance(permit.kind, permit, value(data[3:])), value(data[2:]))
        except (Refused, NotChecked):
            return
