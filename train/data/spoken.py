"""Speech over music: sentences over accompaniments that nobody sings to, so that a voice is not only one that sings."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from train.data import mir1k, speech
from train.data.recordings import FOLDS
from train.data.songs import Song


def songs(root: Path) -> list[Song]:
    """Every sentence below ``root/speech`` over an accompaniment below ``root/mir1k``, both of one fold.

    Folds are of speakers, who are the artists, and of MIR-1K's singers.
    """
    sentences, accompaniments = speech.recordings(root), [song.music for song in mir1k.songs(root)]
    pairs = [
        pair
        for fold in FOLDS
        for pair in zip(
            (sentence for sentence in sentences if sentence.fold == fold),
            cycle([music for music in accompaniments if music.fold == fold]),
            strict=False,
        )
    ]
    return [
        Song(voice, music, name=f"{voice.name} over {music.name}", artist=voice.category, together=False)
        for voice, music in pairs
    ]
