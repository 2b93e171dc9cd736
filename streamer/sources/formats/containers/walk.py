"""Walk through containers of plain PCM and find their sound.

A recorder writes the length into the header when it stops. One that was killed, or that writes into a pipe, leaves 0,
a placeholder or the length of the first blocks there. So a length is believed only as far as what stands behind the
sound agrees: the end, another chunk, or the header of another file. If none does, the sound goes on.

A walk is a generator of steps. `streamer.sources.formats.containers.survey` answers them from a file, without reading
the sound, and `streamer.sources.formats.container` from bytes as they come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass

from streamer.sources.formats.containers.kind import MAGIC_BYTES, container_kind
from streamer.sources.formats.pcm_encoding import ENCODINGS, PcmEncoding

CHUNK_NAME = re.compile(rb"[A-Za-z_(][ -~]{3}")
"""Names of chunks: printable characters."""

LONGEST_GUESSED_CHUNK = 1 << 24
"""Longest chunk behind the sound that is believed to be one, in bytes; a longer one only if its name is known."""

KNOWN_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"JUNK", b"PAD ", b"FLLR", b"free")
"""Chunks that may be long."""

TAG_BYTES = 128
"""Length of a tag of ID3v1, and the most zeros behind the sound that only fill a block."""

LONGEST_FILL = 1 << 24
"""Most zeros behind the sound that only fill it up, as a recorder or a copy leaves them, in bytes."""

PLACEHOLDERS = (range(0x7FFF0000, 0x80000100), range(0xFFFF0000, 1 << 32))
"""Lengths that live recorders write because they do not know better; none of them means a file that was cut short."""

HUGE = 1 << 40
"""Smallest 64-bit length that counts as a placeholder, in bytes."""


@dataclass(frozen=True)
class Take:
    """A step that asks for the next `length` bytes, fewer at the end; with `peek`, the walk does not pass them."""

    length: int
    peek: bool = False


@dataclass(frozen=True)
class Pass:
    """A step that passes over `length` bytes, or to the end if None, and asks how many bytes there were.

    With `unless_zeros`, up to `LONGEST_FILL` bytes that are all zero are no sound, and count as none.
    """

    length: int | None
    is_sound: bool = False
    unless_zeros: bool = False


Steps = Generator[Take | Pass, "bytes | int", None]
"""A walk through any number of files: a generator that yields the steps, and is sent bytes for a `Take`, and an int for
a `Pass`."""

FileSteps = Generator[Take | Pass, "bytes | int", bool]
"""A walk through one file, in the same way; it returns whether another file may follow."""


@dataclass(frozen=True)
class PcmFormat:
    """Format of the sound in a container.

    Attributes
    ----------
    rate_hz, channels : int
        Sample rate and number of channels.
    encoding : PcmEncoding
        Encoding of a sample.
    """

    rate_hz: int
    channels: int
    encoding: PcmEncoding

    @property
    def frame_bytes(self) -> int:
        """Number of bytes of a frame."""
        return self.channels * self.encoding.sample_bytes


@dataclass
class Walk:
    """State of a walk through a container: the findings so far.

    Attributes
    ----------
    format : PcmFormat or None
        Format of the first sound; None before it is known, or if this is no container of plain PCM.
    went_on : bool
        Whether there was sound behind a length that the header announces.
    missing_bytes : int
        Number of bytes that the last header announces and that did not come.
    other : bool
        Whether the walk stopped at a part with another format.
    announced : int or None
        Length of the first sound that the header announces, in bytes; None if it does not, or before it is known.
    found : PcmFormat or None
        Format that the header of the present file states; None before it is known, or if it is not plain PCM.
    """

    format: PcmFormat | None = None
    went_on: bool = False
    missing_bytes: int = 0
    other: bool = False
    announced: int | None = None
    found: PcmFormat | None = None

    def sound(
        self, announced: int | None, is_next: Callable[[bytes], bool], padded: bool = False
    ) -> FileSteps:
        """Return a walk over one sound; its result tells whether another part of a container stands behind the sound.

        Parameters
        ----------
        announced : int or None
            Length of the sound that the header announces, in bytes; None if it does not know it.
        is_next : callable
            Function ``is_next(data)``, which tells whether bytes are the beginning of another part of this file.
        padded : bool
            Whether this kind of container has a byte of padding after a sound of an odd number of bytes.
        """
        if self.found is None:
            return False
        if self.format is None:
            self.format = self.found
        elif self.format != self.found:
            self.other = True
            return False
        if announced is not None:
            held = yield from pass_over(announced, is_sound=True)
            if held < announced:
                self.missing_bytes = 0 if is_placeholder(announced) else announced - held
                return False
            pad = announced % 2 if padded else 0
            behind = yield from take(pad + TAG_BYTES + 1, peek=True)
            if len(behind) <= pad or _is_tag(behind[pad:]):
                return False
            if container_kind(behind[pad:]) or is_next(behind[pad:]):
                yield from pass_over(pad)
                return True
            if not any(behind) and len(behind) <= pad + TAG_BYTES:
                return False
        held = yield from pass_over(None, is_sound=True, unless_zeros=bool(announced))
        self.went_on = announced is not None and held > 0
        return False


def is_chunk(name: bytes, length: int) -> bool:
    """Return whether a name and a length can be those of a chunk rather than sound."""
    return name in KNOWN_CHUNKS or (
        CHUNK_NAME.fullmatch(name) is not None and 0 <= length < LONGEST_GUESSED_CHUNK
    )


def _is_tag(behind: bytes) -> bool:
    """Return whether what stands behind the sound is a tag: ID3v1, which ends the file, ID3v2 or APEv2."""
    is_last = len(behind) <= TAG_BYTES
    return (behind[:3] == b"TAG" and is_last) or re.match(rb"ID3[\x02-\x04]|APETAGEX", behind) is not None


def is_placeholder(length: int) -> bool:
    """Return whether a length, in bytes, means that the writer did not know it."""
    return length >= HUGE or any(length in lengths or length + 8 in lengths for lengths in PLACEHOLDERS)


def pcm_format(rate_hz: int, channels: int, encoding: str | None) -> PcmFormat | None:
    """Return a format from what a header says; None if the encoding is unknown or there are no channels.

    Parameters
    ----------
    rate_hz, channels : int
        Sample rate and number of channels.
    encoding : str or None
        Name in `streamer.sources.formats.pcm_encoding.ENCODINGS`, such as ``s16le``.
    """
    if encoding is None or channels < 1:
        return None
    return PcmFormat(rate_hz, channels, ENCODINGS[encoding])


def take(length: int, peek: bool = False) -> Generator[Take | Pass, bytes | int, bytes]:
    """Return a walk whose result is the next `length` bytes; with `peek`, it does not pass them."""
    answer = yield Take(length, peek)
    assert isinstance(answer, bytes)
    return answer


def pass_over(
    length: int | None, is_sound: bool = False, unless_zeros: bool = False
) -> Generator[Take | Pass, bytes | int, int]:
    """Return a walk over `length` bytes, or to the end if None, whose result is how many there were, as of `Pass`."""
    answer = yield Pass(length, is_sound, unless_zeros)
    assert isinstance(answer, int)
    return answer


def is_at_container() -> FileSteps:
    """Return a walk whose result tells whether another file begins here."""
    return container_kind((yield from take(MAGIC_BYTES, peek=True))) is not None
