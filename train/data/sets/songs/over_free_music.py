"""Voices of MIR-1K's singers over music that is no karaoke: free music of Debian's packages and rendered music."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Recording
from train.data.sets import debian, mir1k, rendered
from train.data.sets.debian import INSTRUMENTAL_PACKAGES
from train.data.songs import Song

SOURCE = "over_free_music"
ENSEMBLES = frozenset({"ensemble", "full", "orchestra"})
"""Categories of rendered music in which several instruments play."""


def songs(root: Path) -> list[Song]:
    """Return a song for every clip of ``root/mir1k`` whose fold has music without voices: its voice over such music.

    Both have the same power, as in MIR-1K, and are of the same fold. The pieces of a fold, each from its start on, are
    spread evenly over its clips.

    Parameters
    ----------
    root : Path
        Folder of the data sets; for Debian's and the rendered music see the modules of these sets.

    Raises
    ------
    ConfigError
        If there is no such music, or a data set is absent.
    """
    pieces = [
        r for r in debian.recordings(root) if r.kind == "music" and r.name.startswith(INSTRUMENTAL_PACKAGES)
    ]
    pieces += [r for r in rendered.recordings(root) if r.category in ENSEMBLES]
    if not pieces:
        raise ConfigError(
            f"there is no music of {', '.join(INSTRUMENTAL_PACKAGES)}, and no rendered ensemble; expected some: "
            "python -m train fetch debian, and python -m train render"
        )
    sung = mir1k.songs(root)
    found = []
    for fold in sorted({song.fold for song in sung} & {piece.fold for piece in pieces}):
        clips = [song for song in sung if song.fold == fold]
        music = [piece for piece in pieces if piece.fold == fold]
        found += [_song(clip, music[n * len(music) // len(clips)]) for n, clip in enumerate(clips)]
    return found


def _song(clip: Song, music: Recording) -> Song:
    voice = replace(clip.voice, source=SOURCE)
    return Song(voice, music, f"{clip.name} over {music.name}", clip.artist, aligned=False)
