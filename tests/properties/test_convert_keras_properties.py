"""Configurations near real ones, and HDF5 files of any arrays."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assaymark.convert.keras.hdf5_writer import DTYPES, layout_hdf5
from assaymark.convert.keras.layers import Source, convert_layer
from assaymark.convert.keras.models import convert_model
from assaymark.convert.keras.plan import untupled
from assaymark.convert.keras.tree import weights
from assaymark.convert.plan import PlannedTensor, element_bytes
from assaymark.core.errors import InputError
from assaymark.core.view import BytesView
from assaymark.formats.hdf5.reader import read_hdf5
from assaymark.formats.safetensors import DTYPE_BITS

VECTORS = Path(__file__).parents[1] / "vectors" / "keras"
CONFIGS = [
    json.loads(read_hdf5(BytesView(path.read_bytes())).texts["model_config"]) for path in sorted(VECTORS.glob("*.h5"))
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.floats()
    | st.sampled_from(["a", "one", "Dense", "relu", "x/y"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["class_name", "config", "name", "items", "module"]), inner, max_size=4)
    ),
    max_leaves=6,
)


def places(value, found):
    """Every (container, key) within ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found.append((value, key))
        places(item, found)
    return found


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_configuration_near_a_real_one_is_converted_or_refused(data):
    config = copy.deepcopy(data.draw(st.sampled_from(CONFIGS)))
    for _ in range(data.draw(st.integers(1, 3))):
        within = places(config, [])
        if not within:
            break
        container, key = within[data.draw(st.integers(0, len(within) - 1))]
        if data.draw(st.booleans()):
            del container[key]
        else:
            container[key] = data.draw(JSON)
    source = Source(second=data.draw(st.booleans()), model=convert_model)
    try:
        part = convert_layer(untupled(config), "", source)
    except InputError as error:
        if error.code != "convert-keras":
            raise
        return
    found = [place for where, layer in part.parts for place, _ in weights(layer, where)]
    assert len(found) == len(set(found))
    json.dumps(part.config)


NAME = st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True)


@st.composite
def arrays(draw):
    """Arrays in groups whose names end in ``_``, so that none is a prefix of another's."""
    names = draw(
        st.lists(
            st.tuples(st.lists(NAME.map(lambda name: name + "_"), max_size=3), NAME.map(lambda n: n + "0")),
            max_size=8,
            unique_by=lambda item: "/".join([*item[0], item[1]]),
        )
    )
    made = []
    for path, name in names:
        dtype = draw(st.sampled_from(sorted(DTYPES)))
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
        width = element_bytes(dtype)
        strides = tuple(width * math.prod(shape[i + 1 :]) for i in range(len(shape)))
        made.append(PlannedTensor("/".join([*path, name]), dtype, shape, strides, 0))
    return made


@settings(max_examples=200, deadline=None)
@given(arrays())
def test_what_is_laid_out_is_what_is_read(tensors):
    structure, starts, size = layout_hdf5(tensors)
    file = structure + bytes(size - len(structure))
    found = {item.path.strip("/"): item for item in read_hdf5(BytesView(file), arrays=True).datasets}
    assert set(found) == {tensor.name for tensor in tensors}
    end = len(structure)
    for tensor, start in zip(tensors, starts, strict=True):
        item = found[tensor.name]
        assert (item.shape, item.width * 8, item.big) == (tensor.shape, DTYPE_BITS[tensor.dtype], False)
        assert f"{item.kind}".upper() == tensor.dtype[0]
        assert item.start == (start if tensor.size else None)
        assert start >= end
        assert start % 8 == 0
        end = start + tensor.size
    assert size == max(end, len(structure))
