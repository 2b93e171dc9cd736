"""Lossy coding of sound in memory: by the codecs of libsndfile, and by that of the telephone."""

from __future__ import annotations

import io
from typing import Literal, TypeAlias

import numpy as np
import soundfile
import torch

from models import torchaudio_cpu
from streamer.arrays import Array
from train.augment.speed import fit_length
from train.data.decode import RATE_HZ

Codec: TypeAlias = Literal["vorbis", "opus", "mp3"]
CODECS: dict[Codec, tuple[str, str]] = {
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
MP3_HARDEST = 0.99
"""Highest compression level for MP3, since libsndfile refuses 1."""
PIECE = 1 << 15
"""Number of samples in a write, since libsndfile's Vorbis encoder overflows its stack on long writes."""


def transcode(x: Array, codec: Codec, hardness: float, rate_hz: int = RATE_HZ) -> Array:
    """Return a sound as it is after encoding and decoding by a lossy codec.

    Parameters
    ----------
    x : float32 array, shape (samples,)
        Sound; full scale is -1 to 1.
    codec : {"vorbis", "opus", "mp3"}
        Codec to encode and decode by.
    hardness : float
        Compression level of libsndfile, from 0 (best quality) to 1 (fewest bits).
    rate_hz : int
        Sample rate. Opus takes 8, 12, 16, 24 and 48 kHz; MP3 its standard rates.

    Returns
    -------
    float32 array, shape (samples,)
        Sound aligned with `x`, since the decoders remove the encoders' delay.

    Raises
    ------
    ValueError
        If libsndfile has no such codec at this rate.
    """
    container, subtype = CODECS[codec]
    level = min(hardness, MP3_HARDEST) if codec == "mp3" else hardness
    coded = io.BytesIO()
    try:
        with soundfile.SoundFile(
            coded, "w", rate_hz, 1, subtype, format=container, compression_level=level
        ) as out:
            for first in range(0, len(x), PIECE):
                out.write(x[first : first + PIECE])
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{codec} at {rate_hz} Hz cannot be written: {error}") from error
    coded.seek(0)
    decoded, _ = soundfile.read(coded, dtype="float32")
    return fit_length(decoded, len(x))


def mu_law(x: Array) -> Array:
    """Return a sound quantised to 8 bits per sample on a logarithmic scale, like a telephone (formula of G.711)."""
    functional = torchaudio_cpu.load().functional
    coded = functional.mu_law_encoding(torch.from_numpy(np.clip(x, -1.0, 1.0)), 256)
    decoded: Array = functional.mu_law_decoding(coded, 256).numpy()
    return decoded
