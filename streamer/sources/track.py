"""Choose a sound track of a file or a stream that has several, such as a film's languages."""

from __future__ import annotations

LANGUAGES = """
ar ara/bg bul/cs ces cze/da dan/de deu ger/el ell gre/en eng/es spa/et est/fi fin/fr fra fre/ga gle/he heb/hi hin/
hr hrv/hu hun/it ita/ja jpn/ko kor/lt lit/lv lav/mt mlt/nl nld dut/no nor nob/pl pol/pt por/ro ron rum/ru rus/
sk slk slo/sl slv/sv swe/tr tur/uk ukr/zh zho chi
"""
"""Codes of one language: of two letters (ISO 639-1), and those of three that films are tagged with (ISO 639-2)."""

FIRST = ("-map", "0:a:0")
"""ffmpeg's options that choose the first sound track."""


def track_options(track: int | str) -> tuple[str, ...]:
    """Return ffmpeg's output options that choose a sound track.

    Parameters
    ----------
    track : int or str
        Its number, from 1, or its language as it is tagged, such as ``deu``; ``de`` finds what is tagged ``deu`` or
        ``ger`` too. Empty chooses the first track.
    """
    text = str(track).lower()
    if not text:
        return FIRST
    if text.isdecimal():
        return "-map", f"0:a:{int(text) - 1}"
    rows = (row.split() for row in LANGUAGES.split("/"))
    codes = next((row for row in rows if text in row), [text])
    # If no `-map` matched, ffmpeg would choose a track itself: so all are taken, and dropped again.
    none = ("-map", "0:a", "-map", "-0:a")
    return (*none, *(option for code in codes for option in ("-map", f"0:a:m:language:{code}?")))
