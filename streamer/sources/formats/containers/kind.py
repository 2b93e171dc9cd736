"""Recognise containers of plain PCM by their first bytes."""

from __future__ import annotations

MAGIC_BYTES = 12
"""Number of bytes that tell a container."""

W64_MAGIC = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
"""Name of the outer chunk of a W64."""


def container_kind(magic: bytes) -> str | None:
    """Return the kind of container that begins with `magic`; None if it is none that may hold plain PCM.

    Parameters
    ----------
    magic : bytes
        First `MAGIC_BYTES` bytes of a file, or more.

    Returns
    -------
    str or None
        ``wav`` (which RF64 is too), ``w64``, ``aiff``, ``au`` or ``caf``.
    """
    if magic[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and magic[8:12] == b"WAVE":
        return "wav"
    if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if magic[:12] == W64_MAGIC[:12]:
        return "w64"
    if magic[:4] in (b".snd", b"dns."):
        return "au"
    if magic[:4] == b"caff":
        return "caf"
    return None
