"""Which formats of sound are taken."""

from __future__ import annotations

LOWEST_RATE_HZ = 4_000
"""Below telephone quality there is nothing to recognise; a header that says less is wrong."""

HIGHEST_RATE_HZ = 384_000
"""The highest rate that audio interfaces are sold with."""


def format_fault(rate_hz: int, channels: int) -> str | None:
    """What is wrong with a format of sound.

    Parameters
    ----------
    rate_hz, channels : int
        As a header, a device or an option says.

    Returns
    -------
    str or None
        The rest of a sentence whose subject has the format ("has ..."), with what was expected; None for a
        format that is taken.
    """
    if channels < 1:
        return f"has {channels} channels; expected at least 1"
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        return (
            f"has a sample rate of {rate_hz} Hz; expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz: "
            "correct the rate or convert the sound, as in `ffmpeg -i IN -ar 16000 OUT.wav`"
        )
    return None
