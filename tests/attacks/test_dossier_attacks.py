"""Dossiers that somebody with the service's and the log's key made up, or put together anew."""

from __future__ import annotations

import pytest
from tests.support.dossiers import PIN, good_dossier
from tests.support.evidence import START

from assaymark.core.decision import Outcome
from assaymark.core.errors import VerificationError
from assaymark.trust.dossier import parse_dossier
from assaymark.trust.replay import standing_now, verify_dossier


def test_the_honest_dossier_is_permitted():
    verified = verify_dossier(parse_dossier(good_dossier().to_bytes()), PIN)
    assert standing_now(verified.decision, START + 200)[0] is Outcome.PERMIT
    ends = verified.decision.valid_until
    assert standing_now(verified.decision, ends - 1)[0] is Outcome.PERMIT
    assert standing_now(verified.decision, ends)[0] is Outcome.INDETERMINATE, "docs/spec/decision.md: from then on"
    later = verify_dossier(good_dossier(START + 130), PIN)
    assert later.decision == verified.decision, "a writer may have waited for the log"


def test_a_decision_made_in_advance():
    """It would begin to hold when nobody looks at the log any more, whatever was contained meanwhile."""
    with pytest.raises(VerificationError) as caught:
        verify_dossier(good_dossier(START + 99), PIN)
    assert caught.value.code == "dossier-time"
