"""Recognise sound files by their first bytes."""

from __future__ import annotations

from collections.abc import Callable

from streamer.sources.pcm_container import is_container

HEAD_BYTES = 4_096
"""Number of first bytes that suffice to recognise a sound file."""

BEGINNINGS = {
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "ID3, such as an MP3",
    b"\x1aE\xdf\xa3": "Matroska or WebM",
    b"0&\xb2u\x8ef\xcf\x11": "ASF",
    b"wvpk": "WavPack",
    b"TTA1": "TTA",
    b"MAC ": "Monkey's Audio",
    b"#!AMR": "AMR",
    b"FLV\x01": "FLV",
}
"""Kinds of files by their first bytes."""

MPEG_RATES_HZ = ((11_025, 12_000, 8_000), (0, 0, 0), (22_050, 24_000, 16_000), (44_100, 48_000, 32_000))
"""Sample rates by version and index (ISO 11172-3 and 13818-3); version 2.5 comes first."""

MPEG_1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG_2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates of layer III by index."""


def sound_file_kind(head: bytes) -> str | None:
    """Return the kind of sound file that begins with `head`; None if it is no sound file, as raw PCM is not.

    Parameters
    ----------
    head : bytes
        First bytes of the input; `HEAD_BYTES` are enough for all kinds, 12 for those that have a mark.
    """
    if is_container(head):
        return head[:4].decode("latin-1").strip(".").upper()
    if head[4:8] == b"ftyp":
        return "MP4"
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    if _repeats(head, _mp3_frame_bytes):
        return "MP3"
    if _repeats(head, _adts_frame_bytes):
        return "AAC"
    if [head[at : at + 1] for at in (0, 188, 376, 564)] == [b"G"] * 4:
        return "MPEG-TS"
    return None


def may_be_long(head: bytes) -> bool:
    """Return whether more bytes, up to `HEAD_BYTES`, are needed to tell whether `head` begins a sound file."""
    return head[:1] in (b"\xff", b"G") or head[4:8] == b"ftyp"


def _repeats(head: bytes, frame_bytes: Callable[[bytes], int]) -> bool:
    """Return whether three frames follow one another, which no raw PCM does by chance."""
    at = 0
    for _ in range(3):
        length = frame_bytes(head[at : at + 7])
        if length == 0:
            return False
        at += length
    return True


def _mp3_frame_bytes(header: bytes) -> int:
    """Return the length of the frame of layer III that begins with `header`; 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, bits = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if rate == 3 or bits in (0, 15) or MPEG_RATES_HZ[version][rate] == 0:
        return 0
    kbits, factor = (MPEG_1_KBITS[bits], 144_000) if version == 3 else (MPEG_2_KBITS[bits], 72_000)
    return factor * kbits // MPEG_RATES_HZ[version][rate] + (header[2] >> 1 & 1)


def _adts_frame_bytes(header: bytes) -> int:
    """Return the length of the ADTS frame that begins with `header`; 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0
