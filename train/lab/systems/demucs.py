"""Separate by Demucs (Defossez 2021; Rouard et al. 2023), where the user has installed it: by its command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr

from streamer.arrays import Array
from streamer.errors import StreamError
from streamer.separation.separator import Stems
from train.errors import AbsentError
from train.teachers.voice_share import voice_share

MODEL = "htdemucs"
"""Name of the weights, which Demucs itself downloads when they are asked for first."""
VOICE, MUSIC = "vocals", "no_vocals"
"""Names of the files that Demucs writes of its two stems."""


def demucs_command() -> tuple[str, ...]:
    """Return the words by which Demucs is called: its command, or its package in this Python.

    Raises
    ------
    AbsentError
        If there is neither.
    """
    if command := shutil.which("demucs"):
        return (command,)
    if find_spec("demucs"):
        return sys.executable, "-m", "demucs"
    raise AbsentError(
        "there is no command demucs, and no package of that name; expected one of them: pip install demucs, in an "
        "environment whose bin is on the PATH"
    )


@dataclass(frozen=True)
class DemucsSongSeparator:
    """Separates songs by a call of Demucs for each; see `train.tasks.separation.figures.SongSeparator`.

    Attributes
    ----------
    command : tuple of str
        Words that call it, from `demucs_command`.
    """

    command: tuple[str, ...]

    def __call__(self, mixture: Array, rate_hz: int) -> tuple[Stems, int]:
        """Separate a mixture of shape (samples, channels).

        Returns
        -------
        stems : Stems
            Voice and music, a batch of one; `voiced` is the share of the voice in the power of both stems.
        hop_samples : int
            Samples of a hop, for each of which there is such a share.

        Raises
        ------
        StreamError
            If Demucs fails, or does not write both stems.
        """
        with TemporaryDirectory() as folder:
            song = Path(folder) / "song.wav"
            soundfile.write(song, mixture, rate_hz, subtype="FLOAT")
            self._run(song)
            stems = [song.parent / MODEL / song.stem / f"{name}.wav" for name in (VOICE, MUSIC)]
            voice, music = (_read(path, mixture.shape, rate_hz) for path in stems)
        share, hop_samples = voice_share(voice, music, rate_hz)
        return Stems(voice[None], music[None], share[None]), hop_samples

    def _run(self, song: Path) -> None:
        options = ("--two-stems", VOICE, "--name", MODEL, "--device", "cpu", "--float32")
        done = subprocess.run(
            [*self.command, *options, "--out", str(song.parent), str(song)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise StreamError(
                f"{' '.join(self.command)} failed with {done.returncode} ({reason}); expected two stems of a song: "
                "try it on a file of your own"
            )


def _read(path: Path, shape: tuple[int, ...], rate_hz: int) -> Array:
    """Return a stem that Demucs wrote, in the shape (samples, channels) and at the rate of its song."""
    if not path.is_file():
        raise StreamError(
            f"demucs wrote no {path.parent.parent.name}/{path.parent.name}/{path.name}; expected the stems of "
            f"--two-stems {VOICE}: install demucs 4"
        )
    sound, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    samples, channels = shape
    found = soxr.resample(sound, own_hz, rate_hz)[:samples]
    found = np.pad(found, ((0, samples - len(found)), (0, 0)))
    given: Array = (
        found if channels == found.shape[1] else found.mean(axis=1, keepdims=True).repeat(channels, 1)
    )
    return given
