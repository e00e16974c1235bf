"""Counts in the words that people use."""

from assaymark.core.words import counted


def test_one_is_not_many():
    assert counted(1, "finding") == "1 finding"
    assert counted("1", "file") == "1 file"
    assert [counted(n, "finding") for n in (0, 2)] == ["0 findings", "2 findings"]
    assert counted("1,000", "file") == "1,000 files"
    assert counted("?", "entry", "entries") == "? entries"
    assert counted(2, "entry", "entries") == "2 entries"
    assert counted(1, "attempt is", "attempts are") == "1 attempt is"
