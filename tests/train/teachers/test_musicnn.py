"""musicnn against TensorFlow's definition of its layers, wheels and checkpoints of another kind, and real sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from streamer.arrays import Array
from streamer.errors import ModelError
from tests.train.teachers.toy_musicnn import toy_variables, write_wheel
from train.data.decode import FULL_SCALE, decode
from train.data.sets.gtzan import gtzan
from train.teachers.musicnn import BANDS, FRAMES, PATCH_SAMPLES, TAGS, Musicnn, frames_of

WHEEL = "STREAMER_MUSICNN_WHEEL"


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    """A convolution of x (frames, bands) over frames padded to keep their number, and over bands unpadded."""
    length, width = kernel.shape[:2]
    before = (length - 1) // 2
    padded = np.pad(x, ((before, length - 1 - before), (0, 0)))
    places = np.lib.stride_tricks.sliding_window_view(padded, (length, width))
    return np.maximum(np.einsum("tbij,ijo->tbo", places, kernel[:, :, 0]) + bias, 0)


def expected(variables: Mapping[str, Array], patch: Array) -> tuple[Array, Array]:
    """What the network gives for a patch (frames, bands), in float64."""

    def norm(x: Array, number: int) -> Array:
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        gamma, beta, mean, variance = (
            variables[f"{layer}/{part}"].astype(np.float64)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def layer(x: Array, number: int) -> Array:
        name = f"conv2d_{number}" if number else "conv2d"
        return norm(convolve(x, variables[f"{name}/kernel"], variables[f"{name}/bias"]), number + 1)

    x = norm(patch.astype(np.float64)[:, :, None], 0)[:, :, 0]
    front = np.concatenate([layer(x, n).max(axis=1) for n in range(5)], axis=1)
    first = layer(front, 5)[:, 0]
    second = layer(first, 6)[:, 0] + first
    third = layer(second, 7)[:, 0] + second
    joined = np.concatenate([front, first, second, third], axis=1)
    pooled = norm(np.stack([joined.max(axis=0), joined.mean(axis=0)], axis=1).ravel(), 9)
    hidden = norm(np.maximum(pooled @ variables["dense/kernel"] + variables["dense/bias"], 0), 10)
    return hidden @ variables["dense_1/kernel"] + variables["dense_1/bias"], hidden


def test_the_network_is_what_tensorflow_defines(tmp_path: Path) -> None:
    variables = toy_variables()
    teacher = Musicnn.from_wheel(write_wheel(tmp_path, variables))
    patches = np.random.default_rng(1).uniform(0, 3, (2, FRAMES, BANDS)).astype(np.float32)
    logits, embedding = teacher(torch.from_numpy(patches))
    for n, patch in enumerate(patches):
        wanted_logits, wanted_embedding = expected(variables, patch)
        np.testing.assert_allclose(logits[n].numpy(), wanted_logits, atol=2e-5)
        np.testing.assert_allclose(embedding[n].numpy(), wanted_embedding, atol=2e-5)


def test_frames_are_logarithms_of_power_and_a_patch_has_its_number_of_them() -> None:
    sound = np.zeros((2, PATCH_SAMPLES), np.float32)
    sound[1] = 0.5 * np.sin(2 * np.pi * 1_000 / 16_000 * np.arange(PATCH_SAMPLES))
    silence, tone = frames_of(sound)
    assert silence.shape == (FRAMES, BANDS)
    np.testing.assert_allclose(silence, 0.0, atol=1e-6)
    # The power of the tone's peak is (0.5 * 512 / 4)^2; a band of area 1 spreads it over some 40 Hz of 31 Hz bins.
    assert 5.0 < tone[90].max() < np.log10(10_000 * 64.0**2)


def lacking(name: str) -> Callable[[dict[str, Array]], object]:
    return lambda variables: variables.pop(name)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (
            lambda v: v.update({"conv2d_1/kernel": v["conv2d/kernel"]}),
            r"conv2d_1/kernel of the teacher has the shape \(7, 38, 1, 3\); expected \(7, 67, \.\.\.\), as in mus",
        ),
        (
            lacking("batch_normalization_9/gamma"),
            r"checkpoint has no batch_normalization_9/gamma \(1 of 64 tensors are absent\); expected those of musicnn/",
        ),
        (lacking("conv2d/kernel"), r"has no conv2d/kernel .*: fetch it by pip download --no-deps musicnn==0\.1\.0$"),
    ],
)  # fmt: skip
def test_a_checkpoint_of_another_layout_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Array]], object], error: str
) -> None:
    variables = toy_variables()
    spoil(variables)
    with pytest.raises(ModelError, match=error):
        Musicnn.from_wheel(write_wheel(tmp_path, variables))


def test_a_wheel_of_another_version_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, toy_variables(), version="0.2.0")
    way_out = r"fetch it by pip download --no-deps musicnn==0\.1\.0$"
    with pytest.raises(
        ModelError, match=rf"is the wheel of musicnn-0\.2\.0; expected musicnn-0\.1\.0, .*{way_out}"
    ):
        Musicnn.from_wheel(wheel)


def test_the_published_wheel_hears_metal_in_metal(data_dir: Path) -> None:
    if WHEEL not in os.environ:
        pytest.skip(f"{WHEEL} is not set; let it name musicnn-0.1.0-py3-none-any.whl")
    teacher = Musicnn.from_wheel(Path(os.environ[WHEEL]))
    tracks = {recording.name: recording for recording in gtzan.recordings(data_dir)}
    for name, tag in (("metal.00001", "metal"), ("jazz.00002", "jazz")):
        sound = decode(tracks[name])[:PATCH_SAMPLES].astype(np.float32) / np.float32(FULL_SCALE)
        logits, _ = teacher(torch.from_numpy(frames_of(sound[None])))
        likeliest = torch.topk(logits[0], 5).indices
        assert tag in [TAGS[n] for n in likeliest.tolist()]
