"""Embed windows of sound by OpenL3, with the weights of the package openl3 (MIT)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.reference.openl3 import CHANNELS, OpenL3
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from train.embedders.keras_weights import read_layers
from train.embedders.windows import HOP_S
from train.errors import AbsentError

RATE_HZ = 48_000
WINDOW_SAMPLES = 48_000
"""Samples of a window: 1 s."""
FFT_SAMPLES, HOP_SAMPLES = 2_048, 242
FRAMES = -(-WINDOW_SAMPLES // HOP_SAMPLES)
"""Frames of a window, 199, with zeros on both sides as TensorFlow's padding SAME adds them."""
LEAST = 1e-10
"""Least magnitude of a band."""
RANGE_DB = 80.0
PUBLISHED = "https://github.com/marl/openl3/raw/models/"
_PARTS: Mapping[str, Mapping[str, str]] = {
    "norms": {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
    "convolutions": {"weight": "kernel", "bias": "bias"},
}
"""Keras's names of the weights by ours, for each kind of layer."""


@dataclass(frozen=True)
class OpenL3Embedder:
    """OpenL3 as a `train.embedders.windows.WindowEmbedder`.

    Attributes
    ----------
    network : OpenL3
        The network with its weights.
    files : tuple of Path
        File that they were read from.
    bands : int
        Mel bands that it takes.
    """

    network: OpenL3
    files: tuple[Path, ...]
    bands: int
    rate_hz: int = RATE_HZ
    window_samples: int = WINDOW_SAMPLES
    least_samples: int = WINDOW_SAMPLES
    hop_s: float = HOP_S

    @property
    def name(self) -> str:
        """Name, for caches."""
        return f"openl3 mel{self.bands}"

    @cached_property
    def _front_end(self) -> LogMel:
        return front_end(self.bands)

    @torch.inference_mode()
    def embed(self, windows: Array) -> Array:
        """Return the embeddings of windows; see `WindowEmbedder.embed`."""
        found: Array = self.network(torch.from_numpy(spectrograms(windows, self._front_end))).numpy()
        return found


def front_end(bands: int) -> LogMel:
    """Return the front end of `spectrograms`: natural logarithms of the power of HTK's mel bands of equal area."""
    return LogMel(
        LogMelConfig(
            sample_rate_hz=RATE_HZ,
            window_samples=FFT_SAMPLES,
            hop_samples=HOP_SAMPLES,
            fft_samples=FFT_SAMPLES,
            mel_bands=bands,
            mel_low_hz=0.0,
            mel_high_hz=RATE_HZ / 2,
            mel_scale="htk",
            mel_triangles="hz",
            mel_norm="area",
            power=2,
            log_offset=LEAST**2,
        )
    )


def spectrograms(windows: Array, stage: LogMel) -> Array:
    """Return mel spectrograms as kapre 0.1.4 computed them, on which the weights were learnt.

    A band is the square root of its power. Its decibels are ten times the logarithm of that, as if it were a power
    itself, less those of the loudest point of the window, and at least -80.

    Parameters
    ----------
    windows : float32 array, shape (windows, `WINDOW_SAMPLES`)
        Sound at 48 kHz.
    stage : LogMel
        Front end from `front_end`.

    Returns
    -------
    float32 array, shape (windows, bands, `FRAMES`)
    """
    total = (FRAMES - 1) * HOP_SAMPLES + FFT_SAMPLES - WINDOW_SAMPLES
    padded = np.pad(windows, ((0, 0), (total // 2, total - total // 2)))
    decibels = offline(stage, padded) * np.float32(5.0 / math.log(10.0))
    decibels -= decibels.max(axis=(1, 2), keepdims=True)
    y: Array = np.ascontiguousarray(np.maximum(decibels, -RANGE_DB).transpose(0, 2, 1), dtype=np.float32)
    return y


def load_openl3(folder: Path, bands: int, channels: tuple[int, ...] = CHANNELS) -> OpenL3Embedder:
    """Return OpenL3 that learnt from music, with its weights in a folder.

    Parameters
    ----------
    folder : Path
        Folder with ``openl3_audio_mel256_music.h5``, or ``mel128``, as the package openl3 unpacks it.
    bands : {128, 256}
        Mel bands of its spectrograms.
    channels : tuple of int
        Output channels of the convolutions, which the weights must have.

    Raises
    ------
    AbsentError
        If the file is not there.
    ConfigError
        If h5py is not installed.
    ModelError
        If the file has another layout.
    """
    name = f"openl3_audio_mel{bands}_music"
    path = folder / f"{name}.h5"
    if not path.is_file():
        raise AbsentError(
            f"{path} is not there; fetch {PUBLISHED}{name}-v0_4_0.h5.gz, and unpack it there by gunzip under this name"
        )
    network = OpenL3(channels)
    network.load_state_dict(_weights(read_layers(path), network.state_dict(), path))
    return OpenL3Embedder(network.eval(), (path,), bands)


def _weights(
    layers: Sequence[Mapping[str, Array]], expected: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """Return Keras's weights by our names; the layers follow each other in the order of the model.

    Older files also have a layer of the spectrogram, which is left out.
    """
    kinds = {
        kind: [layer for layer in layers if set(parts.values()) <= set(layer)]
        for kind, parts in _PARTS.items()
    }
    weights = {}
    for name, tensor in expected.items():
        kind, number, part = name.split(".")
        if part == "num_batches_tracked":
            weights[name] = tensor
            continue
        theirs = _PARTS[kind][part]
        found = kinds[kind][int(number)][theirs] if int(number) < len(kinds[kind]) else None
        if found is not None and found.ndim == 4:
            found = found.transpose(3, 2, 0, 1)
        shape = "absent" if found is None else found.shape
        if found is None or shape != tuple(tensor.shape):
            raise ModelError(
                f"{theirs} of layer {int(number) + 1} of the {kind} of {path} is {shape}; expected "
                f"{tuple(tensor.shape)}, as in OpenL3's published weights: fetch them again"
            )
        weights[name] = torch.from_numpy(np.array(found, np.float32))
    return weights
