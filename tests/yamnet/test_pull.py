"""Test pulling without TensorFlow Hub, and reading variables with the published names."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.pull import pull_yamnet
from streamer.yamnet.tfhub import fold_batch_norms
from streamer.yamnet.weights import SHAPES
from tests.yamnet.toy_weights import toy_weights

EPSILON = 1e-4


@pytest.fixture(autouse=True)
def without_tensorflow_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"^reading https://tfhub\.dev/google/yamnet/1 needs TensorFlow Hub, which cannot be imported .*; type: "
        r"pip install 'streamer\[tfhub\]'$",
    ):
        pull_yamnet("https://tfhub.dev/google/yamnet/1", 100, tmp_path)


def published_variables(arrays: dict[str, Array], seed: int = 0) -> dict[str, Array]:
    """Return variables of the published code whose folded batch norms are `arrays`, without biases and gamma."""
    rng = np.random.default_rng(seed)
    variables = {}
    for name in SHAPES:
        layer, _, part = name.rpartition("/")
        if layer == "logits" or part != "kernel":
            continue
        number, kind = layer.removeprefix("layer").split("/")
        prefix = f"layer{int(number)}/" + (kind if kind == "conv" else f"{kind}_conv")
        channels = SHAPES[name][0]
        mean, variance = rng.normal(size=channels), rng.uniform(0.01, 4.0, channels)
        scale = 1.0 / np.sqrt(variance + EPSILON)
        kernel = (arrays[name] / scale.reshape(-1, 1, 1, 1)).transpose(
            (2, 3, 0, 1) if kind == "depthwise" else (2, 3, 1, 0)
        )
        variables[f"{prefix}/{'depthwise_' if kind == 'depthwise' else ''}kernel:0"] = kernel
        variables[f"{prefix}/bn/moving_mean:0"] = mean
        variables[f"{prefix}/bn/moving_variance:0"] = variance
        variables[f"{prefix}/bn/beta:0"] = arrays[f"{layer}/bias"] + mean * scale
    variables["dense/kernel:0"], variables["dense/bias:0"] = arrays["logits/kernel"].T, arrays["logits/bias"]
    return variables


def test_batch_norms_are_folded_as_published() -> None:
    arrays = dict(toy_weights().arrays)
    found = fold_batch_norms(published_variables(arrays))
    assert set(found) == set(SHAPES)
    for name, array in arrays.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def test_gamma_and_biases_are_folded_too() -> None:
    kernel = np.ones((3, 3, 1, 2))
    found = fold_batch_norms(
        {
            "layer1/conv/kernel": kernel,
            "layer1/conv/bias": np.array([1.0, 2.0]),
            "layer1/conv/bn/gamma": np.array([2.0, 3.0]),
            "layer1/conv/bn/beta": np.array([0.5, 0.25]),
            "layer1/conv/bn/moving_mean": np.array([4.0, 5.0]),
            "layer1/conv/bn/moving_variance": np.full(2, 1.0 - EPSILON),
            "step": np.array(7),
        }
    )
    assert list(found) == ["layer01/conv/kernel", "layer01/conv/bias"]
    np.testing.assert_allclose(found["layer01/conv/kernel"][:, 0, 0, 0], [2.0, 3.0])
    np.testing.assert_allclose(found["layer01/conv/bias"], [2.0 * (1 - 4) + 0.5, 3.0 * (2 - 5) + 0.25])
