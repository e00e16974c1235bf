"""Layers and cells: each key of the configuration, and which variables the class has in which order.

What a version of Keras writes and Keras 3 does not take is left out only where it says what Keras 3 does anyway;
anything else is refused. Orders are those of ``build`` in ``keras/src/layers``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.keras.objects import (
    activation,
    check_origin,
    dtype_name,
    is_named,
    keras_object,
    named,
    numbers,
    policy,
    refuse,
    shown,
)
from assaymark.convert.keras.parameters import EXACT, LAYERS
from assaymark.convert.keras.tree import Part, Variable, in_container
from assaymark.core.limits import KERAS_MAX_NESTING

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS: Final = frozenset(("Functional", "Model", "Sequential"))
_ALIASES: Final = {
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
    **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
    **{
        f"{kind}Pool{n}D": f"{long}Pooling{n}D"
        for kind, long in (("Max", "Max"), ("Avg", "Average"))
        for n in (1, 2, 3)
    },
    **{
        f"Global{kind}Pool{n}D": f"Global{long}Pooling{n}D"
        for kind, long in (("Max", "Max"), ("Avg", "Average"))
        for n in (1, 2, 3)
    },
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
}
# Left out with one of these values, whether Keras 3 takes the key or not: newer than some Keras 3, or gone from it.
_NEUTRAL: Final[dict[str, tuple[Any, ...]]] = {
    "adjustment": (None,),
    "autocast": (True,),
    "causal": (False,),
    "data_format": ("channels_last",),
    "dilation_rate": (1, [1], [1, 1], [1, 1, 1]),
    "dynamic": (False,),
    "filters": (None,),
    "flash_attention": (None,),
    "force_generator": (False,),
    "fused": (None, True, False),  # how, not what
    "groups": (1,),
    "gptq_unpacked_column_size": (None,),
    "implementation": (0, 1, 2),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "noise_shape": (None,),
    "optional": (False,),
    "quantization_config": (None,),
    "ragged": (False,),
    "renorm": (False,),
    "renorm_clipping": (None, {}),
    "rms_scaling": (False,),
    "scale_factor": (None,),
    "sliding_window": (None,),
    "softmax_robust_masking": (False,),
    "time_major": (False,),
    "type_spec": (None,),
    "unroll": (False,),
    "use_gate": (False,),
    "virtual_batch_size": (None,),
    "zero_output_for_mask": (False,),
}
_ALWAYS_LEFT: Final = frozenset(("renorm", "renorm_clipping", "use_gate", "sliding_window", "flash_attention"))
_IGNORED: Final = {
    "Embedding": frozenset(("input_length",)),  # a length of the input, which its shape says too
    "MultiHeadAttention": frozenset(("query_shape", "key_shape", "value_shape")),  # of the first call
    "BatchNormalization": frozenset(("renorm_momentum",)),
    **{f"Random{what}": frozenset(("rng_type",)) for what in ("Brightness", "Contrast", "Crop", "Flip", "Rotation")},
    **{f"Random{what}": frozenset(("rng_type",)) for what in ("Translation", "Zoom")},  # of training alone
    "SeparableConv1D": frozenset(("kernel_initializer", "kernel_regularizer", "kernel_constraint")),
    "SeparableConv2D": frozenset(("kernel_initializer", "kernel_regularizer", "kernel_constraint")),
    "DepthwiseConv1D": frozenset(("kernel_initializer", "kernel_regularizer", "kernel_constraint")),
    "DepthwiseConv2D": frozenset(("kernel_initializer", "kernel_regularizer", "kernel_constraint")),
}
_RENAMED: Final = {("LeakyReLU", "alpha"): "negative_slope"}
_INNER: Final = {"Bidirectional": "layer", "TimeDistributed": "layer", "RNN": "cell"}
_CELLS: Final = frozenset(("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"))
_RECURRENT: Final = frozenset(("GRU", "LSTM", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"))
_COMMON: Final = frozenset(("activity_regularizer",))


@dataclass(slots=True)
class Source:
    """The file that is converted: which Keras wrote it, how a nested model is converted, and what is said of it.

    ``masks`` is a layer that masks steps, and ``states`` one that is called with states, if there is one.
    """

    second: bool
    model: Callable[[dict[str, Any], str, Source, int], Part]
    notes: dict[str, None] = field(default_factory=dict)
    masks: str = ""
    states: str = ""

    def layer_name(self, name: str) -> str:
        """The name of a layer; Keras 3 takes none with a slash."""
        if "/" not in name:
            return name
        new = name.replace("/", "_")
        self.notes[f"the name of the layer {shown(name)}, which is {shown(new)} now"] = None
        return new


def convert_layer(item: Any, where: str, source: Source, depth: int = 0) -> Part:
    """The layer, cell or model that ``item`` describes.

    Raises:
        InputError: ``convert-keras`` with the layer's name as position.
    """
    if not isinstance(item, dict) or not isinstance(item.get("class_name"), str):
        refuse(where, "a layer that has no class")
    class_name = _ALIASES.get(item["class_name"], item["class_name"])
    config = item.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    here = f"{where}/{name}" if isinstance(name, str) else f"{where}/{class_name}"
    if depth > KERAS_MAX_NESTING:
        refuse(here, f"layers that are nested more than {KERAS_MAX_NESTING} deep")
    check_origin(item, here)
    if class_name in MODELS:
        return source.model(item, where, source, depth + 1)
    if class_name == "Lambda":
        refuse(here, "a Lambda layer carries code, which is not converted")
    if class_name not in LAYERS:
        refuse(here, f"a layer of the class {shown(class_name)}, for which there is no conversion")
    if not isinstance(config, dict):
        refuse(here, "a layer without a configuration")
    if source.second and class_name == "RandomCrop":
        refuse(here, "RandomCrop of Keras 2, which Keras 3 computes otherwise outside of training")
    if class_name == "InputLayer":
        return _input(config, here, source)
    return _layer(class_name, config, here, source, depth)


def input_layer(name: str, shape: list[int | None], dtype: str, *, sparse: bool = False) -> Part:
    """What a model of Keras 3 begins with."""
    config = {"batch_shape": shape, "dtype": dtype, "sparse": sparse, "name": name}
    return Part("InputLayer", name, keras_object("keras.layers", "InputLayer", config), shape=shape)


def _input(config: dict[str, Any], where: str, source: Source) -> Part:
    left = dict(config)
    shape = batch_shape(left.pop("batch_input_shape", left.pop("batch_shape", None)), where)
    name, sparse = left.pop("name", None), left.pop("sparse", False)
    dtype = dtype_name(left.pop("dtype", None), where) or "float32"
    if shape is None or not isinstance(name, str) or not isinstance(sparse, bool):
        refuse(where, "an input without a shape or a name")
    for key, value in left.items():
        if value not in _NEUTRAL.get(key, ()):
            refuse(where, f"an input with {shown(key)}, which is not converted")
    return input_layer(source.layer_name(name), shape, dtype, sparse=sparse)


def batch_shape(value: Any, where: str) -> list[int | None] | None:
    """A shape with its batch; ``None`` when there is none.

    Raises:
        InputError: ``convert-keras``.
    """
    if value is None:
        return None
    if not isinstance(value, list) or not all(size is None or (type(size) is int and size >= 0) for size in value):
        refuse(where, "a malformed shape")
    return value


def _layer(class_name: str, config: dict[str, Any], where: str, source: Source, depth: int) -> Part:
    name = config.get("name")
    if not isinstance(name, str):
        refuse(where, "a layer without a name")
    part = Part(class_name, source.layer_name(name), {})
    made: dict[str, Any] = {"name": part.name}
    for given, value in config.items():
        key = _RENAMED.get((class_name, given), given)
        if key == "name" or _is_left_out(class_name, key, value):
            continue
        if key == "trainable":
            part.trainable = _flag(value, where, key)
            made.update({} if class_name in EXACT else {key: value})
        elif key == "dtype":
            made.update(_dtype(class_name, value, where, source))
        elif key in ("batch_input_shape", "input_shape"):
            part.shape = batch_shape(value, where) if key == "batch_input_shape" else None
        elif key not in LAYERS[class_name] | _COMMON:
            refuse(where, f"{class_name} with {shown(key)}, which Keras 3 does not take")
        elif key in ("layer", "backward_layer", "cell", "cells"):
            made[key] = _inner(part, key, value, where, source, depth)
        else:
            made[key] = _value(class_name, key, value, where, source)
    if class_name == "Masking" or made.get("mask_zero"):
        source.masks = where
    _settle(part, made, where)
    part.config = keras_object("keras.layers", class_name, made)
    _add_variables(part, made)
    return part


def _add_variables(part: Part, made: dict[str, Any]) -> None:
    """The variables of a layer that is not made of others, and those of what Keras makes within it."""
    class_name = part.class_name
    part.variables += _variables(class_name, made)
    if class_name in _RECURRENT:
        cell = [Variable(names) for names, key in _RECURRENT_CELL if key is None or made.get(key, True)]
        part.parts = [("cell", Part("", "cell", {}, cell))]
    if class_name == "MultiHeadAttention":
        one = [Variable(("kernel",)), *([Variable(("bias",))] if made.get("use_bias", True) else [])]
        part.parts = [(f"{which}_dense", Part("EinsumDense", which, {}, list(one))) for which in _HEADS]


def _dtype(class_name: str, value: Any, where: str, source: Source) -> dict[str, Any]:
    """The type of a layer, if it is said.

    Numbers that come in are cast to it by Keras 3, and by Keras 2 only when it is one with a point: there the type of
    Discretization is that of what comes out.
    """
    name = dtype_name(value, where)
    if name is None:
        return {}
    if source.second and "float" not in name:
        if class_name != "Discretization":
            refuse(where, f"{class_name} of the type {name}, to which Keras 3 casts its input")
        return {}
    return {"dtype": policy(name)}


_HEADS: Final = ("query", "key", "value", "output")


def _is_left_out(class_name: str, key: str, value: Any) -> bool:
    if key in _IGNORED.get(class_name, ()):
        return True
    taken = key in LAYERS[class_name] and key not in _ALWAYS_LEFT
    return not taken and any(value == other and type(value) is type(other) for other in _NEUTRAL.get(key, ()))


def _value(class_name: str, key: str, value: Any, where: str, source: Source) -> Any:
    if is_named(key):
        return named(key, value, where)
    if key in ("activation", "recurrent_activation"):
        return activation(value, where, second=source.second)
    if key == "axis" and isinstance(value, list):
        if len(value) == 1:
            return numbers(value[0], where, key)
        if class_name == "BatchNormalization":
            refuse(where, "BatchNormalization over several axes, which Keras 3 does not have")
    return numbers(value, where, key)


def _inner(part: Part, key: str, value: Any, where: str, source: Source, depth: int) -> Any:
    if key == "backward_layer" and value is None:
        return None
    if key == "cells":
        if not isinstance(value, list):
            refuse(where, "cells that are no list")
        cells = [_cell(item, where, source, depth) for item in value]
        places = in_container(cells, "cells")
        part.parts += [(places[id(cell)], cell) for cell in cells]
        return [cell.config for cell in cells]
    if key == "cell":
        inner = _cell(value, where, source, depth)
        part.parts.append(("cell", inner))
        return inner.config
    inner = convert_layer(value, where, source, depth + 1)
    if part.class_name == "Bidirectional":
        if inner.class_name not in _RECURRENT | {"RNN"}:
            refuse(where, f"Bidirectional of {shown(inner.class_name)}")
        part.parts.append(("backward_layer" if key == "backward_layer" else "forward_layer", inner))
    else:
        part.parts.append(("layer", inner))
    return inner.config


def _cell(item: Any, where: str, source: Source, depth: int) -> Part:
    cell = convert_layer(item, where, source, depth + 1)
    if cell.class_name not in _CELLS:
        refuse(where, f"a recurrent layer of {shown(cell.class_name)}, which is no cell of Keras'")
    return cell


def _settle(part: Part, made: dict[str, Any], where: str) -> None:
    """What must be there or was understood, and the order of the two directions."""
    if part.class_name in ("GRU", "GRUCell"):
        made.setdefault("reset_after", False)  # before there was the option
    inner = _INNER.get(part.class_name)
    if inner is not None and inner not in made:
        refuse(where, f"{part.class_name} without what it wraps")
    if part.class_name == "Discretization" and made.get("bin_boundaries") is not None:
        made.pop("num_bins", None)  # their number, which Keras 3 takes instead of them
    if part.class_name == "StackedRNNCells" and not part.parts:
        refuse(where, "no cells")
    if part.class_name == "Bidirectional":
        found = dict(part.parts)
        forward = found["forward_layer"]
        part.parts = [("forward_layer", forward), ("backward_layer", found.get("backward_layer", forward))]
        if made.get("backward_layer", 0) is None:
            del made["backward_layer"]


def _flag(value: Any, where: str, key: str) -> bool:
    if not isinstance(value, bool):
        refuse(where, f"{key} that is neither true nor false")
    return value


def _variables(class_name: str, config: dict[str, Any]) -> list[Variable]:
    """A class' own variables; those of what it is made of are not among them."""
    if class_name in _OWN:
        return [Variable(names) for names, key in _OWN[class_name] if key is None or config.get(key, True) is True]
    if class_name == "BatchNormalization":
        own = [Variable((which,)) for which, key in (("gamma", "scale"), ("beta", "center")) if config.get(key, True)]
        return [*own, Variable(("moving_mean",), False), Variable(("moving_variance",), False)]
    if class_name == "EinsumDense":
        return [Variable(("kernel",)), *([Variable(("bias",))] if config.get("bias_axes") else [])]
    if class_name == "Attention":
        scale = [Variable(("scale",))] if config.get("use_scale") else []
        return scale + ([Variable(("concat_score_weight",))] if config.get("score_mode") == "concat" else [])
    if class_name == "Normalization" and config.get("mean") is None:
        return [Variable((which,), False) for which in ("mean", "variance", "count")]
    return []


_KERNEL: Final = ((("kernel",), None), (("bias",), "use_bias"))
_DEPTHWISE: Final = ((("depthwise_kernel", "kernel"), None), (("bias",), "use_bias"))
_SEPARABLE: Final = ((("depthwise_kernel",), None), (("pointwise_kernel",), None), (("bias",), "use_bias"))
_RECURRENT_CELL: Final = ((("kernel",), None), (("recurrent_kernel",), None), (("bias",), "use_bias"))
_SCALE: Final = ((("gamma",), "scale"), (("beta",), "center"))
# The names of each variable, and the option that it goes with.
_OWN: Final[dict[str, tuple[tuple[tuple[str, ...], str | None], ...]]] = {
    "AdditiveAttention": ((("scale",), "use_scale"),),
    **dict.fromkeys(("Dense", "Conv1D", "Conv2D", "Conv3D"), _KERNEL),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _KERNEL),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _DEPTHWISE),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _SEPARABLE),
    **dict.fromkeys(("GRUCell", "LSTMCell", "SimpleRNNCell"), _RECURRENT_CELL),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), _SCALE),
    "Embedding": ((("embeddings",), None),),
    "PReLU": ((("alpha",), None),),
}
