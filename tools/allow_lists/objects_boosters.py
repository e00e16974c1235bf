"""What the three libraries of boosted trees have in common."""

from __future__ import annotations

import numpy as np

rng = np.random.RandomState(0)
X = rng.rand(60, 4)
Y = (X[:, 0] > 0.5).astype(int)
