"""Embed windows of sound by aiSFX, with the weights in its wheel (CC BY 4.0)."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.reference.aisfx import BANDS, CHANNELS, FRAMES, Aisfx
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig, mel_matrix
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from train.wheels import PublishedWheel

WHEEL = PublishedWheel("aisfx", "0.1.2")
LICENCE = "CC BY 4.0, Copyright (c) 2022 A.B. Ma and A. Lerch"
"""Licence of the weights, by the file LICENSE in the wheel and its README; the package's classifier says MIT."""
CHECKPOINT = "aisfx/models/checkpoint.pth"
RATE_HZ = 44_100
FRONT_END = LogMel(
    LogMelConfig(
        sample_rate_hz=RATE_HZ,
        window_samples=2_048,
        hop_samples=1_024,
        fft_samples=2_048,
        mel_bands=BANDS,
        mel_low_hz=0.0,
        mel_high_hz=22_050.0,
        mel_scale="htk",
        mel_triangles="mel",
        mel_norm="peak",
        power=2,
        log_offset=1e-10,
    )
)
"""Front end of `spectrograms`, up to the scale of each band."""
WINDOW_SAMPLES = (FRAMES - 1) * FRONT_END.config.hop_samples + FRONT_END.config.window_samples
"""Samples of a block, 2.3 s."""
HOP_S = FRAMES // 2 * FRONT_END.config.hop_samples / RATE_HZ
"""Seconds from one block to the next, 1.16: half a block, as published."""
LOUDEST = 9.457798957824707
"""Largest value of the spectrograms that the network learnt from; theirs and ours are divided by it."""
_PREFIX = "embedding_net.conv_block"
_WAY_OUT = f"expected that of {WHEEL.distribution} {WHEEL.version}: {WHEEL.way_out}"


@dataclass(frozen=True)
class AisfxEmbedder:
    """aiSFX as a `train.embedders.windows.WindowEmbedder`.

    Attributes
    ----------
    network : Aisfx
        The network with its weights.
    files : tuple of Path
        Wheel that they were read from.
    """

    network: Aisfx
    files: tuple[Path, ...]
    name: str = "aisfx"
    rate_hz: int = RATE_HZ
    window_samples: int = WINDOW_SAMPLES
    least_samples: int = WINDOW_SAMPLES
    hop_s: float = HOP_S

    @torch.inference_mode()
    def embed(self, windows: Array) -> Array:
        """Return the embeddings of windows; see `WindowEmbedder.embed`."""
        found: Array = self.network(torch.from_numpy(spectrograms(windows))).numpy()
        return found


def spectrograms(windows: Array) -> Array:
    """Return spectrograms as Essentia computed them for the network: ``log10(10000 x + 1)``, divided by `LOUDEST`.

    ``x`` is the mean power of the bins of a band, weighted by its triangle, without any scale of the window. Essentia
    puts the middle of the first frame where a sound begins; here the frame begins there.

    Parameters
    ----------
    windows : float32 array, shape (windows, samples)
        Sound at 44.1 kHz; full scale is -1 to 1.

    Returns
    -------
    float32 array, shape (windows, frames, `BANDS`)
    """
    config = FRONT_END.config
    power = np.exp(offline(FRONT_END, windows)) - np.float32(config.log_offset)
    means = np.maximum(power, 0.0) / mel_matrix(config).sum(axis=1)
    scaled: Array = np.log10(1e4 * means + 1.0) / LOUDEST
    return scaled.astype(np.float32)


def load_aisfx(wheel: Path, channels: tuple[int, ...] = CHANNELS) -> AisfxEmbedder:
    """Return aiSFX with the weights in a wheel.

    Parameters
    ----------
    wheel : Path
        The wheel, as ``pip download`` leaves it.
    channels : tuple of int
        Channels that the weights must have.

    Raises
    ------
    ModelError
        If the file is not that wheel, or its checkpoint has another layout.
    """
    found = _read_state(WHEEL.read(wheel, CHECKPOINT), wheel)
    network = Aisfx(channels)
    weights = {}
    for name, tensor in network.state_dict().items():
        number, _, part = name.removeprefix("blocks.").partition(".")
        theirs = f"{_PREFIX}{int(number) + 1}.{part}"
        shape = tuple(found[theirs].shape) if theirs in found else "absent"
        if shape != tuple(tensor.shape):
            raise ModelError(
                f"{theirs} of {CHECKPOINT} in {wheel} is {shape}; expected {tuple(tensor.shape)}: {_WAY_OUT}"
            )
        weights[name] = found[theirs]
    network.load_state_dict(weights)
    return AisfxEmbedder(network.eval(), (wheel,))


def _read_state(content: bytes, wheel: Path) -> dict[str, Tensor]:
    """Return the weights by name. Beside them the checkpoint has its libraries' numbers, which are NumPy's integers."""
    scalar: Any = np.int64(0).__reduce__()[0]
    allowed = [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Int64DType]
    try:
        with torch.serialization.safe_globals(allowed):
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{CHECKPOINT} in {wheel} cannot be read ({str(error).splitlines()[0]}); {_WAY_OUT}"
        ) from error
    if not isinstance(found, tuple) or not found or not isinstance(found[0], dict):
        raise ModelError(f"{CHECKPOINT} in {wheel} holds a {type(found).__name__}; {_WAY_OUT}")
    return {str(name): value for name, value in found[0].items() if isinstance(value, Tensor)}
