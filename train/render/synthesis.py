"""Synthesise scores by FluidSynth or WildMIDI, in child processes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ConfigError
from train.data.decode import ClipError, read_mono
from train.render.score import Score, write_midi

SYNTHESIS_HZ = 48_000
"""Rate of the synthesis. Resampling to 16 kHz afterwards avoids the aliasing of synthesis at a low rate."""
TIMEOUT_S = 300.0
"""Longest that a piece of half a minute may take, on a busy machine."""
SILENT = 1e-3
"""Peak below which a rendering counts as silent."""
PATCHES = ".cfg"
"""Suffix of a configuration of GUS patches; everything else is a soundfont."""


def check_synthesisers(files: list[Path]) -> None:
    """Check that the programs that play the given soundfonts are installed.

    Raises
    ------
    ConfigError
        If one of the programs is missing.
    """
    for tool in sorted({_program(path) for path in files}):
        if shutil.which(tool) is None:
            raise ConfigError(
                f"{tool} is not installed; install it, on Debian by `apt-get install --no-install-recommends {tool}`"
            )


def synthesise(score: Score, soundfont: Path) -> Array:
    """Return a score as sound at 16 kHz and mono, without room or reverberation.

    Parameters
    ----------
    score : Score
        Music to play.
    soundfont : Path
        Soundfont, or configuration of GUS patches.

    Returns
    -------
    float32 array, shape (samples,)

    Raises
    ------
    ClipError
        If the program fails or takes too long, or the sound is silent.
    """
    with tempfile.TemporaryDirectory(prefix="streamer-render-") as folder:
        midi, wav = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        write_midi(score, midi)
        _run(_command(soundfont, midi, wav), wav)
        sound = read_mono(wav)
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < SILENT:
        raise ClipError(f"the rendering by {soundfont.name} is silent")
    return sound


def _program(soundfont: Path) -> str:
    return "wildmidi" if soundfont.suffix == PATCHES else "fluidsynth"


def _command(soundfont: Path, midi: Path, wav: Path) -> list[str]:
    if soundfont.suffix == PATCHES:
        return [
            "wildmidi",
            "-c",
            str(soundfont),
            "-m",
            "60",
            "-r",
            str(SYNTHESIS_HZ),
            "-o",
            str(wav),
            str(midi),
        ]
    quiet = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-g", "0.4"]  # neither reverberation nor chorus
    alone = ["-o", "synth.default-soundfont="]  # else Debian's default plays if a soundfont cannot be read
    # Only the samples that are played are loaded: of large soundfonts this takes a quarter of the time.
    form = ["-o", "synth.dynamic-sample-loading=1", "-r", str(SYNTHESIS_HZ), "-O", "float", "-T", "wav"]
    return ["fluidsynth", *quiet, *alone, *form, "-F", str(wav), str(soundfont), str(midi)]


def _run(command: list[str], wav: Path) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ClipError(f"{command[0]} took more than {TIMEOUT_S:g} s") from None
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    # FluidSynth ends with status 0 even if it cannot read the soundfont, or plays another instrument.
    wrong = [line for line in said if "error:" in line or "substituted" in line]
    if done.returncode or wrong or not wav.is_file():
        reason = (wrong or said or [f"status {done.returncode}"])[0]
        raise ClipError(f"{command[0]} failed: {reason}")
