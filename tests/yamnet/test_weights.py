"""Test that weights that are not YAMNet's are refused, with what was found and expected."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ModelError
from streamer.yamnet.weights import SHAPES, read_class_map
from tests.yamnet.toy_weights import MUSIC, toy_weights


def test_the_layout_has_the_published_number_of_weights() -> None:
    assert sum(math.prod(shape) for shape in SHAPES.values()) == 3_729_481
    assert len(SHAPES) == 56


def test_a_missing_layer_is_named() -> None:
    weights = toy_weights()
    less = {name: array for name, array in weights.arrays.items() if name != "layer09/pointwise/kernel"}
    with pytest.raises(
        ModelError, match=r"toy weights lacks layer09/pointwise/kernel and has nothing besides"
    ):
        replace(weights, arrays=less)


def test_unknown_layers_are_named() -> None:
    weights = toy_weights()
    more = {**weights.arrays, **{f"layer{n}/extra": np.zeros(1, np.float32) for n in range(15, 20)}}
    with pytest.raises(
        ModelError, match=r"lacks nothing and has layer15/extra, .* and 2 more besides; expected"
    ):
        replace(weights, arrays=more)


def test_another_shape_is_refused() -> None:
    weights = toy_weights()
    turned = {**weights.arrays, "logits/kernel": weights.arrays["logits/kernel"].T}
    with pytest.raises(
        ModelError, match=r"logits/kernel of toy weights has shape \(1024, 521\); expected \(521, 1024\)"
    ):
        replace(weights, arrays=turned)


def test_numbers_that_are_none_are_refused() -> None:
    weights = toy_weights()
    damaged = {**weights.arrays, "logits/bias": np.full(521, np.nan, np.float32)}
    with pytest.raises(ModelError, match=r"logits/bias of toy weights is not finite; the file is damaged"):
        replace(weights, arrays=damaged)


@pytest.mark.parametrize("relu_max", [0.0, -1.0, math.nan])
def test_an_impossible_activation_is_refused(relu_max: float) -> None:
    with pytest.raises(ModelError, match=r"cuts activations at .*; expected a number above 0"):
        toy_weights(relu_max)


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"comes with 2 class names; expected 521: give YAMNet's own class map"
    ):
        replace(toy_weights(), class_names=("Speech", "Music"))


def test_a_class_is_found_by_name() -> None:
    assert toy_weights().class_index("Music") == MUSIC
    with pytest.raises(ModelError, match=r"toy weights has no class 'music'; expected AudioSet's names"):
        toy_weights().class_index("music")


def test_class_map_is_read_in_the_order_of_its_index(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text('index,mid,display_name\n1,/m/b,"Child speech, kid speaking"\n0,/m/a,Speech\n')
    assert read_class_map(path) == (("Speech", "Child speech, kid speaking"), ("/m/a", "/m/b"))


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "index,mid,display_name\nx,/m/a,Speech\n", "index,mid,display_name\n3,a,b\n"]
)
def test_what_is_no_class_map_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(
        ModelError, match=r"map\.csv is no class map .*; expected YAMNet's yamnet_class_map\.csv"
    ):
        read_class_map(path)


def test_an_absent_class_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.csv is no class map"):
        read_class_map(tmp_path / "absent.csv")
