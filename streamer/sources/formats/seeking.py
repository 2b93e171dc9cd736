"""Tell which files ffmpeg cannot decode as they come, because what describes their sound stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streamer.sources.formats.outer_boxes import outer_boxes


def needs_seeking(head: bytes) -> bool:
    """Return whether a file has to be there as a whole before its sound can be decoded.

    Parameters
    ----------
    head : bytes
        First bytes of a file, a few hundred or more: of an MP4 or QuickTime, whose box ``moov`` may stand behind
        ``mdat``, of a CAF that is compressed, whose chunk ``pakt`` may stand behind ``data``, of a MAUD, or of a
        WavPack of more than two channels, of which ffmpeg looks for the number.
    """
    if head[4:8] in (b"ftyp", b"wide", b"mdat", b"free", b"skip"):
        return _comes_first((name for _, name in outer_boxes(head)), b"mdat", b"moov")
    if head[:4] == b"FORM" and head[8:12] == b"MAUD":
        return True
    if head[:4] == b"wvpk":
        # The first block is not the last one of its moment (WavPack 4 & 5 Binary File / Block Format).
        return len(head) > 25 and not head[25] & 0x10
    if head[:4] == b"caff":
        return _comes_first(_caf_chunks(head), b"data", b"pakt")
    return False


def _comes_first(names: Iterable[bytes], sound: bytes, description: bytes) -> bool:
    """Return whether the sound stands before its description, by the names of boxes or chunks in their order."""
    return next((name == sound for name in names if name in (sound, description)), False)


def _caf_chunks(head: bytes) -> Iterator[bytes]:
    """Yield the names of the chunks of a CAF, as far as `head` goes."""
    at = 8
    while at + 12 <= len(head):
        yield head[at : at + 4]
        length = int.from_bytes(head[at + 4 : at + 12], "big", signed=True)
        if length < 0:  # the sound, to the end of the file
            break
        at += 12 + length
