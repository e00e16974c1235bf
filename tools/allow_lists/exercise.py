"""Makes ordinary objects with the installed libraries and has the scanner judge their pickles.

``python exercise.py LIBRARY...`` in the environment of one release, with ``src`` on the path: prints how many objects
were made, how many passed in every form, and what was said of those that did not.
"""

from __future__ import annotations

import collections
import contextlib
import importlib
import importlib.metadata
import io
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

SHOWN = 60


def forms(value: object, library: str) -> dict[str, bytes]:
    """The files that the value's users write of it, by how."""
    made = {"pickle 5": pickle.dumps(value, 5)}
    for protocol in range(5):
        with contextlib.suppress(Exception):  # protocols 0 and 1 cannot write classes with __slots__
            made[f"pickle {protocol}"] = pickle.dumps(value, protocol)
    if library in ("torch", "transformers"):
        import torch

        for zipped in (True, False):
            buffer = io.BytesIO()
            torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
            made["torch zip" if zipped else "torch legacy"] = buffer.getvalue()
    elif importlib.util.find_spec("joblib"):
        import joblib

        buffer = io.BytesIO()
        joblib.dump(value, buffer)
        made["joblib"] = buffer.getvalue()
    return made


def main() -> None:
    """Exercise each library that is named."""
    sys.path.insert(0, str(Path(__file__).parent))
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for library in sys.argv[1:]:
        objects = importlib.import_module(f"objects_{library}").objects()
        made = passed = unmade = 0
        wrong: collections.Counter[str] = collections.Counter()
        example: dict[str, str] = {}
        for name, make in objects:
            try:
                value: Any = make()
                files = forms(value, library)
            except Exception as error:
                unmade += 1
                print(f"  not made: {name}: {type(error).__name__}: {str(error)[:100]}")
                continue
            made += 1
            good = True
            for form, data in files.items():
                report = examine(
                    BytesView(data), "m.joblib" if form == "joblib" else "m.pt" if "torch" in form else "m.pkl"
                )
                if report.outcome() is not ScanOutcome.PASS:
                    good = False
                    for text in {f.message.split(" (imported")[0] for f in report.findings} | {
                        s.reason for s in report.skipped
                    }:
                        key = " ".join(word for word in text.split() if not word.isdigit())
                        wrong[key] += 1
                        example.setdefault(key, f"{name}, {form}")
            passed += good
        print(f"{library}: {made} objects made, {passed} passed, {made - passed} refused, {unmade} not made")
        for text, count in wrong.most_common(SHOWN):
            print(f"  {count} x {text[:240]} [{example[text]}]")


if __name__ == "__main__":
    main()
