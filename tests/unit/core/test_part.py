from __future__ import annotations

import pytest

from assaymark.core.part import Part, load_part


def test_a_part_is_imported_at_first_use() -> None:
    import json

    assert load_part(Part("json", "reader", "", (), "json:loads")) is json.loads


def test_a_part_whose_package_is_missing_says_so() -> None:
    with pytest.raises(ImportError):
        load_part(Part("x", "reader", "", ("x",), "no_such_package_at_all:x"))
