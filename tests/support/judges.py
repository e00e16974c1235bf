"""A judge of pickles as a scan makes it, for tests of what it observes."""

from assaymark.core.view import BytesView
from assaymark.scanning.content import Content
from assaymark.scanning.notes import Notes
from assaymark.scanning.pickle.judge import Judge
from assaymark.scanning.pickle.streams import StreamLoaders


def judge(data: bytes = b"", *, torch: bool = False) -> Judge:
    notes = Notes("x")
    return Judge(Content(BytesView(data), "x", notes, lambda _: None), StreamLoaders(notes), torch=torch)
