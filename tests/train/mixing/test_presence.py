"""Labels of music, speech and singing, of recordings and of mixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.data.recordings import Recording
from train.mixing.presence import (
    IGNORE,
    OTHER,
    PRESENT,
    drowned,
    mixed_presence,
    presence_of,
    singing_of_song,
    without_pauses,
)


def recording(source: str, kind, category: str, name: str = "a") -> Recording:
    return Recording(source, name, (Path("a.ogg"),), kind, category, 1)


@pytest.mark.parametrize(
    ("of", "music", "speech", "singing"),
    [
        (recording("speech", "speech", "FA"), OTHER, PRESENT, OTHER),
        (recording("pjs", "singing", "pjs"), IGNORE, OTHER, PRESENT),
        (recording("esc50", "sound", "dog"), OTHER, OTHER, OTHER),
        (recording("ambience", "sound", "cafe"), OTHER, IGNORE, IGNORE),
        (recording("debian", "sound", "voices"), OTHER, IGNORE, IGNORE),
        (recording("gtzan", "music", "rock"), PRESENT, OTHER, IGNORE),
        (recording("gtzan", "music", "hiphop"), PRESENT, IGNORE, IGNORE),
        (recording("instruments", "music", "flute"), PRESENT, OTHER, OTHER),
        (recording("mir1k", "music", "accompaniment"), PRESENT, OTHER, OTHER),
        (recording("mir1k", "music", "song"), PRESENT, OTHER, IGNORE),
        (recording("debian", "music", "music", "warzone2100-music/1.ogg"), PRESENT, OTHER, OTHER),
        (recording("debian", "music", "music", "drascula-music/1.ogg"), PRESENT, OTHER, IGNORE),
    ],
)
def test_what_a_recording_says_of_music_and_voices(of, music, speech, singing):
    assert presence_of(of) == (music, speech, singing)


def test_a_mixture_holds_what_either_holds_and_doubt_remains_where_nothing_is_sure():
    first = np.array([[PRESENT, PRESENT, OTHER, OTHER, IGNORE]], np.int8)
    second = np.array([[OTHER, IGNORE, OTHER, IGNORE, IGNORE]], np.int8)
    assert mixed_presence(first, second).tolist() == [[PRESENT, PRESENT, OTHER, IGNORE, IGNORE]]
    assert drowned(first).tolist() == [[IGNORE, IGNORE, OTHER, OTHER, IGNORE]]


def test_a_pause_of_music_is_neither_music_nor_its_absence():
    sound = np.zeros(32_000, np.float32)
    sound[:8_000] = 0.1 * np.random.default_rng(0).standard_normal(8_000)
    labels = np.array([[PRESENT], [OTHER], [IGNORE]], np.int8).repeat(len(sound), axis=1)
    found = without_pauses(labels, sound)
    assert (found[0, :8_000] == PRESENT).all()
    assert (found[0, 16_000:] == IGNORE).all()
    np.testing.assert_array_equal(found[1:], labels[1:])


def test_singing_in_a_song_follows_the_level_of_its_voice():
    rng = np.random.default_rng(0)
    voice = 0.1 * rng.standard_normal(48_000).astype(np.float32)
    voice[16_000:32_000] *= 0.0003  # 50 dB below the music
    voice[32_000:] *= 0.05  # 26 dB below: who knows
    song = voice + 0.1 * rng.standard_normal(48_000).astype(np.float32)
    found = singing_of_song(voice, song)
    assert (found[:16_000] == PRESENT).all()
    assert (found[16_000:32_000] == OTHER).all()
    assert (found[32_000:] == IGNORE).all()
    assert (singing_of_song(np.zeros(800, np.float32), np.zeros(800, np.float32)) != PRESENT).all()
