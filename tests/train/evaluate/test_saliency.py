import numpy as np
import pytest
from scipy.special import expit

from streamer.errors import ConfigError
from train.evaluate.saliency import SaliencyMap, load, occlusion

SILENCE = -7.0


def told(frames):
    """Two labels a step of four frames: the level of the lowest eight bands, and less of it."""
    steps = frames[:, : frames.shape[1] // 4 * 4].reshape(len(frames), -1, 4, frames.shape[2])
    level = steps[:, :, :, :8].mean(axis=(2, 3))
    return expit(np.stack([level, -level], axis=2)).astype(np.float32)


def test_it_points_at_what_spoke_for_a_label_and_against_another():
    frames = np.full((100, 64), SILENCE, np.float32)
    frames[40:60, :8] = 3.0
    for label, sign in ((0, 1), (1, -1)):
        found = sign * occlusion(told, frames, label, SILENCE, 0.01)
        assert found.shape == frames.shape
        assert found.dtype == np.float32
        assert found[45:55, :4].min() > 0.5 * found.max() > 0
        assert np.abs(found[:, 16:]).max() == 0
        assert np.abs(found[:10]).max() == np.abs(found[90:]).max() == 0


@pytest.mark.parametrize(("frames", "bands", "frame_s"), [(7, 64, 0.01), (100, 115, 0.02325), (25, 5, 0.08)])
def test_every_point_of_a_clip_of_any_size_has_a_value(frames, bands, frame_s):
    x = np.random.default_rng(0).normal(-2, 2, (frames, bands)).astype(np.float32)
    found = occlusion(told, x, 0, SILENCE, frame_s)
    assert found.shape == x.shape
    assert np.isfinite(found).all()


def test_silence_leaves_nothing_to_point_at():
    assert not occlusion(told, np.full((50, 64), SILENCE, np.float32), 0, SILENCE, 0.01).any()


def test_a_clip_too_short_for_a_score_is_refused():
    with pytest.raises(ConfigError, match="a clip has 3 frames; expected enough for a score of the model"):
        occlusion(told, np.zeros((3, 64), np.float32), 0, SILENCE, 0.01)


def test_maps_are_kept(tmp_path):
    made = SaliencyMap("toy/1", "dog", "cat", np.ones((4, 3), np.float32), np.eye(4, 3), 0.02)
    made.save(tmp_path / "saliency" / "1.npz")
    read = load(tmp_path / "saliency" / "1.npz")
    assert (read.clip, read.truth, read.predicted, read.frame_s) == ("toy/1", "dog", "cat", 0.02)
    np.testing.assert_array_equal(read.saliency, np.eye(4, 3))


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", clip=np.array("toy/1"))
    with pytest.raises(
        ConfigError, match="lacks frame_s, log_mel, predicted, saliency, truth; expected a saliency map"
    ):
        load(tmp_path / "a.npz")
