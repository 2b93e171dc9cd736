"""Clips as a generator sees them, and how far made clips are from music by their statistics."""

from __future__ import annotations

import torch
from torch import Tensor

from models.reference.genre_generator import GenreGenerator, number_likelihood
from streamer.arrays import Array
from train.mixing.mel_music import FLOOR


def standardise(frames: Array) -> Array:
    """Return clips as z-scores with the dynamic range of the mel file.

    Parameters
    ----------
    frames : float32 array, shape (clips, frames, bands)
        Natural logarithms of power.

    Returns
    -------
    float32 array, shape of `frames`
        Each clip has a mean of 0 and a standard deviation of 1, but silence, which is 0.
    """
    floored = frames.clip(frames.max(axis=(1, 2), keepdims=True) - FLOOR)
    away = floored - floored.mean(axis=(1, 2), keepdims=True)
    scores: Array = away / away.std(axis=(1, 2), keepdims=True).clip(1e-3)
    return scores.astype("float32")


def shifted(frames: Tensor) -> Tensor:
    """Return the frame before each, zeros before the first, in the shape of `frames`, (clips, frames, bands)."""
    return torch.cat([torch.zeros_like(frames[:, :1]), frames[:, :-1]], 1)


def generator_figures(generator: GenreGenerator, frames: Tensor, genre: Tensor) -> dict[str, float]:
    """Return figures of a generator on clips that it has not learnt from.

    Parameters
    ----------
    generator : GenreGenerator
        Generator, in evaluation mode.
    frames : Tensor, shape (clips, frames, bands)
        Clips as z-scores, on the device of the generator.
    genre : int64 Tensor, shape (clips,)
        Number of each clip's genre.

    Returns
    -------
    dict
        ``likelihood``: mean logarithm of the density of a number of a frame, in nats. ``distance``: `distance` of as
        many clips, of the same genres and length, that are made by seed 0.
    """
    draw = torch.Generator(frames.device).manual_seed(0)
    with torch.no_grad():
        mixture, _ = generator(shifted(frames), genre)
        likelihood = number_likelihood(mixture, frames).mean().item()
        made = generator.make(genre, frames.shape[1], draw=draw)
    return {"likelihood": likelihood, "distance": distance(made, frames)}


def distance(made: Tensor, real: Tensor) -> float:
    """Return how far made clips are from music, by statistics of each clip, 0 if both are distributed alike.

    It is the Frechet distance between normal distributions (Dowson and Landau 1982) of numbers that are taken for
    independent: mean and standard deviation of each band over time, and standard deviation of its changes from frame to
    frame; it is divided by how many there are.

    Parameters
    ----------
    made, real : Tensor, shape (clips, frames, bands)
        Clips as z-scores.
    """
    (mean_a, std_a), (mean_b, std_b) = _moments(made), _moments(real)
    return float(((mean_a - mean_b).square() + (std_a - std_b).square()).mean())


def _moments(frames: Tensor) -> tuple[Tensor, Tensor]:
    found = torch.cat([frames.mean(1), frames.std(1), frames.diff(dim=1).std(1)], 1)
    return found.mean(0), found.std(0)
