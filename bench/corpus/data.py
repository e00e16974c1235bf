"""Numbers that models are fitted on."""

from __future__ import annotations

from typing import Any


def training_data() -> tuple[Any, Any]:
    """Sixty rows of four numbers, and two classes."""
    import numpy as np

    x = np.random.rand(60, 4)
    return x, (x[:, 0] > 0.5).astype(int)
