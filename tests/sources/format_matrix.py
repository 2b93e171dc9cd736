"""Write sound with a click in every container and codec that Debian's programs can write."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

CLICK_S = 0.75
"""Place of the click in the sound."""

LENGTH_S = 1.5
"""Length of the sound."""


@dataclass(frozen=True)
class Format:
    """A way to write a file.

    Attributes
    ----------
    name : str
        Name in `docs/formats.md` and of the test.
    suffix : str
        Suffix of the file.
    command : tuple of str
        The program and its arguments; IN and OUT stand for the files.
    rates_hz : tuple of int
        Rates to write.
    channels : tuple of int
        Numbers of channels to write.
    joins : bool
        Whether files joined end to end are a file again that is to be heard whole.
    pipes : tuple of str
        Arguments that stand in for OUT if the program writes into a pipe; none if it cannot.
    """

    name: str
    suffix: str
    command: tuple[str, ...]
    rates_hz: tuple[int, ...] = (16_000, 44_100)
    channels: tuple[int, ...] = (1, 2)
    joins: bool = False
    pipes: tuple[str, ...] = ()

    @property
    def has_program(self) -> bool:
        """Whether the program that writes it is installed."""
        return shutil.which(self.command[0]) is not None

    def write(self, path: Path, rate_hz: int, channels: int, piped: bool = False) -> bytes:
        """Write the sound into `path` and return the bytes."""
        source = path.with_name(f"click-{rate_hz}-{channels}.wav")
        if not source.exists():
            soundfile.write(source, click(rate_hz, channels), rate_hz)
        out = self.pipes if piped else (str(path),)
        command = [part for word in self.command for part in (out if word == "OUT" else (word,))]
        command = [str(source) if word == "IN" else word for word in command]
        done = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        if piped:
            path.write_bytes(done.stdout)
        return path.read_bytes()


def click(rate_hz: int, channels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return faint noise with a click, shape (frames, channels)."""
    rng = np.random.default_rng(rate_hz)
    x = (0.003 * rng.standard_normal((round(LENGTH_S * rate_hz), channels))).astype(np.float32)
    x[round(CLICK_S * rate_hz)] = 0.9
    return x


def _ffmpeg(
    name: str, suffix: str, *options: str, joins: bool = False, form: str = "", **limits: tuple[int, ...]
) -> Format:
    command = ("ffmpeg", "-y", "-nostdin", "-v", "error", "-i", "IN", *options, "OUT")
    pipes = ("-f", form, "pipe:1") if form else ()
    return Format(f"{name} (ffmpeg)", suffix, command, joins=joins, pipes=pipes, **limits)


def _sox(
    name: str, suffix: str, *options: str, joins: bool = False, form: str = "", **limits: tuple[int, ...]
) -> Format:
    pipes = ("-t", form, "-") if form else ()
    return Format(
        f"{name} (sox)", suffix, ("sox", "-D", "IN", *options, "OUT"), joins=joins, pipes=pipes, **limits
    )


OPUS_RATES_HZ = (16_000, 48_000)
PCM = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_mulaw", "pcm_alaw")

FORMATS = (
    *(_ffmpeg(f"WAV {codec}", "wav", "-c:a", codec, joins=True, form="wav") for codec in PCM),
    _ffmpeg("WAV ADPCM IMA", "wav", "-c:a", "adpcm_ima_wav", joins=True),
    _ffmpeg("WAV ADPCM MS", "wav", "-c:a", "adpcm_ms", joins=True),
    _ffmpeg("RF64", "rf64", "-rf64", "always", "-f", "wav", joins=True),
    _ffmpeg("W64", "w64", joins=True),
    _ffmpeg("AIFF", "aiff", joins=True),
    _ffmpeg("AIFF pcm_f32be", "aiff", "-c:a", "pcm_f32be", joins=True),
    _ffmpeg("AU", "au", joins=True, form="au"),
    _ffmpeg("CAF", "caf", joins=True, form="caf"),
    _ffmpeg("CAF ALAC", "caf", "-c:a", "alac", joins=True),
    _ffmpeg("FLAC", "flac", joins=True, form="flac"),
    _ffmpeg("FLAC in Ogg", "oga", "-c:a", "flac", joins=True, form="ogg"),
    _ffmpeg("Vorbis", "ogg", "-c:a", "libvorbis", joins=True, form="ogg"),
    _ffmpeg("Opus", "opus", "-c:a", "libopus", joins=True, form="opus", rates_hz=OPUS_RATES_HZ),
    _ffmpeg("Speex", "spx", "-c:a", "libspeex", joins=True, rates_hz=(8_000, 16_000)),
    _ffmpeg("MP3", "mp3", "-c:a", "libmp3lame", joins=True, form="mp3"),
    _ffmpeg("MP2", "mp2", joins=True, form="mp2"),
    _ffmpeg("AAC in ADTS", "aac", joins=True, form="adts"),
    _ffmpeg("AAC in M4A", "m4a", joins=True),
    _ffmpeg("AAC in fragmented MP4", "mp4", "-movflags", "frag_keyframe+empty_moov", joins=True, form="mp4"),
    _ffmpeg("AAC in TS", "ts", "-c:a", "aac", joins=True, form="mpegts"),
    _ffmpeg("MP2 in TS", "ts", "-c:a", "mp2", joins=True, form="mpegts"),
    _ffmpeg("AAC in Matroska", "mkv", "-c:a", "aac", joins=True, form="matroska"),
    _ffmpeg("AAC in FLV", "flv", "-c:a", "aac", joins=True, form="flv", rates_hz=(44_100,)),
    _ffmpeg("FLAC in Matroska", "mkv", "-c:a", "flac", joins=True, form="matroska"),
    _ffmpeg("PCM in Matroska", "mkv", "-c:a", "pcm_s16le", joins=True, form="matroska"),
    _ffmpeg("Opus in WebM", "webm", "-c:a", "libopus", joins=True, form="webm", rates_hz=OPUS_RATES_HZ),
    _ffmpeg("Vorbis in WebM", "webm", "-c:a", "libvorbis", joins=True, form="webm"),
    _ffmpeg("PCM in QuickTime", "mov", "-c:a", "pcm_s16le", joins=True),
    _ffmpeg("ALAC in M4A", "m4a", "-c:a", "alac", joins=True),
    _ffmpeg("MP3 in AVI", "avi", "-c:a", "libmp3lame", joins=True, rates_hz=(44_100,)),
    _ffmpeg("AC-3", "ac3", joins=True, form="ac3", rates_hz=(48_000,)),
    _ffmpeg("E-AC-3", "eac3", joins=True, form="eac3", rates_hz=(48_000,)),
    _ffmpeg("WMA", "wma", "-c:a", "wmav2", joins=True, rates_hz=(44_100,)),
    _ffmpeg("WavPack", "wv", joins=True),
    _ffmpeg("TTA", "tta", joins=True),
    _ffmpeg("G.722", "g722", rates_hz=(16_000,), channels=(1,)),
    _sox("WAV", "wav", joins=True, form="wav"),
    _sox("WAV 24 bits", "wav", "-b", "24", joins=True, form="wav"),
    _sox("AIFF", "aiff", joins=True),
    _sox("AIFC", "aifc", joins=True),
    _sox("AU", "au", joins=True, form="au"),
    _sox("W64", "w64", joins=True),
    _sox("CAF", "caf", joins=True),
    _sox("FLAC", "flac", joins=True),
    _sox("Vorbis", "ogg", joins=True),
    _sox("VOC", "voc", "-b", "16", joins=True),
    _sox("SPHERE", "sph", joins=True),
    Format("MP3 CBR (lame)", "mp3", ("lame", "--quiet", "-b", "96", "IN", "OUT"), joins=True, pipes=("-",)),
    Format("MP3 VBR (lame)", "mp3", ("lame", "--quiet", "-V", "4", "IN", "OUT"), joins=True, pipes=("-",)),
    Format("MP3 without a tag (lame)", "mp3", ("lame", "--quiet", "-t", "IN", "OUT"), joins=True),
    Format(
        "MP3 with ID3 (lame)",
        "mp3",
        ("lame", "--quiet", "--tt", "A", "--id3v2-only", "IN", "OUT"),
        joins=True,
    ),
    Format(
        "Opus (opusenc)", "opus", ("opusenc", "--quiet", "IN", "OUT"), OPUS_RATES_HZ, joins=True, pipes=("-",)
    ),
    Format("Vorbis (oggenc)", "ogg", ("oggenc", "-Q", "IN", "-o", "OUT"), joins=True, pipes=("-",)),
    Format("FLAC (flac)", "flac", ("flac", "-s", "-f", "IN", "-o", "OUT"), joins=True),
    Format("FLAC in Ogg (flac)", "oga", ("flac", "-s", "-f", "--ogg", "IN", "-o", "OUT"), joins=True),
)
"""All formats. What Debian's programs refuse to write is left out."""
