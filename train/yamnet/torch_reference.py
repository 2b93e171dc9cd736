"""YAMNet in torch, the reference that other implementations are compared with."""

from __future__ import annotations

import numpy as np
import torch

from models.yamnet import YAMNet
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import offline
from streamer.yamnet.weights import Weights

BATCH = 16


class TorchYAMNet:
    """YAMNet in torch with published weights, applied to whole windows of sound.

    Parameters
    ----------
    weights : Weights
        Published weights.
    """

    name = "torch, window by window"

    def __init__(self, weights: Weights) -> None:
        self._network = YAMNet.from_weights(weights)

    def __call__(self, windows: Array) -> tuple[Array, Array]:
        """Return scores, (count, 521), and embeddings, (count, 1024), of windows of sound, (count, WINDOW_SAMPLES)."""
        patches = torch.from_numpy(offline(LogMel(), windows))
        with torch.no_grad():
            given = [self._network(part) for part in patches.split(BATCH)]
        logits, embeddings = (torch.cat(parts) for parts in zip(*given, strict=True))
        return torch.sigmoid(logits).numpy().astype(np.float32), embeddings.numpy()
