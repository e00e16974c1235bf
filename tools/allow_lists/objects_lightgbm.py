"""Boosters and the wrappers for scikit-learn, fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import lightgbm
from objects_boosters import X, Y


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    few = {"verbose": -1, "min_data_in_leaf": 2, "num_leaves": 4}
    yield "Booster", lambda: lightgbm.train(few, lightgbm.Dataset(X, Y), 3)
    yield "valid", lambda: lightgbm.train(few, lightgbm.Dataset(X, Y), 3, valid_sets=[lightgbm.Dataset(X, Y)])
    for name in ["LGBMClassifier", "LGBMRegressor"]:
        yield name, lambda name=name: getattr(lightgbm, name)(n_estimators=3, verbose=-1).fit(X, Y)
        yield f"unfitted {name}", lambda name=name: getattr(lightgbm, name)()
    yield "ranker", lambda: lightgbm.LGBMRanker(n_estimators=3, verbose=-1).fit(X, Y, group=[30, 30])
    yield (
        "evaluated",
        lambda: lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(
            X, Y, eval_set=[(X, Y)], callbacks=[lightgbm.early_stopping(2, verbose=False)]
        ),
    )

    def frame() -> object:
        import pandas as pd

        data = pd.DataFrame(X, columns=list("abcd")).assign(e=pd.Categorical(["x", "y"] * 30))
        return lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(data, Y)

    yield "categories", frame
