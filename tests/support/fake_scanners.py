"""Small programs that print what second scanners print, for tests without them. What they print is real output.

Each takes the words of a command as the real one does, and judges a file by its name: ``bad`` in it is objected to,
``broken`` is not understood, and one that does not end in ``.pkl`` is skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HEAD = """\
import json, os, pathlib, sys
words = sys.argv[1:]
def after(flag):
    return words[words.index(flag) + 1]
def files(root):
    root = pathlib.Path(root)
    return [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
"""
PICKLESCAN = """\
path = after("-p")
name = os.path.basename(path)
if not name.endswith(".pkl") or "broken" in name:
    print(f"WARNING: could not parse {path} as pickle: at position 0, opcode b'#' unknown")
bad = "bad" in name
if bad:
    print(f"{path}: dangerous import 'posix system' FOUND")
print(f'''----------- SCAN SUMMARY -----------
Scanned files: 1
Infected files: {int(bad)}
Suspicious globals: 0
Dangerous globals: {int(bad)}''')
sys.exit(int(bad))
"""
FICKLING = """\
path = words[-1]
name = os.path.basename(path)
if not name.endswith(".pkl"):
    sys.stderr.write("Fickling failed to parse this pickle file. Error: No pickle files detected\\n")
    sys.exit(2)
open(after("--json-output"), "w").write("{}")
open("safety_results.json", "w").write("{}")
if "bad" in name or "broken" in name or "odd" in name:
    print("`from posix import system` is suspicious and indicative of an overtly malicious pickle file")
    sys.stderr.write("Warning: Fickling detected that the pickle file may be unsafe.\\n\\n")
    sys.exit(1)
print()
"""
MODELSCAN = """\
root = after("-p")
names = [str(p.relative_to(root)) for p in files(root)]
issues = [{"description": "Use of unsafe operator 'system' from module 'posix'", "operator": "system",
  "module": "posix", "source": n, "scanner": "modelscan.scanners.PickleUnsafeOpScan", "severity": "CRITICAL"}
  for n in names if "bad" in n]
errors = [{"category": "PICKLE_GENOPS", "description": "Parsing error", "source": n} for n in names if "broken" in n]
seen = [n for n in names if n.endswith(".pkl") and "broken" not in n]
skipped = [{"category": "SCAN_NOT_SUPPORTED", "description": "Model Scan did not scan file", "source": n}
  for n in names if not n.endswith(".pkl")]
summary = {"scanned": {"total_scanned": len(seen), **({"scanned_files": seen} if seen else {})},
  "skipped": {"total_skipped": len(skipped), "skipped_files": skipped}}
json.dump({"summary": summary, "issues": issues, "errors": errors}, open(after("-o"), "w"))
print("No settings file detected. Using defaults.")
sys.exit(3 if not seen else 2 if errors else 1 if issues else 0)
"""
MODELAUDIT = """\
root = words[-1]
if any(p.is_symlink() for p in pathlib.Path(root).rglob("*")):
    sys.exit(2)
paths = files(root)
issues = [{"message": "Found REDUCE opcode invoking dangerous global: posix.system", "severity": "critical",
  "location": f"{p} (pos 42)", "rule_code": "S201", "timestamp": 1795339482.8} for p in paths if "bad" in p.name]
metadata = {str(p): {"scanner_dependency_ids": ["pickle" if p.suffix == ".pkl" else "unknown"]} for p in paths}
json.dump({"issues": issues, "has_errors": False, "file_metadata": metadata}, open(after("--output"), "w"))
sys.exit(int(bool(issues)))
"""
FAKES = {"picklescan": PICKLESCAN, "modelscan": MODELSCAN, "fickling": FICKLING, "modelaudit": MODELAUDIT}


def fake(folder: Path, name: str, body: str | None = None, version: str = "9.9.9") -> Path:
    """A program that behaves as the scanner ``name``, or as ``body`` says, installed where ours would install it."""
    place = folder / "assaymark" / "scanners" / name
    (place / "bin").mkdir(parents=True, exist_ok=True)
    (place / "pyvenv.cfg").write_text("")
    (place / "bin" / "python").unlink(missing_ok=True)
    (place / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (place / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info").mkdir(
        parents=True, exist_ok=True
    )
    program = place / "bin" / name
    program.write_text(f"#!{Path(sys.executable).resolve()}\n{_HEAD}{FAKES[name] if body is None else body}")
    program.chmod(0o755)
    return program
