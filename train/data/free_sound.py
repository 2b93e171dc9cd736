"""Sound that comes with free software, sorted by `train.free_sound`: learnt from by every run, tested on by none."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import BESIDE, Kind, Recording, is_sound

LICENCE = "free, each package its own"
KINDS: tuple[Kind, ...] = ("music", "speech", "sound")


IN_ESC50 = frozenset(
    {
        "sound/megaglest-data/units_thunderbird_sounds_ground_attack3.flac",
        "sound/widelands-data/sound_atlanteans_saw_sawing_01.flac",
    }
)
"""Recordings that are in ESC-50 too, as ``python -m train.free_sound_overlap`` found."""


def recordings(root: Path) -> list[Recording]:
    """`everything` but those of `IN_ESC50`.

    Raises
    ------
    ConfigError
        If some kind has none.
    """
    return [recording for recording in everything(root) if recording.name not in IN_ESC50]


def everything(root: Path) -> list[Recording]:
    """All files ``root/free_sound/KIND/PACKAGE/*``; the category is the package.

    Raises
    ------
    ConfigError
        If some kind has none.
    """
    folder = root / "free_sound"
    files = [(kind, path) for kind in KINDS for path in sorted((folder / kind).glob("*/*")) if is_sound(path)]
    found = [
        Recording("free_sound", path.relative_to(folder).as_posix(), (path,), kind, path.parent.name, BESIDE)
        for kind, path in files
    ]
    absent = [kind for kind in KINDS if not any(recording.kind == kind for recording in found)]
    if absent:
        raise ConfigError(
            f"{folder} has no {', '.join(absent)}; fetch some by `python -m train.free_sound`, or do without by "
            "--set free_sound.scenes=0"
        )
    return found
