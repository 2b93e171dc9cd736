"""Tell which files cannot be decoded as they come, because what describes their sound stands behind it."""

from __future__ import annotations


def needs_seeking(head: bytes) -> bool:
    """Return whether a file has to be there as a whole before its sound can be decoded.

    Parameters
    ----------
    head : bytes
        First bytes of a file, a few hundred or more: of an MP4 or QuickTime, whose box ``moov`` may stand behind
        ``mdat``, of a CAF that is compressed, whose chunk ``pakt`` may stand behind ``data``, of an 8SVX or MAUD, or of
        a WavPack of more than two channels, of which ffmpeg looks for the number.
    """
    if head[4:8] in (b"ftyp", b"wide", b"mdat", b"free", b"skip"):
        return _comes_first(head, 0, b"mdat", b"moov", is_box=True)
    if head[:4] == b"FORM" and head[8:12] in (b"8SVX", b"MAUD"):
        return True
    if head[:4] == b"wvpk":
        # The first block is not the last one of its moment (WavPack 4 & 5 Binary File / Block Format).
        return len(head) > 25 and not head[25] & 0x10
    if head[:4] == b"caff":
        return _comes_first(head, 8, b"data", b"pakt", is_box=False)
    return False


def _comes_first(head: bytes, begin: int, sound: bytes, description: bytes, is_box: bool) -> bool:
    """Return whether the sound stands before its description, in boxes or in chunks of a CAF."""
    at = begin
    while at + 16 <= len(head):
        if is_box:
            name, length = head[at + 4 : at + 8], int.from_bytes(head[at : at + 4], "big")
            if length == 1:
                length = int.from_bytes(head[at + 8 : at + 16], "big")
        else:
            name, length = head[at : at + 4], 12 + int.from_bytes(head[at + 4 : at + 12], "big", signed=True)
        if name in (sound, description):
            return name == sound
        if length < 8:
            return False
        at += length
    return False
