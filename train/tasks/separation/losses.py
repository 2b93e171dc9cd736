"""Losses of the separation: distances of estimated stems from the true ones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from train.tasks.separation.config import LossWeights

QUIETEST = 1e-6
"""Share of the mixture's energy that is added to the energy of a stem, so that the ratio is finite for a silent stem:
-60 dB."""
DEEPEST_DB = 30.0
"""Level below the target, in dB, from which an error is so small that reducing it further is not rewarded."""
SILENT = 1e-4
"""Share of the mixture's energy below which a stem is silent."""
COMPRESSION = 0.3
"""Exponent of magnitudes, by which soft parts count according to their loudness (Ephrat et al. 2018)."""
WINDOWS = (256, 512, 1_024)
"""Lengths in samples of the windows of `spectral_loss`; the hop is a quarter of each."""


def weighted_losses(
    found: tuple[Tensor, Tensor, Tensor],
    wanted: tuple[Tensor, Tensor, Tensor],
    mixture: Tensor,
    weights: LossWeights,
) -> dict[str, Tensor]:
    """Return the four losses of a batch by name, each a scalar that is multiplied by its weight.

    A new loss is a function here and a field of `LossWeights`.

    Parameters
    ----------
    found : tuple of Tensor
        Estimated voice and music, each of shape (batch, samples), and logits that a voice sounds, shape (batch, hops).
    wanted : tuple of Tensor
        True voice and music, and which hops have a voice (1) or not (0), in the same shapes.
    mixture : Tensor, shape (batch, samples)
        Sounds of voice and accompaniment together.
    weights : LossWeights
        Weights of the losses.
    """
    (found_voice, found_music, logits), (voice, music, voiced) = found, wanted
    pairs = ((found_voice, voice, music), (found_music, music, voice))
    losses = {
        "snr": sum(snr_loss(stem, true, mixture).mean() for stem, true, _ in pairs),
        "interference": sum(interference_loss(*pair).mean() for pair in pairs),
        "spectral": sum(spectral_loss(stem, true, mixture).mean() for stem, true, _ in pairs),
        "voice": F.binary_cross_entropy_with_logits(logits, voiced),
    }
    return {name: getattr(weights, name) * loss for name, loss in losses.items()}


def snr_loss(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """Return the negative signal-to-noise ratio of an estimated stem in dB, for each clip of a batch.

    The signal is the true stem `target`, and the noise is the difference of the estimate from it. For a silent target
    the loss is the level of the estimate re the mixture. The formula is equation 4 of Wisdom et al. (2020),
    "Unsupervised sound separation using mixture invariant training". Unlike in SI-SDR, scale counts: the stems add up
    to the mixture, so an estimated voice that is too faint, however pure, leaves voice in the accompaniment.

    Parameters
    ----------
    estimate, target, mixture : Tensor, shape (batch, samples)
        Estimated stem, true stem, and the sound that the stem was separated from.

    Returns
    -------
    Tensor, shape (batch,)
    """
    whole = _energy(mixture) + 1e-9
    wanted = _energy(target) + QUIETEST * whole
    error = _energy(estimate - target) + 10 ** (-DEEPEST_DB / 10) * wanted
    left = _energy(estimate) + 10 ** (-DEEPEST_DB / 10) * whole
    return 10 * torch.log10(torch.where(_energy(target) > SILENT * whole, error / wanted, left / whole))


def interference_loss(estimate: Tensor, target: Tensor, other: Tensor) -> Tensor:
    """Return by how many dB the wrong stem raises the level of the right one in an estimate, for each clip.

    The value is 10 log10(1 + 1 / SIR). The estimate is projected onto the plane of both true stems; the SIR is that of
    BSS Eval (Vincent et al. 2006, equations 5 to 9) with filters of one tap. The SIR in dB itself would not do as a
    loss: its gradient grows the less of the wrong stem is left. The loss is 0 where either true stem is silent.

    Parameters
    ----------
    estimate, target, other : Tensor, shape (batch, samples)
        Estimated stem, the true stem that it should be, and the true stem that should not be in it.

    Returns
    -------
    Tensor, shape (batch,)
    """
    tt, oo, to = _energy(target), _energy(other), (target * other).sum(1)
    et, eo = (estimate * target).sum(1), (estimate * other).sum(1)
    determinant = (tt * oo - to.square()).clamp(min=1e-12)
    a, b = (oo * et - to * eo) / determinant, (tt * eo - to * et) / determinant
    projected = a.unsqueeze(1) * target + b.unsqueeze(1) * other
    along = (et / tt.clamp(min=1e-9)).unsqueeze(1) * target
    ratio = _energy(projected - along) / (_energy(along) + 1e-3 * tt + 1e-9)
    both = (tt > 1e-3 * oo) & (oo > 1e-3 * tt)  # neither stem is silent; the projection needs both
    return torch.where(both, 10 * torch.log10(1 + ratio), 0.0)


def spectral_loss(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """Return the mean distance of an estimate's compressed magnitudes from the target's, relative to the mixture's.

    Magnitudes are raised to the power `COMPRESSION`. The result, one number without unit for each clip, is a mean over
    the windows `WINDOWS`.

    Parameters
    ----------
    estimate, target, mixture : Tensor, shape (batch, samples)
        Estimated stem, true stem, and the sound that the stem was separated from.

    Returns
    -------
    Tensor, shape (batch,)
    """
    distances = []
    for window in WINDOWS:
        found, wanted, whole = (_compressed_magnitudes(x, window) for x in (estimate, target, mixture))
        distances.append((found - wanted).abs().mean((1, 2)) / (whole.mean((1, 2)) + 1e-9))
    return torch.stack(distances).mean(0)


def _compressed_magnitudes(x: Tensor, window: int) -> Tensor:
    shape = torch.hann_window(window, device=x.device)
    spectra = torch.stft(x, window, window // 4, window=shape, return_complex=True)
    return (spectra.real.square() + spectra.imag.square() + 1e-10).pow(COMPRESSION / 2)


def _energy(x: Tensor) -> Tensor:
    return x.square().sum(1)
