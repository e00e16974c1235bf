"""Sparse matrices, distributions, interpolators, trees, rotations, results of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.interpolate
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats

DENSE = np.array([[0, 1.5], [2, 0]])
X = np.linspace(0, 1, 8)
SHAPES = {
    "a": 1.2,
    "b": 2.3,
    "c": 0.5,
    "s": 0.9,
    "df": 3,
    "dfn": 3,
    "dfd": 4,
    "mu": 0.6,
    "n": 5,
    "p": 0.4,
    "M": 20,
    "N": 7,
}


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    for kind in ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]:
        for form in ("matrix", "array"):
            yield f"{kind}_{form}", lambda kind=kind, form=form: getattr(scipy.sparse, f"{kind}_{form}")(DENSE)
    for name in dir(scipy.stats):
        value = getattr(scipy.stats, name)
        if isinstance(value, (scipy.stats.rv_continuous, scipy.stats.rv_discrete)):
            yield f"stats.{name}", lambda value=value: value
            yield (
                f"frozen {name}",
                lambda value=value: value(
                    *[SHAPES.get(part.strip(), 1.5) for part in (value.shapes or "").split(",") if part.strip()]
                ),
            )
    yield "rv_histogram", lambda: scipy.stats.rv_histogram(np.histogram(X, bins=3))
    yield "rv_discrete", lambda: scipy.stats.rv_discrete(values=([1, 2], [0.5, 0.5]))
    yield "gaussian_kde", lambda: scipy.stats.gaussian_kde(X)
    yield "multivariate_normal", lambda: scipy.stats.multivariate_normal([0, 0], [[1, 0], [0, 1]])
    yield "ttest", lambda: scipy.stats.ttest_1samp(X, 0)
    yield "linregress", lambda: scipy.stats.linregress(X, X)
    for kind in ("linear", "nearest", "cubic", "previous"):
        yield f"interp1d {kind}", lambda kind=kind: scipy.interpolate.interp1d(X, X, kind=kind)
    for name in [
        "CubicSpline",
        "PchipInterpolator",
        "Akima1DInterpolator",
        "UnivariateSpline",
        "InterpolatedUnivariateSpline",
        "BarycentricInterpolator",
        "KroghInterpolator",
    ]:
        yield name, lambda name=name: getattr(scipy.interpolate, name)(X, X**2)
    yield "make_interp_spline", lambda: scipy.interpolate.make_interp_spline(X, X)
    yield "PPoly", lambda: scipy.interpolate.PPoly(np.ones((2, 3)), [0, 1, 2, 3])
    yield "RegularGrid", lambda: scipy.interpolate.RegularGridInterpolator((X, X), np.ones((8, 8)))
    yield "RBFInterpolator", lambda: scipy.interpolate.RBFInterpolator(np.random.rand(10, 2), np.random.rand(10))
    yield "NearestND", lambda: scipy.interpolate.NearestNDInterpolator(np.random.rand(10, 2), np.random.rand(10))
    yield "RectBivariateSpline", lambda: scipy.interpolate.RectBivariateSpline(X, X, np.ones((8, 8)))
    yield "splrep", lambda: scipy.interpolate.splrep(X, X)
    yield "cKDTree", lambda: scipy.spatial.cKDTree(np.random.rand(20, 3))
    yield "KDTree", lambda: scipy.spatial.KDTree(np.random.rand(20, 3))
    yield "Rotation", lambda: scipy.spatial.transform.Rotation.from_euler("z", 90, degrees=True)
    yield "Rotations", lambda: scipy.spatial.transform.Rotation.random(3)
    yield "minimize", lambda: scipy.optimize.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method="Nelder-Mead")
    yield "root", lambda: scipy.optimize.root(lambda x: x - 1, [0.0])
    yield "linprog", lambda: scipy.optimize.linprog([1, 2], A_ub=[[1, 1]], b_ub=[3])
    yield "Bounds", lambda: scipy.optimize.Bounds([0], [1])
    yield "lti", lambda: scipy.signal.lti([1], [1, 2])
    for name in ["expit", "logit", "erf", "gamma", "softmax", "logsumexp"]:
        yield name, lambda name=name: getattr(scipy.special, name)
