"""Fuzz target: which model format a file is."""

from tests.support.model_files import MODELS, VARIANTS

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_MAX_BYTES
from assaymark.core.view import BytesView
from assaymark.scanning.identity.identified import FORMATS
from assaymark.scanning.identity.identify import identify
from assaymark.store.unpack import UNPACKERS

SEEDS = [*MODELS.values(), *(data for _, data in VARIANTS.values())]


def fuzz(data: bytes) -> None:
    """An answer whose format is known, or InputError."""
    try:
        found = identify(BytesView(data), UNPACKERS)
    except InputError as error:
        if len(data) < IDENTIFY_MAX_BYTES // 4 and error.code != "identify-limit":
            raise AssertionError("an error about something else than the limit") from error
        return
    if found is not None and (found.format not in FORMATS or found.kind not in ("model", "data", "part")):
        raise AssertionError("an unknown format")
