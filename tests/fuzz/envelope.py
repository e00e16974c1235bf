"""Any bytes as a DSSE envelope: refused, or written anew with the same payload and signatures."""

from tests.support.dossiers import evidence

from assaymark.core.errors import InputError
from assaymark.core.statement import make_envelope, pae, parse_envelope

SEEDS = [
    evidence()[0].data,
    b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"_-8="}]}',
]


def fuzz(data: bytes) -> None:
    try:
        envelope = parse_envelope(data)
    except InputError:
        return
    assert envelope.data == data
    assert envelope.signatures
    assert pae(envelope.payload_type, envelope.payload).endswith(envelope.payload)
    try:
        written = make_envelope(envelope.payload_type, envelope.payload, envelope.signatures)
    except InputError:
        return  # a key id that cannot be signed, such as a lone surrogate
    again = parse_envelope(written.data)
    assert (again.payload_type, again.payload) == (envelope.payload_type, envelope.payload)
    assert sorted(again.signatures, key=repr) == sorted(envelope.signatures, key=repr)
