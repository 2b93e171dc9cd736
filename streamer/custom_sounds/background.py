"""Describe the embeddings of all kinds of sound, which a taught sound must be told apart from."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from streamer.arrays import Array
from streamer.config_sections import PREFERENCES
from streamer.errors import ModelError
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds

FILE = "background.npz"
_SHAPES = {"mean": 1, "projection": 2, "impostors": 2, "logistic": 1, "thresholds": 2}
"""Number of dimensions of each array in the file."""


@dataclass(frozen=True)
class Background:
    """Embeddings of all kinds of sound, with the constants that turn a comparison of embeddings into a score.

    Attributes
    ----------
    ear_sha256 : str
        SHA-256 of the graph of the ear, the embedding model that it was computed with.
    window_steps : int
        Number of embeddings that are averaged before they are compared.
    mean : float array, shape (embedding_size,)
        Mean of averaged embeddings of all kinds of sound.
    projection : float array, shape (embedding_size, components)
        Matrix that whitens averaged embeddings: principal components divided by their standard deviations.
    impostors : float array, shape (impostors, components)
        Averaged embeddings of all kinds of sound, whitened and scaled to length 1.
    slope, offset : float
        Constants of the logistic function that turns a similarity into a probability.
    operating_points : Mapping of str to Thresholds
        Thresholds of that probability, by operating point.
    """

    ear_sha256: str
    window_steps: int
    mean: Array
    projection: Array
    impostors: Array
    slope: float
    offset: float
    operating_points: Mapping[str, Thresholds]

    def directions(self, pooled: Array) -> Array:
        """Return averaged embeddings whitened and scaled to length 1.

        Parameters
        ----------
        pooled : float array, shape (..., embedding_size)
            Means of `window_steps` embeddings of the ear.

        Returns
        -------
        float32 array, shape (..., components)
        """
        # einsum without BLAS adds up in the same order however many rows there are
        white = np.einsum("...i,ic->...c", pooled.astype(np.float32) - self._mean, self._projection)
        length = np.sqrt(np.einsum("...c,...c->...", white, white))
        return np.asarray(white / np.maximum(length, np.float32(1e-6))[..., None])

    def probabilities(self, similarities: Array) -> Array:
        """Return the probability of a label for each cosine similarity to it, -1 to 1: float32, same shape, 0 to 1."""
        logit = self.slope * similarities + self.offset
        return np.asarray(
            0.5 + 0.5 * np.tanh(0.5 * logit), np.float32
        )  # the logistic function, without overflow

    @cached_property
    def _mean(self) -> Array:
        return self.mean.astype(np.float32)

    @cached_property
    def _projection(self) -> Array:
        return self.projection.astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write ``background.npz`` into `folder`, the model folder of the ear; `read_background` reads it again.

        A file that is there is overwritten. `projection` and `impostors` are rounded to float16.
        """
        points = [self.operating_points[preference] for preference in PREFERENCES]
        content = io.BytesIO()
        np.savez(
            content,
            ear_sha256=self.ear_sha256,
            window_steps=self.window_steps,
            mean=self.mean.astype(np.float32),
            projection=self.projection.astype(np.float16),
            impostors=self.impostors.astype(np.float16),
            logistic=[self.slope, self.offset],
            thresholds=[(point.on, point.off) for point in points],
        )
        (folder / FILE).write_bytes(content.getvalue())


def read_background(folder: Path, ear: Manifest) -> Background:
    """Return the background that lies in the model folder of an ear.

    Parameters
    ----------
    folder : Path
        Folder of the ear.
    ear : Manifest
        Manifest of the ear.

    Raises
    ------
    ModelError
        If the background is absent, damaged or belongs to another ear.
    """
    path = folder / FILE
    way_out = "install streamer again, or make it: python -m train background"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
            arrays = dict(content)
        background = _parsed(arrays)
    except OSError as error:
        raise ModelError(
            f"ear {ear.name} has no {path} ({error.strerror}), without which no sound can be taught; {way_out}"
        ) from error
    except (ValueError, KeyError, TypeError, IndexError, BadZipFile, EOFError) as error:
        raise ModelError(f"{path} is damaged ({error!r}); {way_out}") from error
    if background.ear_sha256 != ear.sha256:
        raise ModelError(
            f"{path} is of the ear {background.ear_sha256[:12]} and lies beside {ear.sha256[:12]}; {way_out}"
        )
    if len(background.mean) != ear.embedding_size:
        raise ModelError(
            f"{path} has {len(background.mean)} numbers an embedding, the ear has {ear.embedding_size}; {way_out}"
        )
    return background


def digest(background: Background) -> str:
    """Return the SHA-256 (hex) of all fields of a background."""
    found = hashlib.sha256(background.ear_sha256.encode())
    for array in (background.mean, background.projection, background.impostors):
        found.update(array.tobytes())
    found.update(repr((background.window_steps, background.slope, background.offset)).encode())
    return found.hexdigest()


def _parsed(arrays: Mapping[str, Array]) -> Background:
    for name, dimensions in _SHAPES.items():
        if arrays[name].ndim != dimensions or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} has shape {arrays[name].shape} or is not finite")
    slope, offset = arrays["logistic"].tolist()
    points = [Thresholds(on, off) for on, off in arrays["thresholds"].tolist()]
    components = arrays["projection"].shape[1]
    if len(arrays["mean"]) != len(arrays["projection"]) or arrays["impostors"].shape[1] != components:
        raise ValueError("mean, projection and impostors do not fit each other")
    return Background(
        ear_sha256=str(arrays["ear_sha256"]),
        window_steps=int(arrays["window_steps"]),
        mean=arrays["mean"],
        projection=arrays["projection"],
        impostors=arrays["impostors"],
        slope=slope,
        offset=offset,
        operating_points=dict(zip(PREFERENCES, points, strict=True)),
    )
