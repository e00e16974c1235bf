"""The second scanners, one line each. To add one: a module with ``SCANNER``, a line here, a lock, a test."""

from __future__ import annotations

from typing import Final

from assaymark.core.part import Part

SECOND_SCANNERS: Final = (
    Part(
        "picklescan",
        "second-scanner",
        "dangerous imports of pickles, torch files and archives; seldom a false alarm",
        (),
        "assaymark.scanning.opinions.picklescan:SCANNER",
    ),
    Part(
        "modelscan",
        "second-scanner",
        "dangerous operators of pickles, Keras and TensorFlow models; skips what it does not know",
        (),
        "assaymark.scanning.opinions.modelscan:SCANNER",
    ),
    Part(
        "fickling",
        "second-scanner",
        "bare pickles, strictly: objects to most ordinary ones too",
        (),
        "assaymark.scanning.opinions.fickling:SCANNER",
    ),
    Part(
        "modelaudit",
        "second-scanner",
        "many formats, many kinds of doubt: objects to most ordinary models too",
        (),
        "assaymark.scanning.opinions.modelaudit:SCANNER",
    ),
)
