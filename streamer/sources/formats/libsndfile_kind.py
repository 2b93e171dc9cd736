"""Recognise the kinds of sound files that libsndfile reads, and that ffmpeg refuses or takes for something else."""

from __future__ import annotations

import re

KINDS = {
    "MATLAB file": rb"MATLAB 5\.0 MAT-file|.{16}(\x0b\0\0\0|\0\0\0\x0b)samplerate\0",  # of version 5 and 4
    "XI": rb"Extended Instrument: ",
    "WVE": rb"ALawSoundFile\*\*",
    "PAF": rb"( paf|fap )",
    "HTK": rb"\0.{3}\0\0[\0-\x09].\0\x02\0\0",  # 16 bits, at 4 kHz or more (HTK Book 3.4, 5.10.1)
    "SDS": rb"\xf0~[\0-\x7f]\x01[\0-\x7f]{2}[\x08-\x1c][\0-\x7f]{13}\xf7\xf0~",  # MIDI 1.0, Sample Dump Standard
    "MPC 2000": rb"\x01\x04[ -~]{16}",
    "8SVX": rb"FORM.{4}(8SVX|16SV)VHDR",
    "AIFC": rb"FORM.{4}AIFC.{0,400}COMM.{22}(DWVW|GSM )",
    "FLAC": rb"fLaC[\0\x80]\0\0\x22.{12}[\0\x10 0@P`p\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0][\0-\x7f](?!\0{4})",  # see below
    "WAV": rb"RIFF.{4}WAVE.{0,400}fmt .{4}\x38\0",  # ADPCM of Natural MicroSystems
}
"""Kinds by their beginnings, as regular expressions.

FLAC is one of them if it has one channel of at most 8 bits, whose silence ffmpeg drops, and states its length, which no
live stream does (STREAMINFO, RFC 9639, 8.2).
"""

_MARKS = {kind: re.compile(mark, re.DOTALL) for kind, mark in KINDS.items()}


def libsndfile_kind(head: bytes) -> str | None:
    """Return the kind of sound file that begins with `head`, if only libsndfile reads it rightly; otherwise None.

    Parameters
    ----------
    head : bytes
        First bytes of a file, a few hundred or more.
    """
    return next((kind for kind, mark in _MARKS.items() if mark.match(head)), None)
