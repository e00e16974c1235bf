"""A good dossier with one part replaced by any bytes: what the whole file's one spelling hides from a byte fuzzer.

The first byte chooses the part, the rest is its new content.
"""

from dataclasses import replace

from tests.support.dossiers import PIN, good_dossier

from assaymark.core.errors import InputError, VerificationError
from assaymark.trust.dossier import Dossier, DossierEntry
from assaymark.trust.replay import verify_dossier

_GOOD = good_dossier()
_PAYLOAD = verify_dossier(_GOOD, PIN).payload


def _hashes(content: bytes) -> tuple[bytes, ...]:
    return tuple(content[i : i + 32] for i in range(0, len(content) - len(content) % 32, 32))


def _entries(dossier: Dossier) -> list[DossierEntry]:
    return [dossier.decision, *dossier.policies, *dossier.roots, *dossier.evidence]


def _with_entry(position: int, entry: DossierEntry) -> Dossier:
    entries = _entries(_GOOD)
    entries[position] = entry
    roots = 2 + len(_GOOD.roots)
    return replace(
        _GOOD,
        decision=entries[0],
        policies=(entries[1],),
        roots=tuple(entries[2:roots]),
        evidence=tuple(entries[roots:]),
    )


def _changed(part: int, content: bytes) -> Dossier:
    match part:
        case 0:
            return replace(_GOOD, checkpoint=content)
        case 1:
            return replace(_GOOD, consistency=_hashes(content))
        case 2:
            return replace(_GOOD, manifest=content)
        case 3:
            kept = tuple(item for i, item in enumerate(_GOOD.evidence) if content[i : i + 1] in (b"", b"k"))
            return replace(_GOOD, evidence=kept)
    position, field = divmod(part - 4, 4)
    entries = _entries(_GOOD)
    position %= len(entries)
    entry = entries[position]
    match field:
        case 0:
            return _with_entry(position, replace(entry, envelope=content))
        case 1:
            return _with_entry(position, replace(entry, leaf=content))
        case 2:
            return _with_entry(position, replace(entry, hashes=_hashes(content)))
        case _:
            return _with_entry(position, replace(entry, index=int.from_bytes(content[:8])))


def _seeds() -> list[bytes]:
    parts = [_GOOD.checkpoint, b"".join(_GOOD.consistency), _GOOD.manifest, b"kkkk"]
    for entry in _entries(_GOOD):
        parts += [entry.envelope, entry.leaf, b"".join(entry.hashes), entry.index.to_bytes(8)]
    return [bytes([part]) + content for part, content in enumerate(parts)]


SEEDS = _seeds()


def fuzz(data: bytes) -> None:
    try:
        verified = verify_dossier(_changed(data[0] if data else 0, data[1:]), PIN)
    except (InputError, VerificationError):
        return
    assert verified.payload == _PAYLOAD
