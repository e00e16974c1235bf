import pytest

from assaymark.core.names import is_name


@pytest.mark.parametrize("name", ["a", "0", "alice", "alice-2", "ci.build_1", "a" * 64])
def test_names(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "_a", "a b", "a/b", "ä", "a\n", "a" * 65, "а", None, 1, b"a"])  # noqa: RUF001
def test_what_is_no_name(name):
    assert not is_name(name)
