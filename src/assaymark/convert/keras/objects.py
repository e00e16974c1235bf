"""Values in the configuration of a layer: initialisers, regularisers, constraints, activations, types, plain data.

Default deny: what is not in the tables is refused by its name. Keras 2 writes a class and its configuration, Keras 3
also the module that it is imported from, which is set here and never taken from the file. Follows
``keras/src/saving/serialization_lib.py`` and the ``get`` functions of the modules.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from assaymark.convert.keras.parameters import CONSTRAINTS, INITIALIZERS, REGULARIZERS
from assaymark.core.errors import InputError
from assaymark.core.report_json import printable

_SHOWN: Final = 200
REMEDY: Final = "its weights alone can be written: name the result .safetensors"
# Functions of keras.activations that Keras 2 and 3 compute alike; "hard_sigmoid" is not one of them.
ACTIVATIONS: Final = frozenset(
    (
        *("elu", "exponential", "gelu", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus"),
        *("softsign", "swish", "silu", "tanh", "relu6", "leaky_relu"),
    )
)
_ACTIVATIONS_3: Final = frozenset(
    (
        *("celu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid"),
        *("log_softmax", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink"),
        "threshold",
    )
)
_TYPES: Final = frozenset(
    (
        *("float16", "float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool"),
    )
)
_POLICIES: Final = frozenset(("Policy", "PolicyV1", "DTypePolicy", "FloatDTypePolicy"))
# Names by which Keras 2 knew a class, or a function that gives one.
_ALIASES: Final = {
    "OrthogonalInitializer": "Orthogonal",
    "IdentityInitializer": "Identity",
    "NormalizedInitializer": "VarianceScaling",
    **{f"{name}V{version}": name for name in INITIALIZERS for version in (1, 2)},
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_normal": "HeNormal",
    "he_uniform": "HeUniform",
    "lecun_normal": "LecunNormal",
    "lecun_uniform": "LecunUniform",
    "zeros": "Zeros",
    "zero": "Zeros",
    "ones": "Ones",
    "one": "Ones",
    "constant": "Constant",
    "uniform": "RandomUniform",
    "random_uniform": "RandomUniform",
    "normal": "RandomNormal",
    "random_normal": "RandomNormal",
    "truncated_normal": "TruncatedNormal",
    "identity": "Identity",
    "orthogonal": "Orthogonal",
    "variance_scaling": "VarianceScaling",
    "l1": "L1",
    "l2": "L2",
    "l1_l2": "L1L2",
    "max_norm": "MaxNorm",
    "maxnorm": "MaxNorm",
    "non_neg": "NonNeg",
    "nonneg": "NonNeg",
    "unit_norm": "UnitNorm",
    "unitnorm": "UnitNorm",
    "min_max_norm": "MinMaxNorm",
}
_KINDS: Final = {
    "_initializer": ("initializers", INITIALIZERS),
    "_regularizer": ("regularizers", REGULARIZERS),
    "_constraint": ("constraints", CONSTRAINTS),
}
_NAMES_3: Final = {
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
}


def refuse(where: str, what: str, remedy: str = REMEDY) -> NoReturn:
    """The model cannot become one of Keras 3.

    Raises:
        InputError: ``convert-keras``, with the layer as position.
    """
    raise InputError("convert-keras", printable(what), position=printable(where)[:_SHOWN], remedy=remedy)


def shown(value: object) -> str:
    """A name out of the file, cut."""
    return printable(str(value))[:_SHOWN]


def keras_object(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """An object as Keras 3 writes it."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def check_origin(item: dict[str, Any], where: str) -> None:
    """Refuse a class of another module than Keras' own, or registered by a user.

    Raises:
        InputError: ``convert-keras``.
    """
    name, module, registered = item.get("class_name"), item.get("module"), item.get("registered_name")
    own = module is None or (isinstance(module, str) and module.split(".")[0] in ("keras", "tf_keras", "builtins"))
    if not own or registered not in (None, name):
        refuse(where, f"{shown(name)} of {shown(registered or module)} is not Keras' own")


def named(key: str, value: Any, where: str) -> Any:
    """What stands under ``..._initializer``, ``..._regularizer`` or ``..._constraint``, as Keras 3 writes it.

    Raises:
        InputError: ``convert-keras``.
    """
    kind, table = next(found for suffix, found in _KINDS.items() if key.endswith(suffix))
    if value is None:
        return None
    if isinstance(value, str):
        value = {"class_name": value, "config": {}}
    if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
        refuse(where, f"{shown(key)} is no object of {kind}")
    check_origin(value, where)
    name = _ALIASES.get(value["class_name"], value["class_name"])
    config = value.get("config")
    config = {} if config is None else config
    if name not in table or not isinstance(config, dict):
        refuse(where, f"{shown(key)} needs {shown(name)}, which is none of Keras' {kind}")
    made = {}
    for option, given in config.items():
        if given is None and option != "seed":
            continue
        if option == "dtype" or (option in ("name", "partition_info")):
            continue  # of TensorFlow 1 and 2.0
        if option not in table[name] or isinstance(given, dict):
            refuse(where, f"{name} of {shown(key)} with {shown(option)}, which Keras 3 does not take")
        made[option] = plain(given, where, option)
    return keras_object(_NAMES_3[kind], name, made)


def is_named(key: str) -> bool:
    """Whether ``key`` holds an object of a table."""
    return key.endswith(tuple(_KINDS))


def activation(value: Any, where: str, *, second: bool) -> Any:
    """The name of an activation function; ``second`` says that Keras 2 wrote it.

    ``hard_sigmoid`` is ``0.2 x + 0.5`` in Keras 2 and ``x / 6 + 0.5`` in Keras 3 (keras/src/activations): the name
    stays and the values differ.

    Raises:
        InputError: ``convert-keras``.
    """
    if value is None:
        return None
    if isinstance(value, dict) and value.get("class_name") == "function":
        module, registered = value.get("module"), value.get("registered_name")
        if module not in (None, "builtins", "keras.activations") or registered not in (None, value.get("config")):
            refuse(where, f"the activation {shown(registered)} of {shown(module)} is not Keras' own")
        value = value.get("config")
    if not isinstance(value, str):
        refuse(where, f"an activation that is no function of Keras': {_kind(value)}")
    if value == "hard_sigmoid" and second:
        refuse(where, "hard_sigmoid of Keras 2, which Keras 3 computes otherwise: the outputs would not be the same")
    if value not in ACTIVATIONS and (second or value not in _ACTIVATIONS_3):
        refuse(where, f"the activation {shown(value)}, which is not Keras' own in both versions")
    return value


def dtype_name(value: Any, where: str) -> str | None:
    """The name of a type or policy.

    Raises:
        InputError: ``convert-keras``.
    """
    if isinstance(value, dict):
        check_origin(value, where)
        config = value.get("config")
        if str(value.get("class_name")) not in _POLICIES or not isinstance(config, dict):
            refuse(where, f"the type {_kind(value)}, which is not converted")
        value = config.get("name")
    if value is None:
        return None
    if not isinstance(value, str) or value not in _TYPES:
        refuse(where, f"the type {shown(value)}, which is not converted")
    return value


def policy(name: str) -> dict[str, Any]:
    """A type as a layer of Keras 3 has it."""
    return keras_object("keras", "DTypePolicy", {"name": name})


def plain(value: Any, where: str, key: str) -> Any:
    """Numbers, texts and lists of them.

    Raises:
        InputError: ``convert-keras`` for an object, which Keras would construct.
    """
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            refuse(where, f"{shown(key)} holds {_kind(item)}, which is not converted")
        if isinstance(item, list):
            stack.extend(item)
    return value


def numbers(value: Any, where: str, key: str) -> Any:
    """As ``plain``; an array of NumPy that Keras wrote out becomes its numbers."""
    if isinstance(value, dict) and value.get("class_name") == "__numpy__" and isinstance(value.get("config"), dict):
        value = value["config"].get("value")
    return plain(value, where, key)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {shown(value.get('class_name'))}" if "class_name" in value else "an object"
    return shown(value)
