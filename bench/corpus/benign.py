"""Ordinary files, written by the libraries themselves: each must be understood and pass."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def write(out: Path) -> list[dict[str, str]]:
    """Write every file that an installed library writes; what fails for want of a library is left out and said."""
    import numpy as np

    warnings.simplefilter("ignore")
    np.random.seed(0)
    rows: list[dict[str, str]] = []
    for make in (_numpy, _scipy, _python, _sklearn, _joblib, _pandas, _boosters, _torch, _torch_programs, _safetensors,
                 _onnx, _keras, _tensorflow, _transformers, _skops, _others):  # fmt: skip
        library = make.__name__.strip("_").replace("_", "-")
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


def _data() -> tuple[Any, Any]:
    import numpy as np

    x = np.random.rand(60, 4)
    return x, (x[:, 0] > 0.5).astype(int)


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
        "embedding": nn.Embedding(9, 3), "norm": nn.LayerNorm(4), "list": nn.ModuleList([nn.Linear(1, 1)]), "dict": nn.ModuleDict({"a": nn.GELU()}),
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


def _onnx(out: Path) -> None:
    import onnx
    import torch
    from onnx import TensorProto, helper
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    x, y = _data()
    for model in (LogisticRegression(), RandomForestClassifier(3)):
        (out / f"{type(model).__name__}.onnx").write_bytes(
            to_onnx(model.fit(x, y), x[:1].astype("f4")).SerializeToString()
        )
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 2)
    ).eval()
    try:
        torch.onnx.export(net, (torch.ones(1, 1, 8, 8),), str(out / "torch.onnx"), dynamo=False)
    except Exception as error:
        print("left out: torch.onnx", str(error)[:60])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1000], [0.5] * 1000)
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1000]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", value[:1], value[1:], [weights])
    model = helper.make_model(graph)
    onnx.save(model, out / "by-hand.onnx")
    folder = out / "external"
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="model.onnx_data", size_threshold=0)


def _keras(out: Path) -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling2D()(x))
    functional = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    sequential = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "gelu", kernel_regularizer="l2"), layers.Dense(1)]
    )
    sequential.compile("adam", "mse", metrics=["mae"])
    words = keras.Sequential(
        [keras.Input((5,)), layers.Embedding(9, 4), layers.Bidirectional(layers.LSTM(3)), layers.Dense(1, "sigmoid")]
    )
    attention_in = keras.Input((5, 8))
    attention = keras.Model(
        attention_in, layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(attention_in, attention_in))
    )
    wrapped = keras.Sequential(
        [keras.Input((3, 8)), layers.TimeDistributed(layers.Dense(2)), layers.Normalization(), layers.Rescaling(0.5)]
    )
    for name, model in {
        "functional": functional,
        "sequential": sequential,
        "words": words,
        "attention": attention,
        "wrapped": wrapped,
    }.items():
        model.save(out / f"{name}.keras")
        model.save(out / f"{name}.h5")
        model.save_weights(out / f"{name}.weights.h5")
        (out / f"{name}.json").write_text(model.to_json())


def _tensorflow(out: Path) -> None:
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
    model.export(out / "exported", verbose=False)
    tf.saved_model.save(model, str(out / "saved"))
    module = tf.Module()
    module.v = tf.Variable([1.0, 2.0])
    module.f = tf.function(lambda x: x * module.v, input_signature=[tf.TensorSpec([2])])
    tf.saved_model.save(module, str(out / "module"), signatures=module.f)
    tf.train.Checkpoint(model=model).write(str(out / "checkpoint"))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (out / "model.tflite").write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (out / "quantised.tflite").write_bytes(converter.convert())
    with tf.io.TFRecordWriter(str(out / "data.tfrecord")) as writer:
        writer.write(b"hello")
    with tf.Graph().as_default() as graph:
        tf.identity(tf.constant([1.0]) * 2, name="y")
    (out / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())
    import shutil

    for path in [*out.glob("checkpoint*")]:
        (out / "checkpoint-folder").mkdir(exist_ok=True)
        shutil.move(path, out / "checkpoint-folder" / path.name) if path.is_file() else None


def _transformers(out: Path) -> None:
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["the cat sat", "a dog"], trainers.BpeTrainer(special_tokens=["[UNK]", "[PAD]"]))
    tokenizer.save(str(out / "tokenizer.json"))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    fast.chat_template = (
        "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] | trim }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% else %}"
        "{{ raise_exception('unknown role') }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|a|>' }}{% endif %}"
    )
    configs: dict[str, Any] = {
        "bert": transformers.BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50),
        "gpt2": transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50, n_positions=16),
        "llama": transformers.LlamaConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, intermediate_size=16, vocab_size=50),
        "t5": transformers.T5Config(d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, vocab_size=50),
        "vit": transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=16, patch_size=8),
        "whisper": transformers.WhisperConfig(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, vocab_size=50, encoder_ffn_dim=16, decoder_ffn_dim=16, max_source_positions=16, pad_token_id=1, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1),
    }  # fmt: skip
    for name, config in configs.items():
        model = transformers.AutoModel.from_config(config)
        folder = out / name
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
        (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    folder = out / "bert"
    arguments = transformers.TrainingArguments(output_dir="out", report_to=[], use_cpu=True)
    torch.save(arguments, folder / "training_args.bin")
    optimiser = torch.optim.AdamW(model.parameters())
    torch.save(optimiser.state_dict(), folder / "optimizer.pt")
    torch.save(transformers.get_linear_schedule_with_warmup(optimiser, 1, 9).state_dict(), folder / "scheduler.pt")
    (folder / "trainer_state.json").write_text(json.dumps({"epoch": 1.0, "log_history": [{"loss": 0.5, "step": 1}]}))
    (folder / "generation_config.json").write_text(transformers.GenerationConfig().to_json_string())
    bert = out / "sentence-transformers"
    transformers.AutoModel.from_config(configs["bert"]).save_pretrained(bert)
    fast.save_pretrained(bert)
    kinds = ("Transformer", "Pooling", "Normalize")
    (bert / "modules.json").write_text(
        json.dumps(
            [
                {
                    "idx": i,
                    "name": str(i),
                    "path": f"{i}_{k}" if i else "",
                    "type": f"sentence_transformers.models.{k}",
                }
                for i, k in enumerate(kinds)
            ]
        )
    )
    (bert / "1_Pooling").mkdir(exist_ok=True)
    (bert / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True})
    )
    (bert / "config_sentence_transformers.json").write_text(
        json.dumps({"__version__": {"torch": "2.1"}, "prompts": {}, "similarity_fn_name": "cosine"})
    )
    (bert / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 128, "do_lower_case": False}))


def _skops(out: Path) -> None:
    import skops.io
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x, y = _data()
    for name, model in {
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(3),
        "svc": SVC(),
        "boosting": GradientBoostingClassifier(n_estimators=2),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }.items():
        skops.io.dump(model.fit(x, y), out / f"{name}.skops")


def _gguf(path: Path) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(16)
    writer.add_token_list(["a", "b"])
    writer.add_token_scores([0.0, 1.0])
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    writer.add_tensor("token_embd.weight", np.ones((4, 32), "f4"))
    writer.add_tensor("output.weight", np.ones((4, 32), "f2"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _r(out: Path) -> None:
    import pandas as pd
    import pyreadr

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    pyreadr.write_rds(str(out / "frame.rds"), frame)
    pyreadr.write_rds(str(out / "frame-gzip.rds"), frame, compress="gzip")
    pyreadr.write_rdata(str(out / "frame.RData"), frame, df_name="d")


def _nemo(out: Path) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(2, 2).state_dict(), buffer)
    config = b"target: nemo.collections.asr.models.EncDecCTCModel\nencoder:\n  _target_: nemo.collections.asr.modules.ConvASREncoder\n  feat_in: 64\n"
    for name, mode in (("model.nemo", "w"), ("model-gzip.nemo", "w:gz")):
        with tarfile.open(out / name, mode) as archive:
            for member, data in (("./model_config.yaml", config), ("./model_weights.ckpt", buffer.getvalue())):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def _mlflow(out: Path) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    x, y = _data()
    mlflow.sklearn.save_model(LogisticRegression().fit(x, y), out / "mlflow")


def _coreml(out: Path) -> None:
    import coremltools
    import torch

    traced = torch.jit.trace(torch.nn.Linear(3, 2).eval(), torch.ones(1, 3))
    inputs = [coremltools.TensorType(name="x", shape=(1, 3))]
    coremltools.convert(traced, inputs=inputs, convert_to="neuralnetwork").save(str(out / "linear.mlmodel"))
    coremltools.convert(traced, inputs=inputs, convert_to="mlprogram").save(str(out / "linear.mlpackage"))


def _yaml(out: Path) -> None:
    (out / "hydra.yaml").write_text(
        "defaults:\n  - _self_\nmodel:\n  _target_: torch.nn.Linear\n  in_features: 3\n  out_features: 2\n"
    )
    (out / "lightning.yaml").write_text("trainer:\n  max_epochs: 3\nmodel:\n  class_path: torch.nn.ReLU\n")
    (out / "environment.yml").write_text("name: x\ndependencies:\n  - python=3.11\n  - pip:\n      - torch\n")
    (out / "data.yaml").write_text("names: [cat, dog]\nnc: 2\ntrain: images/train\n")


def _others(out: Path) -> None:
    makers: dict[str, Callable[[Path], None]] = {
        "gguf": lambda folder: _gguf(folder / "tiny.gguf"), "r": _r, "nemo": _nemo, "mlflow": _mlflow, "coreml": _coreml, "yaml": _yaml,
    }  # fmt: skip
    for name, make in makers.items():
        try:
            make(out)
        except Exception as error:
            print(f"left out: {name}: {str(error)[:90]}")
