"""Figures of separations against known ones."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from tests.toy_separation import write_toy_separation
from train.data.decode import RATE_HZ
from train.data.sets.songs.stem_folders import own_songs
from train.tasks.separation.figures import (
    SongFigures,
    SteppedSongSeparator,
    VoiceScores,
    figures,
    figures_by_source,
    measure_songs,
)

KEYS = [
    f"{stem}/{key}"
    for stem in ("voice", "music")
    for key in ("nsdr", "sdr", "sir", "sar", "si_sdr", "si_sdr of mixture")
]
BINS = np.array([[3, 1], [2, 4]])


def test_half_of_the_mixture_is_3_db_nearer_to_either_stem(tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("short", 1), ("long", 2)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for stem in ("vocals", "accompaniment"):
            noise = np.diff(rng.uniform(-0.2, 0.2, seconds * RATE_HZ + 1))  # no frame has an offset
            soundfile.write(tmp_path / "mine" / name / f"{stem}.wav", noise, RATE_HZ)
    found = figures(
        measure_songs(
            own_songs(tmp_path / "mine"), SteppedSongSeparator(write_toy_separation(tmp_path / "toy", 0.5))
        )
    )
    assert found["clips"] == 2
    assert found["seconds"] == 3.0
    # BSS Eval v4 hears level: v - (v + m) / 2 has half the energy of m.
    assert found["voice"]["GNSDR"] == pytest.approx(3.0, abs=0.1)
    assert found["voice"]["SI-SDR"] == pytest.approx(found["voice"]["SI-SDR of the mixture"], abs=0.01)


def test_long_clips_weigh_more():
    voice = VoiceScores(np.array([0.9, 0.9, 0.1, 0.6]), np.array([True, False, True, True]))
    clips = [
        SongFigures(name, name, "mine", seconds, dict.fromkeys(KEYS, decibels), voice, BINS)
        for name, seconds, decibels in (("a", 1, 4.0), ("b", 3, 8.0))
    ]
    found = figures(clips)
    assert found["voice"]["GNSDR"] == found["music"]["GSIR"] == 7.0
    for stem in ("precision", "recall"):
        assert found["voice activity"][stem] == pytest.approx(2 / 3, abs=1e-4)
    assert figures(clips, on=0.95)["voice activity"]["recall"] == 0.0
    # Bins are counted over all clips; of five that the voice is given in each, three are its own.
    assert (found["voice"]["bin precision"], found["voice"]["bin recall"]) == (0.6, 0.75)
    assert (found["music"]["bin precision"], found["music"]["bin recall"]) == (0.8, 0.6667)


def test_sets_are_measured_by_themselves():
    voice = VoiceScores(np.array([0.9]), np.array([True]))
    clips = [
        SongFigures("a", "b", source, 1.0, dict.fromkeys(KEYS, decibels), voice, BINS)
        for source, decibels in (("mir1k", 4.0), ("musdb18", 8.0), ("mir1k", 5.0))
    ]
    found = figures_by_source(clips)
    assert {source: one["voice"]["GNSDR"] for source, one in found.items()} == {"mir1k": 4.5, "musdb18": 8.0}
    assert figures_by_source(clips, on=0.95)["mir1k"]["voice activity"]["recall"] == 0.0


def test_clips_without_a_figure_count_in_no_mean_of_it():
    voice = VoiceScores(np.array([0.9]), np.array([True]))
    clips = [
        SongFigures(
            name,
            name,
            "mine",
            1.0,
            dict.fromkeys(KEYS, 5.0) | {"voice/sdr": sdr, "voice/sir": np.nan},
            voice,
            BINS,
        )
        for name, sdr in (("a", 3.0), ("silent", np.nan))
    ]
    found = figures(clips)["voice"]
    assert (found["GSDR"], found["GSIR"], found["GSAR"]) == (3.0, None, 5.0)
