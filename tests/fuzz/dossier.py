"""Any bytes as a dossier under a pin: refused, or the decision that was signed. No edit makes another one."""

from tests.support.dossiers import PIN, good_dossier

from assaymark.core.errors import InputError, VerificationError
from assaymark.trust.dossier import parse_dossier
from assaymark.trust.replay import verify_dossier

SEEDS = [good_dossier().to_bytes()]
_PAYLOAD = verify_dossier(good_dossier(), PIN).payload


def fuzz(data: bytes) -> None:
    try:
        dossier = parse_dossier(data)
    except InputError:
        return
    assert dossier.to_bytes() == data
    try:
        verified = verify_dossier(dossier, PIN)
    except (InputError, VerificationError):
        return
    assert verified.payload == _PAYLOAD
