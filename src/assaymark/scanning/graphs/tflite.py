"""Scanner of TensorFlow Lite models: custom operators need native code, and Flex operators are TensorFlow's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.tflite import read_tflite
from assaymark.formats.zip import hidden_zip, read_zip
from assaymark.formats.zip_member import member_view
from assaymark.scanning.graphs.shared import note_broken
from assaymark.scanning.graphs.tensorflow_operators import COMPUTING
from assaymark.scanning.graphs.tensorflow_uses import READS, REFUSED, SAVER_READS, SAVER_WRITES
from assaymark.scanning.notes import shown

if TYPE_CHECKING:
    from assaymark.scanning.content import Content

# Custom operators that TensorFlow Lite, MediaPipe and TensorFlow Text bring.
_KNOWN: Final = re.compile(
    r"TFLite_Detection_PostProcess|NumericVerify|Mfcc|AudioSpectrogram|AudioMicrofrontend|SignalOps\.\w+|Signal\w+"
    r"|Convolution2DTransposeBias|MaxPoolingWithArgmax2D|MaxUnpooling2D|Landmarks2TransformMatrix|TransformLandmarks"
    r"|TransformTensorBilinear|RFFT2D|Irfft2d|Roll|Multinomial|RandomUniform|RandomStandardNormal|Timestamp|Table"
    r"|tftext:\w+|TFSentencepiece\w*Op|Ngrams|WhitespaceTokenize\w*|Predict|Normalize|ExtractFeatures"
    r"|AVG_POOL_GRAD|Densify|HashtableV2?|LookupTable\w+|Conv3DTranspose|DepthwiseConv2d\w*|kmeans\w*|GroupNormalization"
)
_BEFORE: Final = "has bytes before it that belong to nothing"
_COMPILED: Final = frozenset(
    ("edgetpu-custom-op", "ethos-u", "armnn_delegate", "QNN", "vsi-npu", "neutron-custom-op")
)


def scan(content: Content) -> None:
    """The custom operators, and the archive of files that metadata may append."""
    try:
        model = read_tflite(content.view)
    except InputError as error:
        note_broken(content, error, "TensorFlow Lite model")
        return
    for name, place in model.custom.items():
        _custom(content, name, place)
    if hidden_zip(content.view) is not None:
        _appended(content, model.end)
    content.notes.saw("tflite", content.member)


def _appended(content: Content, end: int) -> None:
    """Files of the metadata, as a zip archive behind the model (TensorFlow Lite's metadata writer)."""
    try:
        archive = read_zip(content.view)
    except InputError as error:
        content.notes.finding("file-polyglot", f"ends as a zip archive: {error.message}", member=content.member)
        return
    first = min((member.start for member in archive.members), default=0)
    for doubt in archive.ambiguities:
        if doubt.message.endswith(_BEFORE) and end <= doubt.offset <= first:
            continue
        content.notes.finding("zip-ambiguous", shown(doubt.message), member=content.member, offset=doubt.offset)
    if archive.unreadable or first < end:
        content.notes.finding("file-polyglot", "ends as a zip archive that reaches into it", member=content.member)
        return
    for member in archive.members:
        try:
            content.examine(content.within(member_view(content.view, member), member.name))
        except InputError as error:
            content.notes.skip(error.message, content.within(content.view, member.name).member)


def _custom(content: Content, name: str, place: int) -> None:
    rule = "graph-custom-operator"
    severity: Severity | None = Severity.MEDIUM
    inner = name.removeprefix("Flex")
    if name.startswith("Flex"):
        judged = {**READS, **SAVER_READS, **SAVER_WRITES}
        if inner in REFUSED:
            rule, severity, reason = REFUSED[inner].rule, None, REFUSED[inner].reason
        elif inner in judged:
            rule, severity, reason = "graph-file-access", None, "reads or writes files when the model runs"
        elif inner in COMPUTING or inner == "PrintV2":
            reason = "is TensorFlow's, and needs its Flex delegate"
        else:
            severity, reason = None, "is no operator of TensorFlow that is known to compute only"
    elif name in _COMPILED:
        rule, reason = "graph-native-code", "holds a program for an accelerator"
        content.notes.skip(f"the program for an accelerator in {shown(name)!r} cannot be examined", content.member)
    elif _KNOWN.fullmatch(name):
        reason = "is a custom operator of a well-known library"
    else:
        severity, reason = None, "is a custom operator: it runs native code that somebody must load"
    message = f"the operator {shown(name)!r} {reason}"
    content.notes.finding(rule, message, member=content.member, offset=place, severity=severity)
