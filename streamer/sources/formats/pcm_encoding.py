"""Name the encodings of raw PCM, and turn their bytes into samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError


@dataclass(frozen=True)
class PcmEncoding:
    """An encoding of samples.

    Attributes
    ----------
    name : str
        ffmpeg's name of the encoding.
    dtype : str
        NumPy's type of a sample; ``V3`` for 24 bits, which NumPy has no type for.
    scale : float
        Factor that makes full scale 1.
    """

    name: str
    dtype: str
    scale: float

    @property
    def sample_bytes(self) -> int:
        """Number of bytes of a sample."""
        return np.dtype(self.dtype).itemsize

    def decoded(self, data: bytes) -> Array:
        """Return the samples that some bytes hold.

        Parameters
        ----------
        data : bytes
            A whole number of samples.

        Returns
        -------
        float32 array, shape (samples,)
            Full scale is -1 to 1.
        """
        if self.name in ("mulaw", "alaw"):
            return np.asarray(_g711(self.name)[np.frombuffer(data, np.uint8)])
        if self.name.startswith("s24"):
            return _of_24_bits(self.name, data)
        if self.name == "u8":
            return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) * np.float32(
                self.scale
            )
        with np.errstate(over="ignore", invalid="ignore"):  # what is no sound is muted and counted later
            samples = np.frombuffer(data, self.dtype).astype(np.float32)
            samples *= np.float32(self.scale)
        return samples


ENCODINGS = {
    encoding.name: encoding
    for encoding in (
        PcmEncoding("s16le", "<i2", 2.0**-15),
        PcmEncoding("s16be", ">i2", 2.0**-15),
        PcmEncoding("s24le", "V3", 2.0**-31),
        PcmEncoding("s24be", "V3", 2.0**-31),
        PcmEncoding("s24le_in_32", "<i4", 2.0**-31),
        PcmEncoding("s24be_in_32", ">i4", 2.0**-31),
        PcmEncoding("s32le", "<i4", 2.0**-31),
        PcmEncoding("s32be", ">i4", 2.0**-31),
        PcmEncoding("f32le", "<f4", 1.0),
        PcmEncoding("f32be", ">f4", 1.0),
        PcmEncoding("f64le", "<f8", 1.0),
        PcmEncoding("f64be", ">f8", 1.0),
        PcmEncoding("u8", "u1", 2.0**-7),
        PcmEncoding("s8", "i1", 2.0**-7),
        PcmEncoding("mulaw", "u1", 1.0),
        PcmEncoding("alaw", "u1", 1.0),
    )
}
"""Encodings by ffmpeg's names; ``s24le_in_32`` is arecord's S24_LE, and ``s24be_in_32`` S24_BE: 24 bits in the low
bytes of 32."""

ALIASES = {
    **{
        f"{kind}{bits}": f"{kind}{bits}le"
        for kind, bits in (("s", 16), ("s", 24), ("s", 32), ("f", 32), ("f", 64))
    },
    **{f"{kind}16": "s16le" for kind in ("signedinteger", "signed", "int")},
    **{f"signedinteger{bits}": f"s{bits}le" for bits in (24, 32)},
    **{f"floatingpoint{bits}": f"f{bits}le" for bits in (32, 64)},
    "signedinteger": "s16le",
    "signedinteger8": "s8",
    "unsignedinteger": "u8",
    "unsignedinteger8": "u8",
    "floatingpoint": "f32le",
    "float": "f32le",
    "floatle": "f32le",
    "floatbe": "f32be",
    "float64le": "f64le",
    "float64be": "f64be",
    "cd": "s16le",
    "dat": "s16le",
    "s243le": "s24le",
    "s243be": "s24be",
    "ulaw": "mulaw",
    "ul": "mulaw",
    "al": "alaw",
}
"""Other names of encodings, of arecord and sox, in small letters without separators."""

ARECORD_24_IN_32 = {"S24_LE": "s24le_in_32", "S24_BE": "s24be_in_32"}
"""arecord's names of 24 bits in 32, which without their separator would be ffmpeg's names of 24 bits in 24."""


def pcm_encoding(name: str) -> PcmEncoding:
    """Return the encoding that ffmpeg, arecord or sox calls `name`.

    Parameters
    ----------
    name : str
        Such as ``s16le``, ``pcm_s16le``, ``S16_LE``, ``signed-integer``, ``mu-law`` or ``FLOAT_LE``.

    Raises
    ------
    ConfigError
        If the name is not known.
    """
    if name in ARECORD_24_IN_32:
        return ENCODINGS[ARECORD_24_IN_32[name]]
    plain = re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("pcm")
    plain = re.sub(r"^(\d+)(?:bit)?(.+)$", r"\2\1", plain)  # "16-bit signed-integer"
    found = ENCODINGS.get(ALIASES.get(plain, plain))
    if found is None:
        known = ", ".join(known for known in ENCODINGS if not known.endswith("_in_32"))
        raise ConfigError(
            f"raw PCM has encoding '{name}'; expected one of {known}, or a name that arecord or sox gives them"
        )
    return found


def _of_24_bits(name: str, data: bytes) -> Array:
    """Return the samples of 24 bits, as those of 32 bits whose lowest are 0."""
    if name.endswith("_in_32"):
        counts = np.frombuffer(data, ENCODINGS[name].dtype).astype("<i4") << 8
    else:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        places = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide[:, 1:] = places if name == "s24le" else places[:, ::-1]
        counts = wide.view("<i4")[:, 0]
    return counts.astype(np.float32) * np.float32(2.0**-31)


@cache
def _g711(law: str) -> Array:
    """Return the 256 samples of a law of ITU-T G.711, scaled as 16-bit numbers are."""
    codes = np.arange(256)
    if law == "mulaw":
        codes = codes ^ 0xFF
        sizes = ((((codes & 0x0F) << 3) + 0x84) << (codes >> 4 & 7)) - 0x84
        sizes = np.where(codes & 0x80, -sizes, sizes)
    else:
        codes = codes ^ 0x55
        chord, mantissa = codes >> 4 & 7, (codes & 0x0F) << 4
        sizes = np.where(chord > 0, (mantissa + 0x108) << np.maximum(chord - 1, 0), mantissa + 8)
        sizes = np.where(codes & 0x80, sizes, -sizes)
    return (sizes * 2.0**-15).astype(np.float32)
