"""Losses of separation: known values, what is best, and gradients that are finite where a stem is silent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from train.tasks.separation.losses import interference_loss, snr_loss, spectral_loss


def noise(seed, samples=8_000):
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


VOICE, MUSIC, OTHER = noise(0), noise(1), noise(2)


@pytest.mark.parametrize("error_db", [0.0, -10.0, -20.0])
def test_snr_is_the_level_of_the_error(error_db):
    estimate = VOICE + 10 ** (error_db / 20) * OTHER * VOICE.norm() / OTHER.norm()
    assert snr_loss(estimate, VOICE, VOICE + MUSIC).item() == pytest.approx(
        error_db, abs=0.5
    )  # errors count down to -30 dB


def test_a_faint_voice_however_pure_is_hardly_better_than_none():
    losses = [snr_loss(gain * VOICE, VOICE, VOICE + MUSIC).item() for gain in (0.0, 0.1, 0.5)]
    np.testing.assert_allclose(losses, [0.0, -0.9, -6.0], atol=0.1)


def test_snr_counts_no_error_below_30_db():
    assert snr_loss(VOICE.clone(), VOICE, VOICE + MUSIC).item() == pytest.approx(-30.0, abs=0.1)


def test_of_a_silent_stem_the_less_is_estimated_the_better():
    silent = torch.zeros_like(MUSIC)
    losses = [snr_loss(gain * MUSIC, silent, MUSIC).item() for gain in (1.0, 0.1, 0.0)]
    np.testing.assert_allclose(losses, [0.0, -19.6, -30.0], atol=0.1)


def test_an_inverted_estimate_is_the_worst():
    loss = snr_loss(-VOICE, VOICE, VOICE + MUSIC).item()
    assert loss > snr_loss(MUSIC, VOICE, VOICE + MUSIC).item()


@pytest.mark.parametrize(("leak_db", "louder_db"), [(0.0, 3.01), (-10.0, 0.41), (-20.0, 0.04)])
def test_interference_is_what_the_other_stem_adds(leak_db, louder_db):
    leak = 10 ** (leak_db / 20) * MUSIC * VOICE.norm() / MUSIC.norm()
    for further in (0.0, 1.0):  # what is of neither stem is no interference
        loss = interference_loss(VOICE + leak + further * OTHER, VOICE, MUSIC).item()
        assert loss == pytest.approx(louder_db, abs=0.2)


def test_what_is_pure_is_not_pulled():
    pure = (0.5 * VOICE).requires_grad_()
    mixed = (0.5 * VOICE + 0.5 * MUSIC).requires_grad_()
    for estimate in (pure, mixed):
        interference_loss(estimate, VOICE, MUSIC).sum().backward()
    assert pure.grad.norm() < 0.05 * mixed.grad.norm()


def test_beside_a_silent_stem_there_is_no_interference():
    assert interference_loss(VOICE, VOICE, torch.zeros_like(VOICE)).item() == 0.0
    assert interference_loss(VOICE, torch.zeros_like(VOICE), VOICE).item() == 0.0


def test_spectra_that_are_equal_have_no_distance():
    assert spectral_loss(VOICE.clone(), VOICE, VOICE + MUSIC).item() == pytest.approx(0.0, abs=1e-6)
    near, far = (spectral_loss(VOICE + leak * MUSIC, VOICE, VOICE + MUSIC).item() for leak in (0.1, 1.0))
    assert 0 < near < far


@pytest.mark.parametrize("silent", ["voice", "music", "both"])
def test_gradients_are_finite_where_a_stem_is_silent(silent):
    voice = torch.zeros_like(VOICE) if silent != "music" else VOICE
    music = torch.zeros_like(MUSIC) if silent != "voice" else MUSIC
    estimate = (0.5 * (voice + music)).requires_grad_()
    mixture = voice + music
    loss = (
        snr_loss(estimate, voice, mixture)
        + interference_loss(estimate, voice, music)
        + spectral_loss(estimate, voice, mixture)
    )
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(estimate.grad).all()
