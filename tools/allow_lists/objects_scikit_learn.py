"""Every public estimator, fitted on small data; composed ones; what estimators hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sklearn
from sklearn.utils import all_estimators

rng = np.random.RandomState(0)
X = rng.rand(40, 4)
Y = (X[:, 0] > 0.5).astype(int)
TEXTS = ["a cat sat", "the dog ran", "a bird flew", "the fish swam"] * 10


def fitted(estimator: Any) -> Any:
    """The estimator, fitted on whatever it takes."""
    name = type(estimator).__name__
    targets: list[Any] = [Y, X[:, 1] + 0.1, np.c_[Y, 1 - Y], np.c_[X[:, 1], X[:, 2]] + 0.1]
    inputs: list[Any] = [
        X,
        (X * 10).astype(int),
        TEXTS,
        [{"a": 1, "b": "x"}] * 40,
        X[:, :1],
        np.abs(X @ X.T),
        ["a", "b"] * 20,
    ]
    if "Vectorizer" in name or "Hash" in name:
        inputs = [TEXTS, [{"a": 1, "b": "x"}] * 40]
    error: Exception | None = None
    for x in inputs:
        for y in targets:
            try:
                return estimator.fit(x, y)
            except Exception as failed:
                error = failed
    try:
        return estimator.fit(Y)
    except Exception:
        raise error from None


def made(cls: Any) -> Any:
    """An instance with small inner estimators."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    given: dict[str, Any] = {}
    parameters = inspect.signature(cls.__init__).parameters
    inner = LinearRegression() if issubclass(cls, sklearn.base.RegressorMixin) else LogisticRegression()
    for name, parameter in parameters.items():
        if parameter.default is not inspect.Parameter.empty or name in ("self", "args", "kwargs"):
            continue
        if name in ("estimator", "base_estimator", "regressor", "classifier"):
            given[name] = inner
        elif name in ("estimators", "transformers", "steps", "transformer_list"):
            given[name] = [("one", inner), ("two", inner)]
            if name == "steps":
                given[name] = [("scale", sklearn.preprocessing.StandardScaler()), ("two", inner)]
            elif name == "transformers":
                given[name] = [
                    ("scale", sklearn.preprocessing.StandardScaler(), [0, 1]),
                    ("rest", "passthrough", [2]),
                ]
            elif name == "transformer_list":
                given[name] = [
                    ("pca", sklearn.decomposition.PCA(2)),
                    ("scale", sklearn.preprocessing.StandardScaler()),
                ]
        elif name in ("param_grid", "param_distributions"):
            given[name] = {"fit_intercept": [True, False]}
        elif name == "dictionary":
            given[name] = X[:5]
        elif name == "estimator_":
            given[name] = inner
    return cls(**given)


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    import sklearn.compose
    import sklearn.ensemble
    import sklearn.gaussian_process
    import sklearn.metrics
    import sklearn.pipeline
    import sklearn.svm
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401

    for name, cls in all_estimators():
        yield name, lambda cls=cls: fitted(made(cls))
        yield f"unfitted {name}", lambda cls=cls: made(cls)
    kernels = sklearn.gaussian_process.kernels
    kernel = kernels.ConstantKernel(1.0) * kernels.RBF(1.0) + kernels.WhiteKernel() + kernels.Matern() ** 2
    yield "kernel", lambda: sklearn.gaussian_process.GaussianProcessRegressor(kernel).fit(X, Y)
    for metric in ("euclidean", "manhattan", "chebyshev", "minkowski", "haversine"):
        for tree in ("BallTree", "KDTree"):
            if metric == "haversine" and tree == "KDTree":
                continue
            data = X[:, :2] if metric == "haversine" else X
            yield (
                f"{tree} {metric}",
                lambda tree=tree, metric=metric, data=data: getattr(sklearn.neighbors, tree)(data, metric=metric),
            )
        yield f"metric {metric}", lambda metric=metric: sklearn.metrics.DistanceMetric.get_metric(metric)
    for algorithm in ("kd_tree", "ball_tree", "brute"):
        yield f"KNN {algorithm}", lambda a=algorithm: sklearn.neighbors.KNeighborsClassifier(algorithm=a).fit(X, Y)
    yield "KNN float32", lambda: sklearn.neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(X.astype("f4"), Y)
    for loss in (
        "hinge",
        "log_loss",
        "modified_huber",
        "squared_hinge",
        "perceptron",
        "huber",
        "epsilon_insensitive",
    ):
        yield f"SGD {loss}", lambda loss=loss: sklearn.linear_model.SGDClassifier(loss=loss).fit(X, Y)
    for loss in ("squared_error", "absolute_error", "huber", "quantile"):
        yield (
            f"GBR {loss}",
            lambda loss=loss: sklearn.ensemble.GradientBoostingRegressor(loss=loss, n_estimators=3).fit(X, Y),
        )
    for loss in ("squared_error", "absolute_error", "poisson", "quantile", "gamma"):
        yield (
            f"HGBR {loss}",
            lambda loss=loss: sklearn.ensemble.HistGradientBoostingRegressor(
                loss=loss, max_iter=3, quantile=0.5 if loss == "quantile" else None, early_stopping=True
            ).fit(X, Y + 0.5),
        )
    yield (
        "GBC 3",
        lambda: sklearn.ensemble.GradientBoostingClassifier(n_estimators=3).fit(X, (X[:, 0] * 3).astype(int)),
    )
    yield (
        "HGBC 3",
        lambda: sklearn.ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, (X[:, 0] * 3).astype(int)),
    )
    yield "Tweedie", lambda: sklearn.linear_model.TweedieRegressor(power=1.5).fit(X, Y)
    yield "SVC", lambda: sklearn.svm.SVC(probability=True).fit(X, Y)
    yield "FunctionTransformer", lambda: sklearn.preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1)
    yield "SelectKBest", lambda: sklearn.feature_selection.SelectKBest(sklearn.feature_selection.chi2, k=2).fit(X, Y)
    yield "make_scorer", lambda: sklearn.metrics.make_scorer(sklearn.metrics.f1_score, average="macro")
    yield "get_scorer", lambda: sklearn.metrics.get_scorer("roc_auc")
    yield "metric function", lambda: sklearn.metrics.accuracy_score
    yield "Bunch", lambda: sklearn.datasets.load_iris()
    yield "Bunch of a set", lambda: sklearn.utils.Bunch(a=1, model=sklearn.linear_model.Ridge())
    grid = {"kernel": ["rbf"], "C": [1, 2]}
    yield "GridSearchCV", lambda: sklearn.model_selection.GridSearchCV(sklearn.svm.SVC(), grid, cv=3).fit(X, Y)
    import scipy.stats

    yield (
        "RandomizedSearchCV",
        lambda: sklearn.model_selection.RandomizedSearchCV(
            sklearn.svm.SVC(), {"C": scipy.stats.uniform(0.1, 2)}, n_iter=3, cv=3
        ).fit(X, Y),
    )
    yield (
        "cv",
        lambda: sklearn.model_selection.StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(1)),
    )
    yield (
        "CountVectorizer",
        lambda: sklearn.feature_extraction.text.CountVectorizer(dtype=np.float32, ngram_range=(1, 2)).fit(TEXTS),
    )
    yield (
        "text pipeline",
        lambda: sklearn.pipeline.make_pipeline(
            sklearn.feature_extraction.text.TfidfVectorizer(), sklearn.linear_model.LogisticRegression()
        ).fit(TEXTS, Y),
    )
    yield (
        "union",
        lambda: sklearn.pipeline.make_union(sklearn.decomposition.PCA(2), sklearn.preprocessing.StandardScaler()).fit(
            X
        ),
    )

    def frame() -> Any:
        import pandas as pd

        data = pd.DataFrame(X, columns=list("abcd")).assign(e=["x", "y"] * 20)
        columns = sklearn.compose.ColumnTransformer(
            [
                ("n", sklearn.preprocessing.StandardScaler(), ["a", "b"]),
                ("c", sklearn.preprocessing.OneHotEncoder(), ["e"]),
            ],
            remainder="drop",
        )
        return sklearn.pipeline.Pipeline([("c", columns), ("m", sklearn.ensemble.RandomForestClassifier(3))]).fit(
            data, Y
        )

    yield "pipeline of a frame", frame
    yield (
        "sparse",
        lambda: (
            sklearn.linear_model.LogisticRegression()
            .fit(__import__("scipy.sparse").sparse.csr_matrix(X), Y)
            .sparsify()
        ),
    )
    yield "set_output", lambda: sklearn.preprocessing.StandardScaler().set_output(transform="pandas").fit(X)
    yield "selector", lambda: sklearn.compose.make_column_selector(dtype_include=np.number)
