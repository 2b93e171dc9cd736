"""The short-time Fourier transform of `streamer.dsp.stft` and its inverse in torch, so that losses can pass through."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.layers import TorchState, WindowMean
from streamer.dsp.stft import StftConfig

QUIET = 1e-8
"""Mean power of a spectrum below which a frame counts as silent: 99 dB below a full-scale sine, with the default
windows."""


class Levelled(WindowMean):
    """Scale each step so that the last `steps` steps, the present one included, have a mean power of 1.

    The mean is over all numbers of these steps. Where it is below `QUIET`, `QUIET` takes its place: silence is not
    amplified.

    Parameters
    ----------
    steps : int
        Longest memory in steps; 2 or more.
    """

    def __init__(self, steps: int) -> None:
        super().__init__(1, steps)

    def forward(self, x: Tensor, state: TorchState | None = None) -> tuple[Tensor, TorchState]:
        """Return `x`, shape (batch, time, width), scaled, in the same shape; and the state. Any width is allowed."""
        power, after = super().forward(x.square().mean(2, keepdim=True), state)
        return x / power.clamp(min=QUIET).sqrt(), after


def analyse(x: Tensor, config: StftConfig) -> Tensor:
    """Return the spectra of a whole sound, equal to those of `streamer.dsp.stft.Stft` with its flush.

    Parameters
    ----------
    x : Tensor, shape (batch, samples)
        Whole sounds.
    config : StftConfig
        Settings of the short-time Fourier transform.

    Returns
    -------
    Tensor, complex, shape (batch, frames, bins)
        Spectra, as many frames as the synthesis of all samples needs.
    """
    hop = config.hop_samples
    missing = -x.shape[1] % hop + (config.synthesis_hops - 1) * hop
    padded = F.pad(x, (config.window_samples - hop, missing))
    window = torch.from_numpy(config.windows[0]).to(x)
    spectra: Tensor = torch.fft.rfft(padded.unfold(1, config.window_samples, hop) * window)
    return spectra


def without_offset(spectra: Tensor, config: StftConfig) -> Tensor:
    """Return complex spectra, (..., bins), less each frame's constant offset, as `streamer.separation.masks` does."""
    return spectra - spectra[..., :1] * torch.from_numpy(config.constant).to(spectra)


def synthesise(spectra: Tensor, config: StftConfig, samples: int) -> Tensor:
    """Return the sound of spectra: the inverse of `analyse`, equal to `streamer.dsp.stft.InverseStft`.

    Parameters
    ----------
    spectra : Tensor, complex, shape (batch, frames, bins)
        Spectra as `analyse` returns them.
    config : StftConfig
        Settings of the short-time Fourier transform.
    samples : int
        Samples to return: the length of the sound that was analysed.

    Returns
    -------
    Tensor, shape (batch, samples)
    """
    hops, hop = config.synthesis_hops, config.hop_samples
    window = torch.from_numpy(config.windows[1]).to(spectra.real)
    tails = torch.fft.irfft(spectra, config.window_samples)[..., -config.latency_samples :] * window
    parts = tails.unflatten(2, (hops, hop))
    whole = parts.shape[1] - hops + 1
    # A hop of sound is the last part of one frame, the part before that of the next frame, and so on.
    sound = sum(parts[:, n : n + whole, hops - 1 - n] for n in range(hops))
    assert isinstance(sound, Tensor)  # there are two hops or more
    return sound.flatten(1)[:, :samples]


def as_features(spectra: Tensor) -> Tensor:
    """Return complex spectra, (..., bins), as a network's input: real parts, then imaginary parts, (..., 2 * bins)."""
    return torch.cat([spectra.real, spectra.imag], dim=-1)
