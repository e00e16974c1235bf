"""Ordinary files, written by the libraries themselves: each must be understood and pass."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

from bench.corpus.benign_graphs import (
    keras_files,
    onnx_files,
    other_files,
    skops_files,
    tensorflow_files,
    transformers_files,
)
from bench.corpus.data import training_data as _data


def write(out: Path) -> list[dict[str, str]]:
    """Write every file that an installed library writes; what fails for want of a library is left out and said."""
    import numpy as np

    warnings.simplefilter("ignore")
    np.random.seed(0)
    rows: list[dict[str, str]] = []
    for make in (_numpy, _scipy, _python, _sklearn, _joblib, _pandas, _boosters, _torch, _torch_programs, _safetensors,
                 onnx_files, keras_files, tensorflow_files, transformers_files, skops_files, other_files):  # fmt: skip
        library = make.__name__.strip("_").removesuffix("_files").replace("_", "-")
        folder = out / library
        folder.mkdir(parents=True, exist_ok=True)
        try:
            make(folder)
        except (ImportError, OSError) as error:
            print(f"left out of {library}: {error}")
        rows.extend(
            {"library": library, "name": f"benign/{library}/{path.name}"} for path in sorted(folder.iterdir())
        )
    return rows


def _numpy(out: Path) -> None:
    import numpy as np

    arrays = {
        "float64": np.random.rand(4, 5), "fortran": np.asfortranarray(np.random.rand(4, 5)), "int8": np.arange(9, dtype="i1"),
        "complex": np.ones(3, complex), "bool": np.array([True]), "text": np.array(["a", "bcd"]), "bytes": np.array([b"x"]),
        "dates": np.array(["2024-01-01"], "M8[D]"), "scalar": np.array(3.0), "empty": np.zeros((0, 3)), "big-endian": np.arange(4, dtype=">f8"),
        "half": np.zeros(3, "f2"), "structured": np.zeros(3, [("a", "<f4"), ("b", "U5")]), "objects": np.array([1, "a", None, {"k": [1]}], object),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(out / f"{name}.npy", array)
        for protocol in (2, 4, 5):
            (out / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(array, protocol))
    np.savez(out / "arrays.npz", **arrays)
    np.savez_compressed(out / "arrays-compressed.npz", **arrays)
    for name in ("MT19937", "PCG64", "SFC64", "Philox"):
        (out / f"generator-{name}.pkl").write_bytes(pickle.dumps(np.random.Generator(getattr(np.random, name)(1))))
    (out / "random-state.pkl").write_bytes(pickle.dumps(np.random.RandomState(3)))
    (out / "masked.pkl").write_bytes(pickle.dumps(np.ma.array([1, 2], mask=[0, 1])))
    (out / "dtype.pkl").write_bytes(pickle.dumps([np.dtype("f4"), np.float32(2), np.int64(3), np.datetime64("2020")]))
    with (out / "memmap.npy").open("wb") as file:
        np.save(file, np.arange(3))
        np.save(file, np.arange(4))


def _scipy(out: Path) -> None:
    import numpy as np
    import scipy.sparse
    import scipy.stats

    for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia"):
        matrix = scipy.sparse.random(5, 5, 0.4, format=kind, random_state=1)
        (out / f"{kind}.pkl").write_bytes(pickle.dumps(matrix))
        (out / f"{kind}-array.pkl").write_bytes(pickle.dumps(scipy.sparse.csr_array(matrix).asformat(kind)))
    scipy.sparse.save_npz(out / "matrix.npz", scipy.sparse.random(9, 9, 0.3, format="csr"))
    from scipy.interpolate import CubicSpline, interp1d
    from scipy.spatial import KDTree, cKDTree
    from scipy.spatial.transform import Rotation

    (out / "interp1d.pkl").write_bytes(pickle.dumps(interp1d([0, 1, 2], [1, 2, 3])))
    (out / "spline.pkl").write_bytes(pickle.dumps(CubicSpline([0, 1, 2], [1, 2, 3])))
    (out / "kdtree.pkl").write_bytes(pickle.dumps(KDTree(np.ones((3, 2)))))
    (out / "ckdtree.pkl").write_bytes(pickle.dumps(cKDTree(np.ones((3, 2)))))
    (out / "norm.pkl").write_bytes(pickle.dumps(scipy.stats.norm(0, 1)))
    (out / "kde.pkl").write_bytes(pickle.dumps(scipy.stats.gaussian_kde([1.0, 2.0, 4.0])))
    (out / "rotation.pkl").write_bytes(pickle.dumps(Rotation.identity()))


def _python(out: Path) -> None:
    import collections
    import datetime
    import decimal
    import fractions
    import uuid

    values = {
        "plain": {"a": [1, 2.5, None, True, "x", b"y", (1, 2), {3}, frozenset((4,)), 1 << 80, 1j]},
        "collections": [collections.OrderedDict(a=1), collections.Counter("abc"), collections.deque([1], 3), collections.defaultdict(list, a=[1])],
        "dates": [datetime.datetime.now(datetime.UTC), datetime.timedelta(1), datetime.date(2020, 1, 1)],
        "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5), range(3), slice(1, 2), bytearray(b"x")],
        "recursive": (lambda x: (x.append(x), x)[1])([]),
        "vocabulary": {f"word{i}": i for i in range(5000)},
    }  # fmt: skip
    for name, value in values.items():
        for protocol in range(6):
            (out / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
    (out / "notes.md").write_text("# Model\nIt works.\n")
    (out / "config.json").write_text(json.dumps({"hidden": 3, "layers": [1, 2]}))
    (out / "config.yaml").write_text("model:\n  hidden: 3\n  layers: [1, 2]\nlr: 1e-3\n")
    (out / "requirements.txt").write_text("torch==2.13.0\nnumpy\n")
    (out / "labels.csv").write_text("a,b\n1,2\n")
    (out / "vocab.txt").write_text("[PAD]\n[CLS]\nthe\ncat\n")
    (out / "merges.txt").write_text("#version: 0.2\nt h\nth e\n")


def _sklearn(out: Path) -> None:
    from sklearn import (
        cluster,
        compose,
        decomposition,
        discriminant_analysis,
        ensemble,
        feature_extraction,
        feature_selection,
        gaussian_process,
        impute,
        isotonic,
        kernel_ridge,
        linear_model,
        manifold,
        mixture,
        model_selection,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )

    x, y = _data()
    models: list[Any] = [
        linear_model.LinearRegression(), linear_model.LogisticRegression(), linear_model.Ridge(), linear_model.Lasso(), linear_model.ElasticNet(),
        linear_model.SGDClassifier(), linear_model.Perceptron(), linear_model.RidgeCV(), linear_model.LogisticRegressionCV(cv=2), linear_model.HuberRegressor(),
        svm.SVC(probability=True), svm.SVR(), svm.LinearSVC(), svm.OneClassSVM(), svm.NuSVC(), tree.DecisionTreeClassifier(), tree.DecisionTreeRegressor(),
        ensemble.RandomForestClassifier(5), ensemble.RandomForestRegressor(5), ensemble.GradientBoostingClassifier(n_estimators=5), ensemble.HistGradientBoostingClassifier(max_iter=5),
        ensemble.HistGradientBoostingRegressor(max_iter=5), ensemble.AdaBoostClassifier(n_estimators=3), ensemble.BaggingClassifier(n_estimators=3), ensemble.IsolationForest(n_estimators=5),
        ensemble.ExtraTreesClassifier(5), ensemble.VotingClassifier([("a", linear_model.LogisticRegression())]), ensemble.StackingClassifier([("a", linear_model.LogisticRegression())], cv=2),
        neighbors.KNeighborsClassifier(), neighbors.KNeighborsRegressor(algorithm="ball_tree"), neighbors.NearestNeighbors(), neighbors.KernelDensity(), neighbors.LocalOutlierFactor(novelty=True),
        naive_bayes.GaussianNB(), naive_bayes.MultinomialNB(), naive_bayes.BernoulliNB(), neural_network.MLPClassifier(max_iter=5), gaussian_process.GaussianProcessClassifier(),
        gaussian_process.GaussianProcessRegressor(), cluster.KMeans(2, n_init=1), cluster.DBSCAN(), cluster.AgglomerativeClustering(), cluster.Birch(), cluster.MiniBatchKMeans(2, n_init=1), cluster.SpectralClustering(2),
        mixture.GaussianMixture(2), decomposition.PCA(2), decomposition.TruncatedSVD(2), decomposition.NMF(2), decomposition.FastICA(2), decomposition.LatentDirichletAllocation(2),
        discriminant_analysis.LinearDiscriminantAnalysis(), preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.PolynomialFeatures(), preprocessing.QuantileTransformer(n_quantiles=5),
        preprocessing.OneHotEncoder(), preprocessing.KBinsDiscretizer(3), preprocessing.PowerTransformer(), preprocessing.SplineTransformer(), preprocessing.RobustScaler(), impute.SimpleImputer(), impute.KNNImputer(),
        feature_selection.SelectKBest(k=2), feature_selection.RFE(linear_model.LogisticRegression()), feature_selection.VarianceThreshold(), isotonic.IsotonicRegression(), kernel_ridge.KernelRidge(), manifold.Isomap(),
        pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()), pipeline.make_union(decomposition.PCA(1), preprocessing.MinMaxScaler()),
        compose.ColumnTransformer([("a", preprocessing.StandardScaler(), [0, 1]), ("b", "passthrough", [2])]), compose.TransformedTargetRegressor(linear_model.Ridge()),
        model_selection.GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=2), model_selection.RandomizedSearchCV(svm.SVC(), {"C": [1, 2]}, n_iter=2, cv=2),
    ]  # fmt: skip
    for model in models:
        name = type(model).__name__
        one = x[:, 0] if name == "IsotonicRegression" else x
        try:
            model.fit(one, y)
        except Exception as error:
            print("left out", name, str(error)[:60])
            continue
        (out / f"{name}.pkl").write_bytes(pickle.dumps(model))
    texts = ["the cat", "a dog", "the dog"]
    for vectoriser in (
        feature_extraction.text.CountVectorizer(),
        feature_extraction.text.TfidfVectorizer(),
        feature_extraction.text.HashingVectorizer(),
        feature_extraction.DictVectorizer(),
    ):
        data: Any = [{"a": 1}, {"b": 2.5}] if isinstance(vectoriser, feature_extraction.DictVectorizer) else texts
        (out / f"{type(vectoriser).__name__}.pkl").write_bytes(pickle.dumps(vectoriser.fit(data)))
    (out / "LabelEncoder.pkl").write_bytes(pickle.dumps(preprocessing.LabelEncoder().fit(["a", "b"])))


def _joblib(out: Path) -> None:
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    x, y = _data()
    model = RandomForestClassifier(3).fit(x, y)
    for compress in (0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("lz4", 3)):
        name = compress if isinstance(compress, int) else compress[0]
        joblib.dump(model, out / f"forest-{name}.joblib", compress=compress)
        joblib.dump(
            {"a": x, "b": [y, "x"], "o": np.array([1, "a"], object)}, out / f"arrays-{name}.joblib", compress=compress
        )
    for protocol in (2, 3, 4, 5):
        joblib.dump(model, out / f"forest-protocol-{protocol}.pkl", protocol=protocol)
    joblib.dump(x, out / "array.pkl.gz")


def _pandas(out: Path) -> None:
    import pandas as pd

    frames = {
        "numbers": pd.DataFrame({"a": [1, 2], "b": [1.5, None]}),
        "mixed": pd.DataFrame({"t": ["a", None], "d": pd.to_datetime(["2024-01-01", "2024-02-01"]), "c": pd.Categorical(["x", "y"])}),
        "nullable": pd.DataFrame({"i": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}),
        "zone": pd.DataFrame({"z": pd.date_range("2024", periods=3, tz="UTC")}, index=pd.Index([1, 2, 3], name="k")),
        "multi": pd.DataFrame({"v": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        "interval": pd.Series(pd.interval_range(0, 3)), "period": pd.Series(pd.period_range("2024", periods=2, freq="M")),
        "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])), "delta": pd.Series(pd.to_timedelta([1, 2], "D")),
    }  # fmt: skip
    for name, frame in frames.items():
        for end in (
            (".pkl", ".pkl.gz", ".pkl.bz2", ".pkl.xz", ".pkl.zip", ".pkl.tar", ".pkl.zst")
            if name == "mixed"
            else (".pkl",)
        ):
            frame.to_pickle(out / f"{name}{end}")


def _boosters(out: Path) -> None:
    import catboost
    import lightgbm
    import xgboost

    x, y = _data()
    booster = xgboost.XGBClassifier(n_estimators=3).fit(x, y)
    for end in ("json", "ubj"):
        booster.save_model(out / f"xgboost.{end}")
    (out / "xgboost.pkl").write_bytes(pickle.dumps(booster))
    (out / "xgboost-booster.pkl").write_bytes(pickle.dumps(booster.get_booster()))
    (out / "xgboost-regressor.pkl").write_bytes(pickle.dumps(xgboost.XGBRegressor(n_estimators=2).fit(x, y)))
    light = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(x, y)
    (out / "lightgbm.pkl").write_bytes(pickle.dumps(light))
    light.booster_.save_model(out / "lightgbm.txt")
    (out / "lightgbm-booster.pkl").write_bytes(pickle.dumps(light.booster_))
    cat = catboost.CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False).fit(x, y)
    (out / "catboost.pkl").write_bytes(pickle.dumps(cat))
    for end in ("cbm", "json", "onnx"):
        cat.save_model(str(out / f"catboost.{end}"), format=end)
    regressor = catboost.CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False).fit(x, y)
    regressor.save_model(str(out / "catboost.pmml"), format="pmml")
    regressor.save_model(str(out / "catboost.mlmodel"), format="coreml")


def _torch(out: Path) -> None:
    import torch
    from torch import nn

    modules: dict[str, Any] = {
        "linear": nn.Linear(3, 2), "mlp": nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.1), nn.Linear(4, 2)), "lstm": nn.LSTM(3, 4, 2), "gru": nn.GRU(3, 4),
        "convolutions": nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten()), "transformer": nn.TransformerEncoderLayer(8, 2), "attention": nn.MultiheadAttention(8, 2),
        "embedding": nn.Embedding(9, 3), "parallel": nn.DataParallel(nn.Linear(2, 2)), "norm": nn.LayerNorm(4), "list": nn.ModuleList([nn.Linear(1, 1)]), "dict": nn.ModuleDict({"a": nn.GELU()}),
        "weight-norm": nn.Bilinear(2, 2, 2),
    }  # fmt: skip
    for name, module in modules.items():
        torch.save(module, out / f"{name}-module.pt")
        torch.save(module.state_dict(), out / f"{name}.pth")
    torch.save(modules["mlp"].state_dict(), out / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(modules["lstm"], out / "legacy-module.pt", _use_new_zipfile_serialization=False)
    optimiser = torch.optim.AdamW(modules["mlp"].parameters(), lr=1e-3)
    modules["mlp"](torch.ones(1, 3)).sum().backward()
    optimiser.step()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 3)
    torch.save(
        {
            "epoch": 1,
            "model": modules["mlp"].state_dict(),
            "optimizer": optimiser.state_dict(),
            "loss": torch.tensor(0.5),
            "args": {"lr": 0.1},
        },
        out / "checkpoint.ckpt",
    )
    torch.save(optimiser.state_dict(), out / "optimizer.pt")
    torch.save(schedule.state_dict(), out / "scheduler.pt")
    for optimizer in (torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop):
        torch.save(optimizer(modules["linear"].parameters(), lr=0.1).state_dict(), out / f"{optimizer.__name__}.pt")
    import random

    import numpy as np

    torch.save(
        {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()},
        out / "rng_state.pth",
    )
    for kind in (
        torch.float16,
        torch.bfloat16,
        torch.float64,
        torch.int8,
        torch.uint8,
        torch.bool,
        torch.complex64,
        torch.float8_e4m3fn,
    ):
        torch.save(torch.zeros(3, dtype=kind), out / f"{str(kind)[6:]}.pt")
    torch.save(torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8), out / "quantised.pt")
    base = torch.arange(10.0)
    torch.save([base, base[2:5], base.view(2, 5).t()], out / "views.pt")
    torch.save(
        {
            "size": torch.Size([1, 2]),
            "device": torch.device("cpu"),
            "dtype": torch.float32,
            "param": nn.Parameter(base),
        },
        out / "types.pt",
    )
    torch.save(torch.empty(3, device="meta"), out / "meta.pt")
    buffer = io.BytesIO()
    torch.save(modules["linear"].state_dict(), buffer)
    (out / "zipped.zip").write_bytes(_zip({"model.pt": buffer.getvalue(), "README.md": b"hello"}))
    (out / "gzipped.pt.gz").write_bytes(gzip.compress(buffer.getvalue()))
    (out / "tensor.pkl").write_bytes(pickle.dumps(base))
    (out / "module.pkl").write_bytes(pickle.dumps(modules["mlp"]))


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _torch_programs(out: Path) -> None:
    import torch
    from torch import nn

    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    example = torch.ones(1, 3)
    torch.jit.save(torch.jit.script(net), out / "scripted.pt")
    torch.jit.save(torch.jit.trace(net, example), out / "traced.pt")
    torch.jit.save(torch.jit.freeze(torch.jit.script(net)), out / "frozen.pt")
    torch.jit.trace(nn.LSTM(3, 4), (torch.ones(2, 1, 3),)).save(out / "lstm.pt")
    torch.jit.script(net)._save_for_lite_interpreter(str(out / "mobile.ptl"))
    torch.export.save(torch.export.export(net, (example,)), out / "exported.pt2")
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(1)).eval()
    torch.export.save(torch.export.export(convolution, (torch.ones(1, 1, 8, 8),)), out / "convolution.pt2")
    torch.jit.save(torch.jit.trace(convolution, torch.ones(1, 1, 8, 8)), out / "convolution.pt")


def _safetensors(out: Path) -> None:
    import numpy as np
    import torch
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as save_torch

    save_file({"a": np.ones((2, 3), "f4"), "b": np.arange(3)}, out / "numpy.safetensors", {"format": "np"})
    save_torch(
        {"w": torch.zeros(3, dtype=torch.bfloat16), "s": torch.tensor(1.0)},
        out / "torch.safetensors",
        {"format": "pt"},
    )
    save_file({}, out / "empty.safetensors")
    save_file({"e": np.zeros((0, 3))}, out / "no-elements.safetensors")
    save_torch({f"layer.{i}.weight": torch.zeros(i + 1) for i in range(200)}, out / "many.safetensors")
