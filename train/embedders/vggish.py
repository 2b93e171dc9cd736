"""Embed windows of sound by VGGish, with the weights that AudioSet's authors or torchvggish published (Apache-2.0)."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.reference.vggish import FRAMES, VGGish, VGGishConfig
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.stage import offline
from streamer.errors import ModelError
from train import npz
from train.embedders.slice_checkpoint import read_slices
from train.embedders.windows import HOP_S
from train.errors import AbsentError

FRONT_END = LogMel(LogMelConfig(log_offset=0.01))
"""VGGish's front end: YAMNet's, which came after it, with another offset."""
RATE_HZ = FRONT_END.config.sample_rate_hz
WINDOW_SAMPLES = (FRAMES - 1) * FRONT_END.config.hop_samples + FRONT_END.config.window_samples
"""Samples of a patch, 0.975 s."""
SIZES = VGGishConfig()
"""Sizes of the published weights."""
CHECKPOINT, STATE = "vggish_model.ckpt", "vggish-*.pth"
PCA = "vggish_pca_params.npz"
CLIPPED_AT = 2.0
"""Magnitude to which projected embeddings are clipped before they are rounded to 8 bits."""
PUBLISHED = "https://storage.googleapis.com/audioset/"
TORCHVGGISH = "https://github.com/harritaylor/torchvggish/releases"
_LAYERS: Mapping[str, str] = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3/conv3_1",
    "features.8": "conv3/conv3_2",
    "features.11": "conv4/conv4_1",
    "features.13": "conv4/conv4_2",
    "embeddings.0": "fc1/fc1_1",
    "embeddings.2": "fc1/fc1_2",
    "embeddings.4": "fc2",
}
"""Names of the layers in the checkpoint, below ``vggish/``, by the names of the modules."""


@dataclass(frozen=True)
class Projection:
    """The post-processing of AudioSet's published embeddings: principal components, whitened, and rounded to 8 bits.

    Attributes
    ----------
    vectors : Array, shape (embedding, embedding)
        A component in each row.
    means : Array, shape (embedding,)
        Mean of the embeddings.
    """

    vectors: Array
    means: Array

    def apply(self, embeddings: Array) -> Array:
        """Return projected embeddings, whole numbers from 0 to 255 as float32, of the shape of `embeddings`."""
        projected = (embeddings - self.means) @ self.vectors.T
        clipped = np.clip(projected, -CLIPPED_AT, CLIPPED_AT)
        rounded: Array = np.round((clipped + CLIPPED_AT) * (255.0 / (2 * CLIPPED_AT)))
        return rounded.astype(np.float32)


@dataclass(frozen=True)
class VGGishEmbedder:
    """VGGish as a `train.embedders.windows.WindowEmbedder`.

    Attributes
    ----------
    network : VGGish
        The network with its weights.
    files : tuple of Path
        Files that weights and projection were read from.
    projection : Projection or None
        Post-processing; None leaves embeddings as they are.
    """

    network: VGGish
    files: tuple[Path, ...]
    projection: Projection | None = None
    rate_hz: int = RATE_HZ
    window_samples: int = WINDOW_SAMPLES
    least_samples: int = WINDOW_SAMPLES
    hop_s: float = HOP_S

    @property
    def name(self) -> str:
        """Name, for caches."""
        return "vggish" if self.projection is None else "vggish projected"

    @torch.inference_mode()
    def embed(self, windows: Array) -> Array:
        """Return the embeddings of windows; see `WindowEmbedder.embed`."""
        frames = torch.from_numpy(offline(FRONT_END, windows))
        found: Array = self.network(frames).numpy()
        return found if self.projection is None else self.projection.apply(found)


def load_vggish(folder: Path, projected: bool = False, config: VGGishConfig = SIZES) -> VGGishEmbedder:
    """Return VGGish with the weights in a folder: the checkpoint, or else torchvggish's state dict.

    Parameters
    ----------
    folder : Path
        Folder with `CHECKPOINT`, or a file like `STATE`; both hold the same weights.
    projected : bool
        Whether embeddings are processed as AudioSet's are, which needs `PCA` in the folder.
    config : VGGishConfig
        Sizes that the weights must have.

    Raises
    ------
    AbsentError
        If there are no weights, or no parameters of the projection where they are needed.
    ModelError
        If a file has another layout.
    """
    states = sorted(folder.glob(STATE))
    if (folder / CHECKPOINT).is_file():
        path = folder / CHECKPOINT
        weights = _from_checkpoint(read_slices(path))
    elif states:
        path = states[0]
        weights = _read_state(path)
    else:
        raise AbsentError(
            f"{folder} has no weights of VGGish; put {CHECKPOINT} there, from {PUBLISHED}{CHECKPOINT}, or "
            f"vggish-10086976.pth, from {TORCHVGGISH}"
        )
    network = VGGish(config)
    _check(weights, network.state_dict(), path)
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    if not projected:
        return VGGishEmbedder(network.eval(), (path,))
    return VGGishEmbedder(
        network.eval(), (path, folder / PCA), read_projection(folder / PCA, config.embedding)
    )


def read_projection(path: Path, size: int) -> Projection:
    """Return the projection in AudioSet's file of its parameters, for embeddings of `size` numbers.

    Raises
    ------
    AbsentError
        If the file is not there.
    ModelError
        If it has another layout.
    """
    if not path.is_file():
        raise AbsentError(
            f"{path} is not there; fetch it from {PUBLISHED}{PCA}, or take embeddings without it"
        )
    found = npz.read(path, "parameters of VGGish's projection", f"fetch it from {PUBLISHED}{PCA}")
    expected = {"pca_eigen_vectors": size * size, "pca_means": size}
    for name, count in expected.items():
        if name not in found or found[name].size != count:
            shape = found[name].shape if name in found else "absent"
            raise ModelError(
                f"{name} of {path} is {shape}; expected {count} numbers: fetch it from {PUBLISHED}{PCA}"
            )
    return Projection(found["pca_eigen_vectors"].reshape(size, size), found["pca_means"].reshape(size))


def _from_checkpoint(tensors: Mapping[str, Array]) -> dict[str, Tensor]:
    """Return the weights of a checkpoint by our names; kernels of (height, width, in, out) and (in, out) are turned."""
    weights = {}
    for ours, theirs in _LAYERS.items():
        for part, name in (("weight", "weights"), ("bias", "biases")):
            key = f"vggish/{theirs}/{name}"
            if key in tensors:
                array = tensors[key]
                turned = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
                weights[f"{ours}.{part}"] = torch.from_numpy(turned.copy())
    return weights


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); expected torchvggish's state dict: fetch it from "
            f"{TORCHVGGISH}"
        ) from error
    if not isinstance(found, dict):
        raise ModelError(
            f"{path} holds a {type(found).__name__}; expected torchvggish's state dict, from {TORCHVGGISH}"
        )
    return {str(name): value for name, value in found.items() if isinstance(value, Tensor)}


def _check(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are absent or of other shapes."""
    for name, tensor in expected.items():
        found = tuple(weights[name].shape) if name in weights else "absent"
        if found != tuple(tensor.shape):
            raise ModelError(
                f"{name} of {path} is {found}; expected {tuple(tensor.shape)}, as in VGGish's published weights: fetch "
                "them again"
            )
