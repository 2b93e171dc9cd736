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
    bss_eval,
    figures,
    figures_by_source,
    measure_songs,
    si_sdr_db,
)

KEYS = [
    f"{stem}/{key}"
    for stem in ("voice", "music")
    for key in ("nsdr", "sdr", "sir", "sar", "si_sdr", "si_sdr of mixture")
]


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


def test_bss_eval_tells_interference_from_artefacts():
    rng = np.random.default_rng(0)
    true = rng.standard_normal((2, RATE_HZ, 1))
    noise = rng.standard_normal((2, RATE_HZ, 1))
    found = bss_eval(true, true + 0.1 * true[::-1] + 0.3 * noise, "mir1k", RATE_HZ)
    np.testing.assert_allclose(found["sir"], 20.0, atol=1.5)
    np.testing.assert_allclose(found["sar"], 10.5, atol=1.5)


def test_speech_over_music_is_measured_as_mir1k_is():
    true = np.random.default_rng(0).standard_normal((2, 2 * RATE_HZ, 1))
    estimated = true + 0.2 * true[::-1]
    spoken, sung, other = (bss_eval(true, estimated, s, RATE_HZ) for s in ("speech", "mir1k", "musdb18"))
    np.testing.assert_array_equal(spoken["sdr"], sung["sdr"])
    assert np.abs(spoken["sdr"] - other["sdr"]).min() > 0.01


def test_long_clips_weigh_more():
    voice = VoiceScores(np.array([0.9, 0.9, 0.1, 0.6]), np.array([True, False, True, True]))
    clips = [
        SongFigures(name, name, "mine", seconds, dict.fromkeys(KEYS, decibels), voice)
        for name, seconds, decibels in (("a", 1, 4.0), ("b", 3, 8.0))
    ]
    found = figures(clips)
    assert found["voice"]["GNSDR"] == found["music"]["GSIR"] == 7.0
    for stem in ("precision", "recall"):
        assert found["voice activity"][stem] == pytest.approx(2 / 3, abs=1e-4)
    assert figures(clips, on=0.95)["voice activity"]["recall"] == 0.0


def test_sets_are_measured_by_themselves():
    voice = VoiceScores(np.array([0.9]), np.array([True]))
    clips = [
        SongFigures("a", "b", source, 1.0, dict.fromkeys(KEYS, decibels), voice)
        for source, decibels in (("mir1k", 4.0), ("musdb18", 8.0), ("mir1k", 5.0))
    ]
    found = figures_by_source(clips)
    assert {source: one["voice"]["GNSDR"] for source, one in found.items()} == {"mir1k": 4.5, "musdb18": 8.0}
    assert figures_by_source(clips, on=0.95)["mir1k"]["voice activity"]["recall"] == 0.0


def test_clips_without_a_figure_count_in_no_mean_of_it():
    voice = VoiceScores(np.array([0.9]), np.array([True]))
    clips = [
        SongFigures(
            name, name, "mine", 1.0, dict.fromkeys(KEYS, 5.0) | {"voice/sdr": sdr, "voice/sir": np.nan}, voice
        )
        for name, sdr in (("a", 3.0), ("silent", np.nan))
    ]
    found = figures(clips)["voice"]
    assert (found["GSDR"], found["GSIR"], found["GSAR"]) == (3.0, None, 5.0)


def test_si_sdr_is_that_of_its_paper():
    rng = np.random.default_rng(0)
    true, noise = rng.standard_normal((2, 8_000))
    assert si_sdr_db(3 * (true + 0.1 * noise), true) == pytest.approx(20.0, abs=0.3)
