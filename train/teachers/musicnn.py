"""musicnn's tagger of music, a teacher of genre: 50 tags of the Million Song Dataset for each 3 s of sound.

It follows Pons and Serra, musicnn (2019, ISC), and Pons et al., End-to-end learning for music audio tagging at scale
(2018): convolutions over the bands for timbre and over time for rhythm, three layers over time, and the mean and the
maximum of all of them. Its weights are read from the published wheel, and are not passed on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from train.wheels import PublishedWheel

WHEEL = PublishedWheel("musicnn", "0.1.0")
LICENCE = "ISC"
TABLE = "musicnn/MSD_musicnn/.index"
FRAMES, BANDS = 187, 96
"""Frames of 16 ms, and bands, of a patch: 3 s."""
TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock",
    "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow",
    "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient",
    "acoustic", "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening",
    "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House",
    "happy",
)  # fmt: skip
"""Names of the tags, in the order of the outputs."""
FRONT_END = LogMel(
    LogMelConfig(
        window_samples=512,
        hop_samples=256,
        fft_samples=512,
        mel_bands=BANDS,
        mel_low_hz=0.0,
        mel_high_hz=8_000.0,
        mel_scale="slaney",
        mel_triangles="hz",
        mel_norm="area",
        power=2,
        log_offset=1e-4,
    )
)
"""Front end of the teacher, up to a factor and an offset: its frames are log10(10,000 power + 1)."""
PATCH_SAMPLES = (FRAMES - 1) * 256 + 512
"""Samples at 16 kHz of a patch."""
_SIZES = ((7, 38), (7, 67), (128, 1), (64, 1), (32, 1))
"""Extent in frames and bands of the first convolutions: two over the bands, three over time."""
_NORM_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")
_WAY_OUT = f"{TABLE} of {WHEEL.distribution} {WHEEL.version}: {WHEEL.way_out}"


def _numbered(name: str, number: int) -> str:
    """Return TensorFlow's name of a layer: the first has no number."""
    return f"{name}_{number}" if number else name


_NAMES = (
    *(f"{_numbered('conv2d', n)}/{part}" for n in range(8) for part in ("kernel", "bias")),
    *(f"{_numbered('batch_normalization', n)}/{part}" for n in range(11) for part in _NORM_PARTS),
    *(f"{_numbered('dense', n)}/{part}" for n in range(2) for part in ("kernel", "bias")),
)
"""Names of the tensors in the checkpoint that the network has; the others are the optimiser's."""


class Musicnn(nn.Module):
    """Give the logits of 50 tags, and the layer before them, of patches of 3 s.

    Parameters
    ----------
    tensors : dict of str to array
        Tensors of the checkpoint by name. Those of the optimiser are not used.

    Raises
    ------
    ModelError
        If a tensor is absent, or convolutions and norms are not of the sizes of `_SIZES`.
    """

    def __init__(self, tensors: dict[str, Array]) -> None:
        super().__init__()
        if missing := [name for name in _NAMES if name not in tensors]:
            raise ModelError(
                f"the teacher's checkpoint has no {missing[0]} ({len(missing)} of {len(_NAMES)} tensors are absent); "
                f"expected those of {_WAY_OUT}"
            )
        self._tensors = {name: torch.from_numpy(tensors[name].copy()) for name in _NAMES}
        for n, (frames, bands) in enumerate(_SIZES):
            name = f"{_numbered('conv2d', n)}/kernel"
            found = tuple(self._tensors[name].shape)
            if found[:2] != (frames, bands):
                raise ModelError(
                    f"{name} of the teacher has the shape {found}; expected ({frames}, {bands}, ...), as in {_WAY_OUT}"
                )

    @classmethod
    def from_wheel(cls, wheel: Path) -> Musicnn:
        """Return the teacher with the weights in the wheel of musicnn 0.1.0.

        Raises
        ------
        ModelError
            If the file is not that wheel, or its checkpoint has another layout.
        """
        return cls(WHEEL.read_checkpoint(wheel, TABLE))

    @torch.inference_mode()
    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the tags, (patches, 50), and the layer before, (patches, 200).

        Parameters
        ----------
        patches : Tensor, shape (patches, FRAMES, BANDS)
            Frames from `frames_of`.
        """
        x = self._normalised(patches[:, None], 0)
        over_bands = F.pad(x, (0, 0, 3, 3))
        found = [self._layer(over_bands, 0), self._layer(over_bands, 1)]
        for n, (length, _) in enumerate(_SIZES[2:], 2):
            before = (length - 1) // 2  # TensorFlow's SAME padding of an even extent
            found.append(self._layer(F.pad(x, (0, 0, before, length - 1 - before)), n))
        front = torch.cat([layer.amax(3) for layer in found], 1).transpose(1, 2)[:, None]
        layers = [front]
        for n in (5, 6, 7):
            convolved = self._layer(F.pad(layers[-1], (0, 0, 3, 3)), n).permute(0, 3, 2, 1)
            layers.append(convolved if n == 5 else convolved + layers[-1])
        joined = torch.cat(layers, 3)[:, 0]
        pooled = torch.stack([joined.amax(1), joined.mean(1)], 2).flatten(1)
        hidden = self._normalised(F.relu(self._dense(self._normalised(pooled, 9), "dense")), 10)
        return self._dense(hidden, "dense_1"), hidden

    def _layer(self, x: Tensor, number: int) -> Tensor:
        """Apply a convolution, a ReLU and a batch norm; those of one layer have neighbouring numbers."""
        name = _numbered("conv2d", number)
        kernel = self._tensors[f"{name}/kernel"].permute(3, 2, 0, 1)
        return self._normalised(F.relu(F.conv2d(x, kernel, self._tensors[f"{name}/bias"])), number + 1)

    def _dense(self, x: Tensor, name: str) -> Tensor:
        return x @ self._tensors[f"{name}/kernel"] + self._tensors[f"{name}/bias"]

    def _normalised(self, x: Tensor, number: int) -> Tensor:
        name = _numbered("batch_normalization", number)
        gamma, beta, mean, variance = (self._tensors[f"{name}/{part}"] for part in _NORM_PARTS)
        scale = gamma / torch.sqrt(variance + 1e-3)
        shape = [1, -1] + [1] * (x.ndim - 2)
        return x * scale.view(shape) + (beta - mean * scale).view(shape)


def frames_of(sound: Array) -> Array:
    """Return the frames of sounds as the teacher takes them.

    Parameters
    ----------
    sound : float32 array, shape (sounds, samples)
        Sound at 16 kHz in -1 to 1; `PATCH_SAMPLES` give a patch.

    Returns
    -------
    float32 array, shape (sounds, frames, BANDS)
    """
    frames: Array = offline(FRONT_END, sound)
    scaled: Array = (frames - np.float32(np.log(FRONT_END.config.log_offset))) / np.float32(np.log(10.0))
    return scaled
