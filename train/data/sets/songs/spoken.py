"""Speech over music: sentences mixed with accompaniments, so that separation learns speaking voices too."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Recording
from train.data.sets import mir1k, speech
from train.data.songs import Song


def songs(root: Path) -> list[Song]:
    """Return a song for every sentence below ``root/speech``, over an accompaniment of ``root/mir1k``.

    Both are of the same fold, and have the same power, as in MIR-1K. The artist is the speaker; speakers and MIR-1K's
    singers are each in one fold.

    Raises
    ------
    ConfigError
        If a fold has sentences but no accompaniment.
    """
    sentences, sung = speech.recordings(root), mir1k.songs(root)
    folds = {sentence.fold for sentence in sentences}
    if without := folds - {song.fold for song in sung}:
        raise ConfigError(
            f"{root / 'mir1k'} has no accompaniment of folds {', '.join(map(str, sorted(without)))}, in which there "
            "are sentences; expected one in each: get all of MIR-1K, or leave spoken out of data"
        )
    accompaniments = {fold: cycle([song.music for song in sung if song.fold == fold]) for fold in folds}
    return [_song(next(accompaniments[sentence.fold]), sentence) for sentence in sentences]


def _song(music: Recording, sentence: Recording) -> Song:
    name = f"{sentence.name} over {music.name}"
    return Song(sentence, music, name, artist=sentence.category, aligned=False)
