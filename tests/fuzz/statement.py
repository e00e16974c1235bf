"""Any bytes as an in-toto statement: refused, or kept as they are, with subjects that have digests."""

from tests.support.dossiers import evidence

from assaymark.core.digest import is_digest
from assaymark.core.errors import InputError
from assaymark.core.statement import make_statement, parse_statement

SEEDS = [envelope.payload for envelope in evidence()[1:5]]


def fuzz(data: bytes) -> None:
    try:
        statement = parse_statement(data)
    except InputError:
        return
    assert statement.payload == data
    assert statement.subjects
    assert all(is_digest(subject.digest) for subject in statement.subjects)
    again = make_statement(statement.subjects, statement.predicate_type, statement.predicate)
    assert (again.subjects, again.predicate) == (statement.subjects, statement.predicate)
