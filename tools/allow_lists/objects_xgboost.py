"""Boosters and the wrappers for scikit-learn, fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import xgboost
from objects_boosters import X, Y


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    data = xgboost.DMatrix(X, Y)
    for booster in ("gbtree", "gblinear", "dart"):
        yield booster, lambda booster=booster: xgboost.train({"booster": booster, "max_depth": 2}, data, 3)
    for name in ["XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"]:
        yield name, lambda name=name: getattr(xgboost, name)(n_estimators=3).fit(X, Y)
        yield f"unfitted {name}", lambda name=name: getattr(xgboost, name)()
    yield "ranker", lambda: xgboost.XGBRanker(n_estimators=3).fit(X, Y, group=[30, 30])
    yield "three classes", lambda: xgboost.XGBClassifier(n_estimators=3).fit(X, (X[:, 0] * 3).astype(int))
    yield (
        "early",
        lambda: xgboost.XGBClassifier(n_estimators=3, early_stopping_rounds=2).fit(
            X, Y, eval_set=[(X, Y)], verbose=False
        ),
    )
    yield (
        "callback",
        lambda: xgboost.XGBClassifier(n_estimators=3, callbacks=[xgboost.callback.EarlyStopping(2)]).fit(
            X, Y, eval_set=[(X, Y)], verbose=False
        ),
    )

    def pipeline() -> object:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=2)).fit(X, Y)

    yield "pipeline", pipeline
