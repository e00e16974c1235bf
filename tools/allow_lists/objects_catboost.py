"""Models of each kind, fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import catboost
from objects_boosters import X, Y


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    few = {"iterations": 3, "verbose": False, "allow_writing_files": False}
    for name in ["CatBoostClassifier", "CatBoostRegressor"]:
        yield name, lambda name=name: getattr(catboost, name)(**few).fit(X, Y)
        yield f"unfitted {name}", lambda name=name: getattr(catboost, name)(**few)
    yield "CatBoost", lambda: catboost.CatBoost({**few, "loss_function": "RMSE"}).fit(X, Y)
    yield "ranker", lambda: catboost.CatBoostRanker(**few).fit(X, Y, group_id=[0] * 30 + [1] * 30)
    yield "evaluated", lambda: catboost.CatBoostClassifier(**few).fit(X, Y, eval_set=(X, Y))
    yield (
        "importance",
        lambda: (lambda model: model.get_feature_importance() is None or model)(
            catboost.CatBoostRegressor(**few).fit(X, Y)
        ),
    )

    def frame() -> object:
        import pandas as pd

        data = pd.DataFrame(X, columns=list("abcd")).assign(e=["x", "y"] * 30)
        return catboost.CatBoostClassifier(**few, cat_features=["e"]).fit(data, Y)

    yield "categories", frame
