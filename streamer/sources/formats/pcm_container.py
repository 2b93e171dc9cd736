"""Find the PCM in WAV, RF64, W64, AIFF, AU and CAF files, whatever their headers say about its length.

A recorder writes the length into the header when it stops. One that was killed, or that writes into a pipe, leaves 0,
a placeholder or the length of the first blocks there. So a length is believed only as far as what stands behind the
sound agrees: the end, another chunk, or the header of another file. If none does, the sound goes on.

The walk through a file is a generator of steps. `survey` answers them from a file, without reading the sound, and
`streamer.sources.formats.container` from bytes as they come.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from streamer.sources.formats.pcm_encoding import ENCODINGS, PcmEncoding

MAGIC_BYTES = 12
"""Number of bytes that tell a container."""

W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""Last 12 of the 16 bytes that name a chunk of a W64; the first four are letters."""

W64_MAGIC = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
"""Name of the outer chunk of a W64."""

CHUNK_NAME = re.compile(rb"[A-Za-z_(][ -~]{3}")
"""Names of chunks: printable characters."""

LONGEST_GUESSED_CHUNK = 1 << 24
"""Longest chunk behind the sound that is believed to be one, in bytes; a longer one only if its name is known."""

KNOWN_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"JUNK", b"PAD ", b"FLLR", b"free")
"""Chunks that may be long."""

PLACEHOLDERS = (range(0x7FFF0000, 0x80000100), range(0xFFFF0000, 1 << 32))
"""Lengths that live recorders write because they do not know better; none of them means a file that was cut short."""

HUGE = 1 << 40
"""Smallest 64-bit length that counts as a placeholder, in bytes."""

SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""Last 14 bytes of the GUID of a WAVE_FORMAT_EXTENSIBLE; the first two are the tag."""


@dataclass(frozen=True)
class Take:
    """A step that asks for the next `length` bytes, fewer at the end; with `peek`, the walk does not pass them."""

    length: int
    peek: bool = False


@dataclass(frozen=True)
class Pass:
    """A step that passes over `length` bytes, or to the end if None, and asks how many bytes there were."""

    length: int | None
    is_sound: bool = False


Steps = Generator[Take | Pass, "bytes | int", None]
"""A walk; the answer to `Take` is bytes, and to `Pass` an int."""


@dataclass(frozen=True)
class PcmFormat:
    """Format of the sound in a container.

    Attributes
    ----------
    rate_hz, channels : int
    encoding : PcmEncoding
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
    parts : int
        Number of headers that were followed by sound.
    went_on : bool
        Whether there was sound behind a length that the header announces.
    missing_bytes : int
        Number of bytes that the last header announces and that did not come.
    other : bool
        Whether the walk stopped at a part with another format.
    """

    format: PcmFormat | None = None
    parts: int = 0
    went_on: bool = False
    missing_bytes: int = 0
    other: bool = False
    _found: PcmFormat | None = field(default=None, repr=False)

    def steps(self) -> Steps:
        """Return a walk, as a generator of steps, through one file or several joined end to end."""
        while True:
            magic = yield from _take(MAGIC_BYTES, peek=True)
            walker = _walker(magic)
            self._found = None
            if walker is None:
                return
            again = yield from walker(self)
            if not again or self.other:
                return

    def sound(
        self, announced: int | None, is_next: Callable[[bytes], bool], padded: bool = False
    ) -> Generator[Take | Pass, bytes | int, bool]:
        """Return a generator of steps that passes over sound, and returns whether something was found behind it."""
        if self._found is None:
            return False
        if self.format is None:
            self.format = self._found
        elif self.format != self._found:
            self.other = True
            return False
        self.parts += 1
        if announced is not None:
            held = yield from _pass(announced, is_sound=True)
            if held < announced:
                self.missing_bytes = 0 if _is_placeholder(announced) else announced - held
                return False
            pad = announced % 2 if padded else 0
            behind = yield from _take(pad + 24, peek=True)
            if len(behind) <= pad:
                return False
            if _walker(behind[pad:]) or is_next(behind[pad:]):
                yield from _pass(pad)
                return True
            if not any(behind) and len(behind) < pad + 24:
                return False  # zeros that fill a block
        held = yield from _pass(None, is_sound=True)
        self.went_on = announced is not None and held > 0
        return False


def is_container(magic: bytes) -> bool:
    """Return whether a file that begins with `magic` may hold plain PCM under a header."""
    return _walker(magic) is not None


def survey(path: Path) -> tuple[Walk, list[tuple[int, int]]]:
    """Return the findings of a walk through a file, and the places of its sound, without reading the sound.

    Returns
    -------
    Walk
    list of tuple of int
        Offset and length of each piece of sound, in bytes.
    """
    walk = Walk()
    spans: list[tuple[int, int]] = []
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        steps = walk.steps()
        answer: bytes | int | None = None
        while True:
            try:
                step = next(steps) if answer is None else steps.send(answer)
            except StopIteration:
                return walk, spans
            at = file.tell()
            if isinstance(step, Take):
                answer = file.read(step.length)
                if step.peek:
                    file.seek(at)
            else:
                answer = size - at if step.length is None else min(step.length, size - at)
                file.seek(answer, os.SEEK_CUR)
                if step.is_sound and answer:
                    spans.append((at, answer))


def may_hold_pcm(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a container that holds plain PCM, as far as can be seen.

    Parameters
    ----------
    head : bytes
        Beginning of a file, a few thousand bytes long.
    """
    if not is_container(head):
        return False
    walk = Walk()
    ended = _walk_head(walk, head)[1]
    return walk.format is not None or not ended


def announced_end(head: bytes) -> int | None:
    """Return the byte offset at which, by the header, the first sound ends; None if `head` does not say it.

    Parameters
    ----------
    head : bytes
        Beginning of a container.
    """
    return _walk_head(Walk(), head)[0]


def _walk_head(walk: Walk, head: bytes) -> tuple[int | None, bool]:
    """Walk through the beginning of a file, up to the first sound.

    Returns
    -------
    int or None
        Where that sound ends according to the header; None if it does not say, or if there is no sound.
    bool
        Whether the walk ended.
    """
    steps, at = walk.steps(), 0
    step = next(steps)
    while at < len(head):
        if isinstance(step, Pass) and step.is_sound:
            return (None if step.length is None else at + step.length), False
        length = step.length or 0
        answer: bytes | int = head[at : at + length] if isinstance(step, Take) else length
        if not (isinstance(step, Take) and step.peek):
            at += length
        try:
            step = steps.send(answer)
        except StopIteration:
            return None, True
    return None, False


def _take(length: int, peek: bool = False) -> Generator[Take | Pass, bytes | int, bytes]:
    answer = yield Take(length, peek)
    assert isinstance(answer, bytes)
    return answer


def _pass(length: int | None, is_sound: bool = False) -> Generator[Take | Pass, bytes | int, int]:
    answer = yield Pass(length, is_sound)
    assert isinstance(answer, int)
    return answer


Walker = Callable[[Walk], Generator["Take | Pass", "bytes | int", bool]]
"""Walks through one file; returns whether another one may follow."""


def _walker(magic: bytes) -> Walker | None:
    """Return the walk through the container that begins with `magic`; None for anything else."""
    if magic[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and magic[8:12] == b"WAVE":
        return _walk_wav
    if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        return _walk_aiff
    if magic[:12] == W64_MAGIC[:12]:
        return _walk_w64
    if magic[:4] in (b".snd", b"dns."):
        return _walk_au
    if magic[:4] == b"caff":
        return _walk_caf
    return None


def _walk_wav(walk: Walk) -> Generator[Take | Pass, bytes | int, bool]:
    head = yield from _take(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    length_of_rf64: int | None = None

    def is_chunk(data: bytes) -> bool:
        return len(data) >= 8 and _is_chunk(data[:4], struct.unpack(f"{order}I", data[4:8])[0])

    while True:
        head = yield from _take(8, peek=True)
        if len(head) < 8 or _walker((yield from _take(MAGIC_BYTES, peek=True))):
            return len(head) == 8
        yield from _pass(8)
        name, length = struct.unpack(f"{order}4sI", head)
        if name == b"data":
            announced = length if length_of_rf64 is None or length != 0xFFFFFFFF else length_of_rf64
            if not (yield from walk.sound(announced, is_chunk, padded=True)):
                return False
            continue
        body = yield from _take(min(length, 64), peek=True)
        if name == b"ds64" and len(body) >= 16:
            length_of_rf64 = struct.unpack("<Q", body[8:16])[0]
        if name == b"fmt ":
            walk._found = _wav_format(body, order)
        yield from _pass(length + length % 2)


def _walk_w64(walk: Walk) -> Generator[Take | Pass, bytes | int, bool]:
    yield from _pass(40)

    def is_chunk(data: bytes) -> bool:
        return data[4:16] == W64_TAIL

    while True:
        head = yield from _take(24, peek=True)
        if len(head) < 24 or _walker(head):
            return len(head) == 24
        yield from _pass(24)
        length = max(0, struct.unpack("<Q", head[16:24])[0] - 24)
        if head[:16] == b"data" + W64_TAIL:
            if not (yield from walk.sound(length, is_chunk)):
                return False
            continue
        body = yield from _take(min(length, 64), peek=True)
        if head[:16] == b"fmt " + W64_TAIL:
            walk._found = _wav_format(body, "<")
        yield from _pass(length + -length % 8)


def _walk_aiff(walk: Walk) -> Generator[Take | Pass, bytes | int, bool]:
    head = yield from _take(12)
    is_compressed = head[8:12] == b"AIFC"

    def is_chunk(data: bytes) -> bool:
        return len(data) >= 8 and _is_chunk(data[:4], struct.unpack(">I", data[4:8])[0])

    while True:
        head = yield from _take(8, peek=True)
        if len(head) < 8 or _walker((yield from _take(MAGIC_BYTES, peek=True))):
            return len(head) == 8
        yield from _pass(8)
        name, length = struct.unpack(">4sI", head)
        if name == b"SSND":
            offset = struct.unpack(">I", (yield from _take(8)).ljust(8, b"\0")[:4])[0]
            yield from _pass(offset)
            if not (yield from walk.sound(max(0, length - 8 - offset), is_chunk, padded=True)):
                return False
            continue
        body = yield from _take(min(length, 64), peek=True)
        if name == b"COMM":
            walk._found = _aiff_format(body, is_compressed)
        yield from _pass(length + length % 2)


def _walk_au(walk: Walk) -> Generator[Take | Pass, bytes | int, bool]:
    head = yield from _take(24)
    if len(head) < 24:
        return False
    order, end = (">", "be") if head[:4] == b".snd" else ("<", "le")
    offset, length, code, rate_hz, channels = struct.unpack(f"{order}5I", head[4:])
    names = {
        1: "mulaw",
        2: "s8",
        3: f"s16{end}",
        4: f"s24{end}",
        5: f"s32{end}",
        6: f"f32{end}",
        7: f"f64{end}",
        27: "alaw",
    }
    walk._found = _format(rate_hz, channels, names.get(code))
    yield from _pass(max(0, offset - 24))
    return (yield from walk.sound(None if length == 0xFFFFFFFF else length, lambda data: False))  # noqa: ARG005


def _walk_caf(walk: Walk) -> Generator[Take | Pass, bytes | int, bool]:
    yield from _pass(8)

    def is_chunk(data: bytes) -> bool:
        return len(data) >= 12 and _is_chunk(data[:4], struct.unpack(">q", data[4:12])[0])

    while True:
        head = yield from _take(12, peek=True)
        if len(head) < 12 or _walker(head):
            return len(head) == 12
        yield from _pass(12)
        name, length = struct.unpack(">4sq", head)
        if name == b"data":
            yield from _pass(4)  # the count of edits
            if not (yield from walk.sound(None if length < 0 else max(0, length - 4), is_chunk)):
                return False
            continue
        body = yield from _take(max(0, min(length, 64)), peek=True)
        if name == b"desc":
            walk._found = _caf_format(body)
        yield from _pass(max(0, length))


def _is_chunk(name: bytes, length: int) -> bool:
    return name in KNOWN_CHUNKS or (
        CHUNK_NAME.fullmatch(name) is not None and 0 <= length < LONGEST_GUESSED_CHUNK
    )


def _is_placeholder(length: int) -> bool:
    return length >= HUGE or any(length in lengths or length + 8 in lengths for lengths in PLACEHOLDERS)


def _format(rate_hz: int, channels: int, encoding: str | None) -> PcmFormat | None:
    if encoding is None or channels < 1:
        return None
    return PcmFormat(rate_hz, channels, ENCODINGS[encoding])


def _wav_format(body: bytes, order: str) -> PcmFormat | None:
    """Return the format that a chunk ``fmt`` states (Microsoft's WAVEFORMATEX); None if it is not plain PCM."""
    if len(body) < 16:
        return None
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack(f"{order}HHIIHH", body[:16])
    if tag == 0xFFFE and len(body) >= 40 and body[26:40] == SUBTYPE_TAIL:
        tag = struct.unpack(f"{order}H", body[24:26])[0]
    if channels == 0 or frame_bytes % channels:
        return None
    end, bits = ("be" if order == ">" else "le"), 8 * (frame_bytes // channels)
    names = {(1, 8): "u8", (6, 8): "alaw", (7, 8): "mulaw"}
    names |= {(1, wide): f"s{wide}{end}" for wide in (16, 24, 32)}
    names |= {(3, wide): f"f{wide}{end}" for wide in (32, 64)}
    return _format(rate_hz, channels, names.get((tag, bits)))


def _aiff_format(body: bytes, is_compressed: bool) -> PcmFormat | None:
    """Return the format that a chunk ``COMM`` states (Apple's AIFF-C of 1991); None if it is not plain PCM."""
    if len(body) < (22 if is_compressed else 18):
        return None
    channels, _, bits, exponent, mantissa = struct.unpack(">hIhHQ", body[:18])
    rate_hz = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63))
    kind = body[18:22] if is_compressed else b"NONE"
    wide = 8 * ((bits + 7) // 8)
    names = {b"fl32": "f32be", b"FL32": "f32be", b"fl64": "f64be", b"FL64": "f64be"}
    names |= {b"ulaw": "mulaw", b"ULAW": "mulaw", b"alaw": "alaw", b"ALAW": "alaw", b"raw ": "u8"}
    names |= {
        b"NONE": f"s{wide}be",
        b"twos": f"s{wide}be",
        b"sowt": f"s{wide}le",
        b"in24": "s24be",
        b"in32": "s32be",
    }
    name = names.get(kind)
    return _format(rate_hz, channels, {"s8be": "s8", "s8le": "s8"}.get(name or "", name))


def _caf_format(body: bytes) -> PcmFormat | None:
    """Return the format that a chunk ``desc`` states (Apple's Core Audio Format); None if it is not plain PCM."""
    if len(body) < 32:
        return None
    rate_hz, kind, flags, packet_bytes, _, channels, bits = struct.unpack(">d4s5I", body[:32])
    if channels == 0 or packet_bytes != channels * bits // 8:
        return None
    end = "le" if flags & 2 else "be"
    names = {b"ulaw": "mulaw", b"alaw": "alaw"}
    if kind == b"lpcm":
        names[kind] = "s8" if bits == 8 else f"{'f' if flags & 1 else 's'}{bits}{end}"
    name = names.get(kind)
    return _format(round(rate_hz), channels, name if name in ENCODINGS else None)
