"""Fuzz target: the pickle machine. It raises nothing, whatever the bytes."""

from tests.support.judges import judge

from assaymark.core.view import BytesView
from assaymark.formats.pickle.run import run_pickle


def fuzz(data: bytes) -> None:
    """A run ends within the bytes, and stops or says why it did not."""
    observer = judge(data, torch=data[:1] == b"\x80")
    notes = observer.notes
    trace = run_pickle(BytesView(data), 0, observer, budget=100_000)
    observer.conclude()
    if not (trace.stopped or trace.breaks) or not 0 <= trace.end <= len(data):
        raise AssertionError("a run that neither stopped nor broke")
    for finding in notes.findings:
        if not 0 <= (finding.locations[0].offset or 0) < len(data):
            raise AssertionError("a finding outside the bytes")
