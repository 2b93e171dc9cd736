"""Speech over music: sentences over accompaniments that nobody sings to, so that a voice is not only one that sings."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from streamer.errors import ConfigError
from train.data.recordings import Recording
from train.data.sets import mir1k, speech
from train.data.songs import Song


def songs(root: Path) -> list[Song]:
    """Every sentence below ``root/speech`` over an accompaniment below ``root/mir1k``, both of one fold.

    Both are of one power, as in MIR-1K. Folds are of speakers, who are the artists, and of MIR-1K's singers.

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
    over = {fold: cycle([song.music for song in sung if song.fold == fold]) for fold in folds}
    return [_over(next(over[sentence.fold]), sentence) for sentence in sentences]


def _over(music: Recording, sentence: Recording) -> Song:
    name = f"{sentence.name} over {music.name}"
    return Song(sentence, music, name, artist=sentence.category, together=False)
