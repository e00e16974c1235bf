"""Any bytes as JSON: refused, or a value whose canonical bytes are read as the same value and written the same."""

from assaymark.core.canonical import canonical_json, parse_json
from assaymark.core.errors import InputError

SEEDS = [
    b'{"a":[1,-2,{"b":null}],"c":"\\u00e9\\ud83d\\ude00","d":true}',
    b' [ 1.5e3 , "\\"\\\\" , 9007199254740991 ] ',
    b"[" * 70,
    b'{"a":1,"a":2}',
]


def fuzz(data: bytes) -> None:
    try:
        value = parse_json(data)
        canonical = canonical_json(value)
    except InputError:
        return
    assert parse_json(canonical) == value
    assert canonical_json(parse_json(canonical)) == canonical
