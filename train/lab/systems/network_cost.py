"""Cost of a network that sees whole clips: parameters, multiplications, and time."""

from __future__ import annotations

import statistics
import time
import warnings
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

RUNS = 20
"""Number of clips that are timed, after a few that are not."""


@dataclass(frozen=True)
class NetworkCost:
    """Cost of classifying sound by a network, without its spectrogram, on one thread.

    Attributes
    ----------
    parameters : int
        Number of learnt numbers.
    mmacs_per_s : float
        Millions of multiply-accumulates for a second of sound.
    ms_per_s : float
        Milliseconds of processor time for a second of sound, one clip at a time; median.
    """

    parameters: int
    mmacs_per_s: float
    ms_per_s: float


def cost_of_network(model: nn.Module, clip: Tensor, clip_s: float) -> NetworkCost:
    """Return the cost of a network.

    Parameters
    ----------
    model : Module
        Network on the CPU.
    clip : Tensor, shape (1, ...)
        Input of one clip.
    clip_s : float
        Length of the clip in seconds.
    """
    model.eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        macs = count_macs(model, clip)
        with torch.no_grad():
            times = [_time(model, clip) for _ in range(RUNS + 3)][3:]
    finally:
        torch.set_num_threads(threads)
    return NetworkCost(
        parameters=sum(weights.numel() for weights in model.parameters()),
        mmacs_per_s=round(macs / clip_s / 1e6, 2),
        ms_per_s=round(1e3 * statistics.median(times) / clip_s, 3),
    )


def count_macs(model: nn.Module, clip: Tensor) -> int:
    """Return the number of multiply-accumulates of a network for an input.

    Torch's counter knows nothing of the kernels in which a CPU computes LSTMs and attention as a whole (torch 2.13), so
    they are computed in the plain way while it counts.
    """
    plain = torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH), torch.enable_grad()
    counter = FlopCounterMode(display=False)
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")  # torch warns of GPUs where a setting of oneDNN is written back
        for way in (*plain, counter):
            stack.enter_context(way)
        model(clip)
    return int(counter.get_total_flops() // 2)


def _time(model: nn.Module, clip: Tensor) -> float:
    begun = time.process_time()
    model(clip)
    return time.process_time() - begun
