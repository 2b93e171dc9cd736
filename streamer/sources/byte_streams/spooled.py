"""Read a file that comes as bytes, but can only be decoded when it is whole: keep it until then."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from streamer.errors import StreamError
from streamer.sources.formats.announced_end import loss_of
from streamer.sources.formats.joints import begins_of_file
from streamer.sources.formats.libsndfile_kind import libsndfile_kind
from streamer.sources.formats.sound_file_kind import HEAD_BYTES
from streamer.sources.libsndfile import SoundFileSource
from streamer.sources.media_file import MediaFileSource, media_parts
from streamer.sources.pipes.byte_input import ByteInput
from streamer.sources.source import OPEN_POLL_S, Source, given_up
from streamer.sources.wrappers.wrapper import SourceWrapper

LARGEST_BYTES = 1 << 31
"""Largest file that is kept: more than a day of AAC."""

PIECE_BYTES = 1 << 20
"""Length of the pieces that are written."""

WAY_OUT = (
    "save it and listen to the file, or let its writer put the description first (ffmpeg's `-movflags +faststart`, "
    "or `+frag_keyframe+empty_moov` for live sound)"
)
"""What to do about a file that cannot be kept."""


class SpooledSource(SourceWrapper):
    """The sound of a file that can only be decoded when it is whole, such as an MP4 with ``moov`` at its end.

    Parameters
    ----------
    data : ByteInput
        Input of the bytes; `open` reads all of them into a temporary file.
    """

    opens_slowly = True

    def __init__(self, data: ByteInput) -> None:
        super().__init__(MediaFileSource(Path(), name=data.name))
        self._data = data
        self._given_up = threading.Event()
        self._file: IO[bytes] | None = None

    def give_up_opening(self) -> None:
        self._given_up.set()

    def open(self) -> None:
        self._data.open()
        file = NamedTemporaryFile(prefix="streamer-", suffix=".spool")  # noqa: SIM115 - it lives as long
        self._file = file
        try:
            self._fill(file)
            self._data.check_end()
            path = Path(file.name)
            self._inner = _source_of(path, self._data.name)
            super().open()
        except OSError as error:
            self.close()
            raise StreamError(
                f"{self._data.name} can only be decoded when it is whole, and cannot be kept until then "
                f"({error.strerror}); expected room for a temporary file: {WAY_OUT}"
            ) from error
        except StreamError:
            self.close()
            raise
        finally:
            self._data.close()

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()

    def _fill(self, file: IO[bytes]) -> None:
        """Read the bytes to their end into the temporary file."""
        kept = 0
        while not self._data.reader.ended:
            self._data.reader.wait(OPEN_POLL_S)
            if self._given_up.is_set():
                raise given_up(self._data.name)
            piece = self._data.reader.read(PIECE_BYTES)
            file.write(piece)
            kept += len(piece)
            if kept > LARGEST_BYTES:
                raise StreamError(
                    f"{self._data.name} can only be decoded when it is whole, and is larger than "
                    f"{LARGEST_BYTES >> 30} GiB; expected a smaller file: {WAY_OUT}"
                )
        file.flush()


def _source_of(path: Path, name: str) -> Source:
    """Return the source of a kept file, not yet opened: of libsndfile for what only that reads."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if libsndfile_kind(head) and loss_of(path) is None:
        return SoundFileSource(path, name)
    return media_parts(path, begins_of_file(path), name=name)
