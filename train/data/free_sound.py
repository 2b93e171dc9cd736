"""Sound that comes with free software, sorted by `train.free_sound`: learnt from by every run, tested on by none."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import BESIDE, Kind, Recording, is_sound

LICENCE = "free, each package its own"
IN_ESC50 = frozenset(
    {
        "sound/megaglest-data/units_thunderbird_sounds_ground_attack3.flac",
        "sound/widelands-data/sound_atlanteans_saw_sawing_01.flac",
    }
)
"""Recordings that are in ESC-50 too (1-23222-A-19 and 4-102844-A-49: their waveforms correlate by 0.98 and 0.79)."""
KINDS: tuple[Kind, ...] = ("music", "speech", "sound")


def recordings(root: Path) -> list[Recording]:
    """All files ``root/free_sound/KIND/PACKAGE/*`` but those of `IN_ESC50`; the category is the package.

    Raises
    ------
    ConfigError
        If some kind has none.
    """
    folder = root / "free_sound"
    files = [(kind, path) for kind in KINDS for path in sorted((folder / kind).glob("*/*")) if is_sound(path)]
    named = [(path.relative_to(folder).as_posix(), kind, path) for kind, path in files]
    found = [
        Recording("free_sound", name, (path,), kind, path.parent.name, BESIDE)
        for name, kind, path in named
        if name not in IN_ESC50
    ]
    absent = [kind for kind in KINDS if not any(recording.kind == kind for recording in found)]
    if absent:
        raise ConfigError(
            f"{folder} has no {', '.join(absent)}; fetch some by `python -m train.free_sound`, or do without by "
            "--set free_sound.scenes=0 (the ear), --set free_sound=false (the gate)"
        )
    return found
