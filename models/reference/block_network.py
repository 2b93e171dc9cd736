"""A classifier of spectrogram images made of blocks, of which the first can stay as they are while the last learn."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from streamer.errors import ConfigError


class BlockNetwork(nn.Module):
    """Blocks, one after the other, and a head; each architecture has a subclass, which makes them.

    Parameters
    ----------
    blocks : list of Module
        Blocks, from the input on: what pretrained weights bring.
    head : Module
        Last layers, which make logits of what the last block gives; their weights are random.
    size : (int, int) or None
        Height and width to which a spectrogram is brought by linear interpolation; None leaves it as it is.
    channels : int
        Number of channels of the first block's input, each of which is the same spectrogram.
    """

    def __init__(
        self, blocks: list[nn.Module], head: nn.Module, size: tuple[int, int] | None, channels: int
    ) -> None:
        super().__init__()
        self.blocks, self.head = nn.ModuleList(blocks), head
        self._size, self._channels = size, channels

    @classmethod
    def check_library(cls) -> None:
        """Import the library that has the architecture.

        Raises
        ------
        ConfigError
            If it cannot be imported; the text says what to install.
        """
        raise NotImplementedError

    def pretrained_blocks(self, folder: Path) -> list[nn.Module]:
        """Return the blocks with the weights in a folder.

        Raises
        ------
        ConfigError
            If the folder has no weights of this architecture, or not all of them.
        """
        raise NotImplementedError

    def load_pretrained(self, folder: Path) -> None:
        """Take the weights of the blocks from a folder; those of the head stay as they are.

        Raises
        ------
        ConfigError
            If there is no such folder, its weights are not those of this architecture, or of other sizes.
        """
        if not folder.is_dir():
            raise ConfigError(
                f"weights is {str(folder)!r}, which is no folder; expected one with pretrained weights, or an empty "
                "text for random weights"
            )
        given = nn.ModuleList(self.pretrained_blocks(folder))
        try:
            self.blocks.load_state_dict(given.state_dict())
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip()
            raise ConfigError(
                f"the weights in {folder} do not fit the blocks of {type(self).__name__} ({first}); expected the "
                "sizes of the weights as settings of [model]"
            ) from error

    def forward(self, x: Tensor, learnt_blocks: int | None = None) -> Tensor:
        """Return the logits of clips.

        Parameters
        ----------
        x : Tensor, shape (clips, bands, frames)
            Standardised log-mel spectrograms.
        learnt_blocks : int, optional
            Number of blocks, the last ones, that learn beside the head in training; by default all do. The others get
            no gradients, and their batch norms and dropout work as they do outside training.

        Returns
        -------
        Tensor, shape (clips, labels)
            Logits.
        """
        if self.training:
            self._choose_learnt(len(self.blocks) if learnt_blocks is None else learnt_blocks)
        y = self._image(x)
        for block in self.blocks:
            y = block(y)
        logits: Tensor = self.head(y)
        return logits

    def _choose_learnt(self, learnt: int) -> None:
        kept = max(0, len(self.blocks) - learnt)
        for place, block in enumerate(self.blocks):
            block.train(place >= kept).requires_grad_(place >= kept)

    def _image(self, x: Tensor) -> Tensor:
        image = x.unsqueeze(1)
        if self._size and self._size != tuple(x.shape[1:]):
            image = F.interpolate(image, self._size, mode="bilinear", align_corners=False)
        return image.expand(-1, self._channels, -1, -1)


class PooledHead(nn.Module):
    """Mean over an image, dropout and a dense layer.

    Parameters
    ----------
    channels, labels : int
        Channels of the image, and number of classes.
    dropout : float
        Dropout before the dense layer.
    """

    def __init__(self, channels: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout, self.dense = nn.Dropout(dropout), nn.Linear(channels, labels)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (clips, labels), of images, shape (clips, channels, height, width)."""
        y: Tensor = self.dense(self.dropout(x.mean((2, 3))))
        return y
