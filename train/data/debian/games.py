"""Table of the Debian packages whose music is kept for measuring: no model learns from these games."""

from __future__ import annotations

from train.data.debian.packages import Label, Package

OTHER = Label("*", "sound", "unlabelled")
"""Everything else in a package: effects, jingles and voices, which nobody has told apart."""


def _game(name: str, fold: int, megabytes: int, *patterns: str, small: bool = False) -> Package:
    """Return a game whose files are music where their path matches one of `patterns`."""
    music = tuple(Label(pattern, "music", "music") for pattern in patterns)
    return Package(name, fold, megabytes, (*music, OTHER), small)


GAMES = (
    _game("torus-trooper-data", 1, 5, "*/sounds/musics/*", small=True),
    _game("starfighter-data", 1, 45, "*/starfighter/music/*"),
    _game("frozen-bubble-data", 2, 21, "*/snd/*zik*"),
    _game("xmoto-data", 2, 31, "*/Textures/Musics/*"),
    _game("scorched3d-data", 2, 31, "*/data/music/*"),
    _game("hyperrogue-music", 3, 63, "*/music/*"),
    _game("noiz2sa-data", 3, 8, "*/sounds/stg*", small=True),
    _game("tuxmath-data", 3, 8, "*/sounds/0*", "*/sounds/tuxi.ogg", small=True),
    _game("extremetuxracer-data", 4, 40, "*/etr/music/*"),
    _game("tumiki-fighters-data", 4, 4, "*_*.ogg", small=True),
    _game("fretsonfire-songs-muldjord", 4, 29, "*/song.ogg"),
    _game("zaz-data", 5, 19, "*/zaz/mus[0-9]*"),
    _game("ardentryst", 5, 24, "*/ardentryst/Music/*"),
    _game("glob2-data", 5, 9, "*/data/zik/*", small=True),
)
