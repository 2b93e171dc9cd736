"""Return the source that reads a sound file whose bytes come one after the other, from a pipe or a server."""

from __future__ import annotations

from streamer.sources.byte_streams.parts import PartsSource
from streamer.sources.byte_streams.spooled import SpooledSource
from streamer.sources.formats.container import ContainerSource
from streamer.sources.formats.containers.survey import may_hold_pcm
from streamer.sources.formats.libsndfile_kind import libsndfile_kind
from streamer.sources.formats.mpeg_begin import first_frame
from streamer.sources.formats.seeking import needs_seeking
from streamer.sources.formats.sound_file_kind import FFMPEG_FORMATS, sound_file_kind
from streamer.sources.pipes.byte_input import ByteInput
from streamer.sources.source import Source


def kind_of_bytes(head: bytes) -> str | None:
    """Return the kind of a sound file, as `sound_file_kind`, and that of MPEG sound behind other bytes."""
    return sound_file_kind(head) or ("MP3 or MP2" if first_frame(head) is not None else None)


def sound_of_bytes(data: ByteInput, head: bytes) -> Source:
    """Return the source of a sound file, not yet opened.

    Parameters
    ----------
    data : ByteInput
        Gives the file from its first byte on.
    head : bytes
        Its first bytes.
    """
    if libsndfile_kind(head):
        return SpooledSource(data)
    if may_hold_pcm(head):
        return ContainerSource(data)
    if needs_seeking(head):
        return SpooledSource(data)
    return PartsSource(data, FFMPEG_FORMATS.get(kind_of_bytes(head) or "", ""))
