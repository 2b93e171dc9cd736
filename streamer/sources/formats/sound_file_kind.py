"""Recognise sound files by their first bytes."""

from __future__ import annotations

from collections.abc import Callable

from streamer.sources.formats.containers.kind import container_kind
from streamer.sources.formats.libsndfile_kind import libsndfile_kind

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
    b"Creative Voice File": "VOC",
    b"NIST_1A\n": "SPHERE",
    b"\x00\x00\x01\xba": "MPEG",
    b"\x7f\xfe\x80\x01": "DTS",
    b"\xb7\xd8\x00 7I\xda\x11": "WTV",
    b"\x00\x00\x00\x00\x01\xbc": "GXF",
    **{bytes((0x64, 0xA3, machine, 0)): "IRCAM" for machine in range(1, 5)},
    **{bytes((0, machine, 0xA3, 0x64)): "IRCAM" for machine in range(1, 5)},
    b".SoX": "SoX",
    b"XoS.": "SoX",
    b"\x06\x0e+4\x02\x05\x01\x01\r\x01\x02": "MXF",
    b"\x72\xf8\x1f\x4e": "S/PDIF",
    b"nut/multimedia container": "NUT",
    b".RMF": "RealMedia",
    b"MMMD": "SMAF",
    b"PVF1\n": "PVF",
    b"2BIT": "AVR",
    b"SOUND SAMPLE DATA ": "SMP",
}
"""Kinds of files by their first bytes."""

FFMPEG_FORMATS = {"MP3 or MP2": "mp3", "AAC": "aac"}
"""ffmpeg's names of kinds that have no container, and that it recognises late if they begin within a frame."""

OUTER = {
    (b"RIFF", b"AVI "): "AVI",
    (b"FORM", b"MAUD"): "MAUD",
}
"""Kinds of files in chunks, by the outer chunk and its form."""

MPEG_RATES_HZ = ((11_025, 12_000, 8_000), (0, 0, 0), (22_050, 24_000, 16_000), (44_100, 48_000, 32_000))
"""Sample rates by version and index (ISO 11172-3 and 13818-3); version 2.5 comes first."""

MPEG_HEADER_BYTES = 7
"""Number of first bytes of a frame that tell its length, of AAC in ADTS; of layer II and III, four do."""

RATE_BITS = 0x0C
"""Bits of the third byte of a frame that are alike in all frames of MPEG audio and of ADTS: those of the rate."""

LONGEST_FRAME_BYTES = 1_441
"""Longest frame of layer III, and so the longest rest of one in which a stream may begin."""

MPEG_KBITS = {
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates by version and layer, and index (ISO 11172-3, 2.4.2.3, and 13818-3)."""


def sound_file_kind(head: bytes) -> str | None:
    """Return the kind of sound file that begins with `head`; None if it is no sound file, as raw PCM is not.

    Parameters
    ----------
    head : bytes
        First bytes of the input; `HEAD_BYTES` are enough for all kinds, 12 for those that have a mark.
    """
    if container_kind(head):
        return head[:4].decode("latin-1").strip(".").upper()
    if kind := libsndfile_kind(head):
        return kind
    if head[4:8] == b"ftyp":
        return "MP4"
    if (outer := (head[:4], head[8:12])) in OUTER:
        return OUTER[outer]
    if head[4:8] in (b"\xf8\x72\x6f\xba", b"\xf8\x72\x6f\xbb"):
        return "TrueHD"
    if head[:2] == b"\x80\x00" and b"(c)CRI" in head:
        return "ADX"
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning):
            return kind
    if _repeats(head, _mpeg_frame_bytes):
        return "MP3 or MP2"
    if _repeats(head, _adts_frame_bytes):
        return "AAC"
    if head[:2] == b"\x0bw" and 5 < (bsid := head[5:6].ljust(1, b"\0")[0] >> 3) <= 16:
        return "AC-3" if bsid <= 10 else "E-AC-3"
    if b"G" * 4 in (head[0:565:188], head[4:581:192]):
        return "MPEG-TS"
    return _kind_within_a_frame(head)


def may_be_long(head: bytes) -> bool:
    """Return whether `head` may begin a sound file, which more bytes, up to `HEAD_BYTES`, will tell."""
    return head[:1] in (b"\xff", b"G") or head[4:8] == b"ftyp" or container_kind(head) is not None


def _repeats(head: bytes, frame_bytes: Callable[[bytes], int], begin: int = 0) -> bool:
    """Return whether frames of one kind follow one another to the end, three or more, as raw PCM does not by chance."""
    at, frames = begin, 0
    while at + MPEG_HEADER_BYTES <= len(head):
        length = frame_bytes(head[at : at + MPEG_HEADER_BYTES])
        is_alike = head[at + 1] == head[begin + 1] and (head[at + 2] ^ head[begin + 2]) & RATE_BITS == 0
        if length == 0 or not is_alike:
            return False
        at += length
        frames += 1
    return frames >= 3


def follow_one_another(head: bytes, begin: int, count: int) -> bool:
    """Return whether `count` frames of layer II or III follow one another from `begin` on; the last may be cut."""
    at = begin
    for _ in range(count):
        header = head[at : at + MPEG_HEADER_BYTES]
        length = _mpeg_frame_bytes(header)
        if length == 0 or header[1] != head[begin + 1] or (header[2] ^ head[begin + 2]) & RATE_BITS:
            return False
        at += length
    return True


def _kind_within_a_frame(head: bytes) -> str | None:
    """Return the kind of MPEG sound that begins within a frame, as what was cut out of a radio stream does."""
    at = head.find(b"\xff")
    while 0 <= at <= LONGEST_FRAME_BYTES:
        if _repeats(head, _mpeg_frame_bytes, at):
            return "MP3 or MP2"
        if _repeats(head, _adts_frame_bytes, at):
            return "AAC"
        at = head.find(b"\xff", at + 1)
    return None


def _mpeg_frame_bytes(header: bytes) -> int:
    """Return the length of the frame of layer II or III that begins with `header`; 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, bits = header[2] >> 2 & 3, header[2] >> 4
    if layer not in (2, 3) or version == 1 or rate == 3 or bits in (0, 15):
        return 0
    kbits = MPEG_KBITS[1 if version == 3 else 2, layer][bits]
    factor = 72_000 if layer == 3 and version != 3 else 144_000
    return factor * kbits // MPEG_RATES_HZ[version][rate] + (header[2] >> 1 & 1)


def _adts_frame_bytes(header: bytes) -> int:
    """Return the length of the ADTS frame that begins with `header`; 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0
