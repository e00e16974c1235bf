"""Lists what the installed Keras can be told to construct by name: ``python -m tests.support.make_keras_names``.

Run in an environment of each release; ``keras_names.py`` of the scanner is the reviewed union of what they print.
With the argument ``tf_keras`` it asks Keras 2.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys

CLASSES = (
    "layers initializers regularizers constraints optimizers optimizers.schedules optimizers.legacy losses metrics "
    "dtype_policies quantizers mixed_precision models random layers.experimental.preprocessing layers.experimental"
)
FUNCTIONS = "activations losses metrics initializers regularizers constraints ops ops.nn ops.numpy ops.math ops.image"


def members(root: str, names: str, wanted) -> set[str]:
    found = set()
    for name in names.split():
        try:
            module = importlib.import_module(f"{root}.{name}")
        except ImportError:
            continue
        found |= {key for key in dir(module) if key[0] != "_" and wanted(getattr(module, key))}
    return found


def operations(root: str) -> set[str]:
    """Classes of operations that a functional graph holds (Keras 3)."""
    try:
        from keras.src.ops.operation import Operation

        package = importlib.import_module(f"{root}.src.ops")
    except ImportError:
        return set()
    found = set()
    for info in pkgutil.iter_modules(package.__path__):
        if not info.name.endswith("_test"):
            module = importlib.import_module(f"{root}.src.ops.{info.name}")
            found |= {
                key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, Operation)
            }
    return found


def main() -> None:
    root = sys.argv[1] if len(sys.argv) > 1 else "keras"
    found = {
        "classes": sorted(members(root, CLASSES, inspect.isclass)),
        "functions": sorted(members(root, FUNCTIONS, inspect.isfunction)),
        "operations": sorted(operations(root)),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
