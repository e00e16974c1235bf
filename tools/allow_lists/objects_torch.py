"""Tensors of every type, layers, optimisers, schedulers, distributions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

TYPES = [
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "complex32",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
]
NUMBERS = {
    "in_features": 4, "out_features": 4, "in1_features": 4, "in2_features": 4, "in_channels": 4, "out_channels": 4, "kernel_size": 2,
    "input_size": 4, "hidden_size": 4, "num_embeddings": 5, "embedding_dim": 4, "num_features": 4, "normalized_shape": 4, "num_groups": 2,
    "num_channels": 4, "d_model": 4, "nhead": 2, "embed_dim": 4, "num_heads": 2, "output_size": 2, "padding": 1, "upscale_factor": 2,
    "downscale_factor": 2, "dim": 1, "unflattened_size": (2, 2), "threshold": 0.1, "value": 0.0, "size": 2, "groups": 2, "lambd": 0.5, "margin": 1.0,
    "n_classes": 20, "cutoffs": [5, 10], "num_layers": 2, "lower": 0.1, "upper": 0.3, "output_padding": 0, "scale_factor": 2, "block_size": 2,
}  # fmt: skip


def layer(cls: Any) -> Any:
    """A layer with small numbers."""
    if cls is nn.TransformerEncoder:
        return cls(nn.TransformerEncoderLayer(4, 2), 2)
    if cls is nn.TransformerDecoder:
        return cls(nn.TransformerDecoderLayer(4, 2), 2)
    if cls.__name__ == "FractionalMaxPool2d" or cls.__name__ == "FractionalMaxPool3d":
        return cls(2, output_size=2)
    if cls.__name__.startswith(("RNN", "GRU", "LSTM")):
        return cls("LSTM", 3, 4) if cls is nn.RNNBase else cls(3, 4)
    if cls.__name__.startswith("LPPool"):
        return cls(2, 2)
    if cls.__name__ == "AdaptiveLogSoftmaxWithLoss":
        return cls(4, 20, [5, 10])
    needed = {
        name: NUMBERS[name]
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if parameter.default is inspect.Parameter.empty and name in NUMBERS
    }
    return cls(**needed)


def trained(optimiser: Any, **more: Any) -> Any:
    """An optimiser after a step."""
    net = nn.Linear(2, 2)
    made = optimiser(net.parameters(), lr=0.1, **more)
    made.zero_grad()
    net(torch.ones(1, 2)).sum().backward()
    made.step(lambda: torch.zeros(())) if optimiser.__name__ == "LBFGS" else made.step()
    return made


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    for name in TYPES:
        yield f"tensor {name}", lambda name=name: torch.ones(2, 3).to(getattr(torch, name))
        yield f"dtype {name}", lambda name=name: getattr(torch, name)
    yield "parameter", lambda: nn.Parameter(torch.ones(3))
    yield "view", lambda: (lambda t: [t, t.t(), t[1]])(torch.ones(3, 4))
    yield "grad", lambda: torch.ones(3, requires_grad=True)
    yield "Size", lambda: torch.Size((1, 2))
    yield "device", lambda: torch.device("cuda", 0)
    yield "empty", lambda: torch.zeros(0, 4)
    yield "ParameterList", lambda: nn.ParameterList([nn.Parameter(torch.ones(2))])
    yield "ParameterDict", lambda: nn.ParameterDict({"a": nn.Parameter(torch.ones(2))})
    yield "ModuleList", lambda: nn.ModuleList([nn.Linear(2, 2)])
    yield "ModuleDict", lambda: nn.ModuleDict({"a": nn.Linear(2, 2)})
    yield (
        "Sequential",
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)).eval(),
    )
    for name in sorted(nn.modules.__all__):
        cls = getattr(nn, name)
        if (
            name not in ("Module", "ParameterList", "ParameterDict", "ModuleList", "ModuleDict", "Container")
            and "Lazy" not in name
        ):
            yield f"nn.{name}", lambda cls=cls: layer(cls)
    for activation in ("relu", "gelu", torch.nn.functional.silu, torch.tanh):
        yield f"transformer layer {activation}", lambda a=activation: nn.TransformerEncoderLayer(4, 2, activation=a)
    yield "LSTM", lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    yield "weight_norm", lambda: nn.utils.weight_norm(nn.Linear(2, 2))
    yield "spectral_norm", lambda: nn.utils.spectral_norm(nn.Linear(2, 2))
    for name in dir(torch.optim):
        cls = getattr(torch.optim, name)
        if (
            isinstance(cls, type)
            and issubclass(cls, torch.optim.Optimizer)
            and name not in ("Optimizer", "SparseAdam", "Muon")
        ):
            yield f"optim.{name}", lambda cls=cls: trained(cls)
            yield f"state of {name}", lambda cls=cls: trained(cls).state_dict()
    schedulers = torch.optim.lr_scheduler
    for name, more in {
        "StepLR": {"step_size": 2}, "MultiStepLR": {"milestones": [2, 3]}, "ConstantLR": {}, "LinearLR": {}, "ExponentialLR": {"gamma": 0.9},
        "CosineAnnealingLR": {"T_max": 5}, "ReduceLROnPlateau": {}, "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2, "cycle_momentum": False},
        "OneCycleLR": {"max_lr": 0.2, "total_steps": 5}, "CosineAnnealingWarmRestarts": {"T_0": 2}, "PolynomialLR": {},
    }.items():  # fmt: skip
        yield (
            f"scheduler {name}",
            lambda name=name, more=more: getattr(schedulers, name)(trained(torch.optim.SGD), **more),
        )
        yield (
            f"state of {name}",
            lambda name=name, more=more: getattr(schedulers, name)(trained(torch.optim.SGD), **more).state_dict(),
        )
    d = torch.distributions
    one = torch.ones(2)
    for name, made in {
        "Normal": (0.0, 1.0), "Bernoulli": (one / 2,), "Categorical": (one,), "Beta": (one, one), "Gamma": (one, one), "Uniform": (0.0, 1.0),
        "Dirichlet": (one,), "Exponential": (one,), "Laplace": (0.0, 1.0), "Poisson": (one,), "StudentT": (one,), "LogNormal": (0.0, 1.0),
        "MultivariateNormal": (one, torch.eye(2)), "Cauchy": (0.0, 1.0), "HalfNormal": (one,), "Geometric": (one / 2,), "Gumbel": (0.0, 1.0),
    }.items():  # fmt: skip
        yield f"distribution {name}", lambda name=name, made=made: getattr(d, name)(*made)
    yield (
        "checkpoint",
        lambda: {
            "epoch": 3,
            "model": nn.Linear(2, 2).state_dict(),
            "optimizer": trained(torch.optim.AdamW).state_dict(),
            "args": __import__("argparse").Namespace(lr=0.1),
        },
    )
    yield "quantised", lambda: torch.quantize_per_tensor(torch.ones(4), 0.1, 10, torch.qint8)
    yield "function", lambda: torch.nn.functional.relu
