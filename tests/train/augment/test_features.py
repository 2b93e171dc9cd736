import numpy as np

from train.augment.features import colour, warp

OFFSET = 0.001


def rng():
    return np.random.default_rng(0)


def frames_of(magnitude):
    return np.log(np.asarray(magnitude, np.float32) + np.float32(OFFSET))


def test_a_warp_of_no_size_changes_nothing():
    x = rng().normal(size=(3, 40, 16)).astype(np.float32)
    np.testing.assert_allclose(warp(rng(), x, 1.0, 0.0), x, atol=1e-6)


def test_a_warp_moves_an_edge_in_time_and_a_tone_in_pitch():
    x = np.zeros((64, 100, 32), np.float32)
    x[:, 40:] = -5.0
    x[:, :, 16] += 9.0
    warped = warp(rng(), x, 2.0, 6.0)
    edges = (warped[:, :, 0] > -2.5).argmin(axis=1)
    tones = warped[:, 5].argmax(axis=1)
    assert edges.min() < 25
    assert edges.max() > 65
    assert 10 <= tones.min() < 13
    assert 19 < tones.max() <= 22


def test_what_lies_past_the_end_is_mirrored_and_not_held():
    x = np.tile(np.arange(10, dtype=np.float32)[None, :, None], (200, 1, 4))
    warped = warp(rng(), x, 2.0, 0.0)
    fast = warped[warped[:, 3, 0] > 5.0]
    assert len(fast)
    assert (fast[:, -1, 0] < 8.0).all()
    assert warped.max() <= 9.0


def test_colour_of_no_size_changes_nothing_and_silence_stays_silent():
    x = frames_of(rng().random((3, 20, 16)))
    np.testing.assert_allclose(colour(rng(), x, 0.0, 0.0, OFFSET), x, atol=1e-5)
    silent = frames_of(np.zeros((3, 20, 16)))
    np.testing.assert_allclose(colour(rng(), silent, 20.0, 1.0, OFFSET), silent, atol=1e-5)


def test_colour_gains_and_loses_no_more_than_asked_and_the_same_in_all_frames():
    x = frames_of(np.ones((50, 6, 16)))
    gain_db = 20 * np.log10(np.exp(colour(rng(), x, 12.0, 0.0, OFFSET)) - OFFSET)
    assert np.abs(gain_db).max() <= 12.01
    assert gain_db.max() > 9
    assert gain_db.min() < -9
    np.testing.assert_allclose(gain_db, gain_db[:, :1].repeat(6, axis=1), atol=1e-3)


def test_narrow_bands_lose_the_highest_bands_and_half_of_them_the_lowest():
    x = frames_of(np.ones((400, 1, 64)))
    gain_db = 20 * np.log10(np.maximum(np.exp(colour(rng(), x, 0.0, 1.0, OFFSET)) - OFFSET, 1e-5))[:, 0]
    assert (gain_db[:, -1] < -8).mean() > 0.9
    assert 0.3 < (gain_db[:, 0] < -8).mean() < 0.6
    assert (np.abs(gain_db[:, 19]) < 6).mean() > 0.9
