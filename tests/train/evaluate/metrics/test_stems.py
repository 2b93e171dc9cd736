"""Figures of estimated stems against the true ones."""

from __future__ import annotations

import numpy as np
import pytest

from train.data.decode import RATE_HZ
from train.evaluate.metrics.stems import bss_eval, count_bins, precision_and_recall, si_sdr_db


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


def test_si_sdr_is_that_of_its_paper():
    rng = np.random.default_rng(0)
    true, noise = rng.standard_normal((2, 8_000))
    assert si_sdr_db(3 * (true + 0.1 * noise), true) == pytest.approx(20.0, abs=0.3)


def test_bins_belong_to_the_louder_stem():
    t = np.arange(RATE_HZ) / RATE_HZ
    low, high, faint = (np.sin(2 * np.pi * hz * t) for hz in (500, 2_000, 5_000))
    true = np.stack([low + 1e-3 * faint, 0.5 * high])[..., None]
    right = count_bins(true, true, RATE_HZ)
    assert right[0, 0] > right[1, 1] > 100  # what is 60 dB below the loudest belongs to nobody
    assert right[0, 1] == right[1, 0] == 0
    assert right.sum() == right[0, 0] + right[1, 1] < 1_000
    assert precision_and_recall(right) == [(1.0, 1.0), (1.0, 1.0)]
    wrong = count_bins(true, true[::-1], RATE_HZ)
    np.testing.assert_array_equal(wrong, right[:, ::-1])


def test_precision_and_recall_of_stems_are_shares_of_their_columns_and_rows():
    found = precision_and_recall(np.array([[3, 1], [2, 4]]))
    assert found == [(0.6, 0.75), (0.8, 0.6667)]
    assert precision_and_recall(np.array([[0, 0], [0, 4]])) == [(None, None), (1.0, 1.0)]
