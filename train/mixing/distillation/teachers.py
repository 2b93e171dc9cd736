"""The ear's teachers: two trainings of YAMNet, and what they answer to log-mel frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn.utils import convert_conv2d_weight_memory_format

from models.yamnet import YAMNet
from streamer.arrays import Array
from streamer.yamnet.weights import PATCH_FRAMES
from train.loop.precision import PRECISIONS, autocast
from train.yamnet.npz import read_npz

TEACHERS = ("yamnet/yamnet_weights.npz", "yamnet/lite/yamnet_weights.npz")
"""Weights of the two teachers, the trainings of YAMNet that Google published on TensorFlow Hub and for TensorFlow Lite.

The ear learns the mean of their logits, and the embedding of the second (Lite), by which logistic regression names more
clips of ESC-50 correctly (0.842 of them, against 0.829)."""
STEP_FRAMES = 8
"""Number of frames of 10 ms in a step of the ear, its hop of 80 ms."""
PATCH_STEPS = 6
"""Steps from one patch of the teachers to the next: 0.48 s, as in their publication."""
FIRST_PATCH_STEP = PATCH_FRAMES // STEP_FRAMES - 1
"""Index of the step at whose end the first patch of 0.96 s ends."""


class Teachers:
    """Both teachers, on the CPU.

    Parameters
    ----------
    data : Path
        Folder of the data sets, which holds the teachers' weights too.
    precision : {"float32", "bf16"}
        Number format in which they are computed. With bf16 they are faster on processors that have avx512_bf16 or
        amx_bf16, and slower on others; their answers differ by rounding.
    """

    def __init__(self, data: Path, precision: str) -> None:
        self._networks = [_load(data / name) for name in TEACHERS]
        self._dtype = PRECISIONS.get(precision)

    def answer(self, frames: Array) -> tuple[Array, Array]:
        """Return what the teachers say of each patch of 0.96 s, one every 0.48 s.

        Parameters
        ----------
        frames : float32 array, shape (examples, frames, 64)
            Log-mel frames of `teacher_answers.FRONT_END`, one every 10 ms, and 96 at least.

        Returns
        -------
        embedding : float32 array, shape (examples, patches, 1024)
            Square roots of the second teacher's embedding, whose distribution is closer to a normal one.
        logits : float32 array, shape (examples, patches, 521)
            Mean of both teachers' logits.
        """
        patches = torch.from_numpy(frames).unfold(1, PATCH_FRAMES, PATCH_STEPS * STEP_FRAMES).transpose(2, 3)
        with torch.inference_mode(), autocast(self._dtype, torch.device("cpu")):
            answers = [network(patches.flatten(0, 1)) for network in self._networks]
        logits = torch.stack([logits for logits, _ in answers]).float().mean(0)
        embedding = answers[-1][1].float()
        shape = (*patches.shape[:2], -1)
        return np.sqrt(embedding.reshape(shape).numpy()), logits.reshape(shape).numpy()


def _load(weights: Path) -> YAMNet:
    """Load a teacher; with its channels innermost it takes half of the time on a CPU."""
    return convert_conv2d_weight_memory_format(YAMNet.from_weights(read_npz(weights)), torch.channels_last)
