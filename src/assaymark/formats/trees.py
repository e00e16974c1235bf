"""Readers of gradient-boosted trees in formats of their own: XGBoost's old binary, LightGBM's text, CatBoost's core.

xgboost/src/learner.cc (LearnerModelParamLegacy), LightGBM src/boosting/gbdt_model_text.cpp, catboost
libs/model/flatbuffers/model.fbs. Trees are numbers; what is checked is that the outer structure is the format's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import TABLE_MAX_ITEMS
from assaymark.formats.flatbuffers import Buffer
from assaymark.formats.text import read_text

if TYPE_CHECKING:
    from assaymark.core.view import View

_HEADER: Final = 136
_NAME: Final = re.compile(rb"[a-z]{3,20}(?::[a-z_0-9]{1,40})?")
_LINE: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_ ]*=[^\n]*|Tree=\d+|tree|end of \w+(?: \w+)*|feature_importances:|"
                          rb"parameters:|\[[a-z0-9_]+:[^\n]*\]|pandas_categorical:[^\n]*|")  # fmt: skip


def read_xgboost(view: View) -> tuple[str, str]:
    """(objective, booster) of a binary model.

    Raises:
        InputError: ``xgboost-malformed``.
    """
    place = (4 if view.read(0, 4) == b"binf" else 0) + _HEADER
    names: list[str] = []
    for _ in range(2):
        length = int.from_bytes(view.read(place, 8), "little")
        name = view.read(place + 8, length) if length < 64 else b""  # noqa: PLR2004 - a word
        if not _NAME.fullmatch(name):
            raise InputError(
                "xgboost-malformed", "the name of an objective or booster is missing", position=f"byte {place}"
            )
        names.append(name.decode("ascii"))
        place += 8 + length
    if names[1] not in ("gbtree", "gblinear", "dart"):
        raise InputError("xgboost-malformed", f"no booster {names[1]!r}", position=f"byte {place}")
    return names[0], names[1]


def read_lightgbm(view: View) -> int:
    """The number of trees; every line is one that LightGBM writes.

    Raises:
        InputError: ``lightgbm-malformed`` with the line, or a ``text-*`` code.
    """
    text = read_text(view).replace(b"\r\n", b"\n")
    if text.count(b"\n") > TABLE_MAX_ITEMS:
        raise InputError("graph-size", f"more than {TABLE_MAX_ITEMS} lines")
    lines = text.split(b"\n")
    trees = 0
    for number, line in enumerate(lines, 1):
        if not _LINE.fullmatch(line):
            raise InputError("lightgbm-malformed", "a line that is none of LightGBM's", position=f"line {number}")
        trees += line.startswith(b"Tree=")
    if lines[0] != b"tree" or b"end of trees" not in lines:
        raise InputError("lightgbm-malformed", "the model is not whole", position="line 1")
    return trees


def read_catboost(view: View) -> str:
    """The version of the format, out of a core that lies in the file with the parts that it names.

    Raises:
        InputError: ``catboost-malformed``, ``flatbuffers-malformed``.
    """
    head = view.read(0, 8)
    size = int.from_bytes(head[4:], "little")
    if head[:4] != b"CBM1" or not 8 <= size <= view.size - 8:  # noqa: PLR2004 - a root and a table
        raise InputError("catboost-malformed", "the core does not fit into the file", position="byte 0")
    core = Buffer(view).root(8)
    version = core.text(0)
    if not version.startswith("FlabuffersModel"):
        raise InputError("catboost-malformed", "no version of the format", position=f"byte {core.at}")
    if core.vector(3, 4)[1] == 0 and view.size != 8 + size:
        raise InputError("catboost-malformed", "bytes follow the core", position=f"byte {8 + size}")
    return version
