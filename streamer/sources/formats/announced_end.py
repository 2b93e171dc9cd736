"""Tell whether libsndfile would read a compressed file to its very end.

libsndfile reads as far as the first header announces. What goes on behind that end, another file or another link of
an Ogg chain, is lost with it, and a length that the header leaves open makes it fail at the end.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from streamer.sources.formats.announced_frames import announced_frames
from streamer.sources.formats.containers.survey import may_hold_pcm
from streamer.sources.formats.flac_end import frames_held
from streamer.sources.formats.joints import OGG, begins_of, page_end
from streamer.sources.formats.mp3_tag import mp3_frames, mpeg_frame_samples
from streamer.sources.formats.mpeg_begin import (
    FIRST_FRAME_BYTES,
    TAG_HEADER_BYTES,
    first_frame,
    is_unknown,
    tag_bytes,
)
from streamer.sources.formats.sound_file_kind import HEAD_BYTES as KIND_BYTES
from streamer.sources.formats.sound_file_kind import LONGEST_FRAME_BYTES, sound_file_kind

HEAD_BYTES = 1 << 14
"""Number of first bytes of a container in which its format stands."""

NOT_ZERO = re.compile(rb"[^\0]")
"""A byte that does not only fill a block."""

MP3_TAG = re.compile(rb"Xing|Info")
"""Mark of the tag that says how long an MP3 is."""

VORBIS_CHANNELS = 11
"""Offset of the number of channels in the first header of a Vorbis (Vorbis I, 4.2.2)."""

VOC_MARK = b"Creative Voice File\x1a"

VOC_SOUND = (1, 2, 9)
"""Types of blocks of a VOC that hold sound."""


@dataclass(frozen=True)
class Loss:
    """Reason why libsndfile would not read all of a file, or would read it wrongly.

    Attributes
    ----------
    reason : str
        The reason in words: the rest of a sentence whose subject is the file.
    begins : tuple of int
        Byte offsets of the files that were joined end to end, if ffmpeg has to read each of them alone.
    is_joined : bool
        Whether the file consists of several files, so that no header has the length of the whole.
    announced_frames : int
        Number of frames that the file announces and does not hold; 0 if it holds all of them.
    mp3_frames : int
        Number of frames of an MP3 by its tag, behind which there may be padding; 0 if it is unknown.
    end : int or None
        Byte offset behind the last sound; None if it is the end of the file.
    """

    reason: str
    begins: tuple[int, ...] = ()
    is_joined: bool = False
    announced_frames: int = 0
    mp3_frames: int = 0
    end: int | None = None


def loss_of(path: Path) -> Loss | None:
    """Return why libsndfile would not read all of a file; None if it would.

    Parameters
    ----------
    path : Path
        A file that is not empty.

    Returns
    -------
    Loss or None
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = _after_tags_before(content)
        if content[begin : begin + 1] == b"\xff" and content[begin + 1] >= 0xE0:
            return _of_mp3(content, begin)
        if content[begin : begin + 4] == b"fLaC":
            return _of_flac(content, begin)
        if may_hold_pcm(content[:HEAD_BYTES]):
            return None
        if begin and sound_file_kind(content[begin : begin + KIND_BYTES]) not in (None, "MP3 or MP2"):
            begins = tuple(begins_of(content, begin))
            return Loss("stands behind a tag", begins, is_joined=len(begins) > 1)
        head = content[begin : begin + FIRST_FRAME_BYTES]
        if is_unknown(head) and (frame := first_frame(head)) is not None:
            return _of_mp3(content, begin + frame)
        if sound_file_kind(head[:KIND_BYTES]) == "MP3 or MP2":
            return Loss("is MPEG sound that begins within a frame, of a length unknown to libsndfile")
        begins = tuple(begins_of(content))
        if len(begins) > 1:
            return Loss("is several files joined end to end", begins, is_joined=True)
        if content[: len(VOC_MARK)] == VOC_MARK and _has_blocks(content):
            return Loss("is a VOC of several blocks, whose headers libsndfile takes for sound")
        return _of_one(content)


def _has_blocks(content: mmap.mmap) -> bool:
    """Return whether a VOC has further blocks of sound behind the first one."""
    at, count = int.from_bytes(content[20:22], "little"), 0
    while at + 4 <= len(content) and content[at] and count < 2:
        count += content[at] in VOC_SOUND
        at += 4 + int.from_bytes(content[at + 1 : at + 4], "little")
    return count > 1


def _of_flac(content: mmap.mmap, begin: int) -> Loss | None:
    """Tell whether a FLAC is a single one, from the first byte on, that begins with the length that it has."""
    begins = tuple(begins_of(content, begin))
    if len(begins) > 1:
        return Loss("is several files joined end to end", begins, is_joined=True)
    announced = announced_frames(content[begin : begin + 64])
    if begin:
        return Loss("is a FLAC behind a tag of ID3", announced_frames=announced or 0)
    if announced is None:
        return Loss("is a FLAC of a length unknown to libsndfile")
    held = frames_held(content, begin)
    if held not in (None, announced):
        return Loss(
            f"is a FLAC that announces {announced} frames and holds {held}", announced_frames=announced
        )
    return None


def _of_one(content: mmap.mmap) -> Loss | None:
    """Tell whether libsndfile would read a single Ogg whole, and at its own rate."""
    if content[:4] != b"OggS":
        return None
    if OGG.match(content, page_end(content, 0)):
        return Loss("is an Ogg of several streams")
    if b"OpusHead" in content[:64]:  # ffmpeg gives 48 kHz, wherever it comes from
        return Loss("is an Opus, whose rate libsndfile changes")
    vorbis = content.find(b"\x01vorbis", 0, 64)
    if vorbis >= 0 and content[vorbis + VORBIS_CHANNELS] > 2:
        return Loss("is a Vorbis of many channels, which libsndfile leaves in the order of Vorbis")
    if b"\x7fFLAC" in content[:64]:
        return Loss("is a FLAC in Ogg, which libsndfile reads only if its writer was libsndfile")
    return None


def _of_mp3(content: mmap.mmap, begin: int) -> Loss | None:
    """Tell whether an MP3 begins with the length of all of it.

    Without one, libsndfile estimates the length from the first frame and reads no further than that: of a file
    with a variable bit rate, half can be lost.
    """
    beginning = content[begin : begin + 2_048]
    tag = MP3_TAG.search(beginning)
    if tag is None:  # Fraunhofer's tag (VBRI) is unknown to libsndfile, which takes it for sound
        return Loss("is an MP3 of a length unknown to libsndfile", _begins_behind(begin))
    flags, frames, length = struct.unpack(
        ">3I", beginning[tag.start() + 4 : tag.start() + 16].ljust(12, b"\0")
    )
    if flags & 3 != 3:
        return Loss("is an MP3 of a length unknown to libsndfile", _begins_behind(begin))
    end, sound = begin + length, mp3_frames(beginning) or 0
    behind = _after_tags(content, end)
    if len(content) - behind > LONGEST_FRAME_BYTES and not NOT_ZERO.search(content, behind):
        return Loss("is an MP3 with zeros behind it", (begin,), mp3_frames=sound, end=end)
    if len(content) - behind > LONGEST_FRAME_BYTES:
        reason = "is an MP3 that goes on behind the end that it announces"
        return Loss(reason, _begins_behind(begin), is_joined=True, mp3_frames=sound)
    if end > len(content):
        sound = sound or frames * mpeg_frame_samples(content[begin + 1])
        return Loss("is an MP3 that was cut short", _begins_behind(begin), announced_frames=sound)
    return None


def _after_tags(content: mmap.mmap, end: int) -> int:
    """Return where tags of ID3v1, Lyrics3 and APEv2 end that begin at `end`."""
    while True:
        if content[end : end + 3] == b"TAG":
            end += 128
        elif content[end : end + 8] == b"APETAGEX":
            end += 32 + int.from_bytes(content[end + 12 : end + 16], "little")
        elif content[end : end + 11] == b"LYRICSBEGIN" and (found := content.find(b"LYRICS200", end)) > 0:
            end = found + 9
        else:
            return end


def _begins_behind(begin: int) -> tuple[int, ...]:
    """Return where ffmpeg begins if something stands before the sound; nothing if it may begin with the file."""
    return (begin,) if begin else ()


def _after_tags_before(content: mmap.mmap) -> int:
    """Return where the sound begins: after tags of ID3v2, APEv2 and ID3v1."""
    begin = 0
    while tag := tag_bytes(content[begin : begin + TAG_HEADER_BYTES]):
        begin += tag
    return min(begin, len(content) - 2) if begin else 0
