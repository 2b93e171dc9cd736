"""Define inputs of bytes that are read without waiting: files and descriptors."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from pathlib import Path

from streamer.sources.pipes.pipe import PipeReader

logger = logging.getLogger(__name__)


class ByteInput(ABC):
    """Bytes that are read without waiting.

    Attributes
    ----------
    name : str
        Name of the input in messages: "file a.wav", "standard input".
    """

    name: str
    reader: PipeReader

    @abstractmethod
    def open(self) -> None:
        """Open the input, after which `reader` is valid.

        Raises
        ------
        StreamError
            If it cannot be opened.
        """

    def check_end(self) -> None:  # noqa: B027 - most inputs cannot fail
        """Raise a StreamError if the bytes ended because something failed."""

    def note_short(self, message: str) -> None:
        """Say that less sound came than its header announces; `message` says how much."""
        logger.warning(message)

    @abstractmethod
    def close(self) -> None:
        """Close the input."""


class FileInput(ByteInput):
    """The bytes of a file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.name = f"file {path}"
        self._path = path
        self._descriptor = -1

    def open(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDONLY)
        self.reader = PipeReader(self._descriptor, 1)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DescriptorInput(ByteInput):
    """The bytes of a descriptor, which stays open.

    Parameters
    ----------
    name : str
    descriptor : int
    head : bytes
        Bytes that were already read from the descriptor.
    """

    def __init__(self, name: str, descriptor: int, head: bytes) -> None:
        self.name = name
        self.reader = PipeReader(descriptor, 1, head)

    def open(self) -> None:
        """Do nothing: the descriptor is open."""

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""
