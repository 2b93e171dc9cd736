"""`streamer.log_mel`: the very frames that models are given."""

from __future__ import annotations

import numpy as np
import pytest

import streamer


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (48_000, 2)])
@pytest.mark.usefixtures("toys")
def test_frames_are_those_that_models_are_given(rate_hz: int, channels: int) -> None:
    samples = np.random.default_rng(5).normal(0, 0.1, (2 * rate_hz, channels)).astype(np.float32)
    config = streamer.Config(publish=streamer.PublishConfig(spectrum=True))
    spectra = [
        e.frames
        for e in streamer.analyze(samples, rate_hz, config=config)
        if isinstance(e, streamer.Spectrum)
    ]
    frames = streamer.log_mel(samples, rate_hz, model="gate")
    assert np.array_equal(frames, np.concatenate(spectra))
    assert frames.dtype == np.float32


def test_each_model_has_its_own_front_end() -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, 16_000)
    assert streamer.log_mel(noise, 16_000).shape == (98, 64)
    assert streamer.log_mel(noise, 16_000, model="gate").shape[1] == 112


def test_a_sound_shorter_than_a_window_has_no_frame() -> None:
    assert streamer.log_mel(np.zeros(10), 16_000).shape == (0, 64)


def test_unknown_models_are_refused() -> None:
    with pytest.raises(streamer.ModelError, match="no model 'nosuch'; expected a folder"):
        streamer.log_mel(np.zeros(16_000), 16_000, model="nosuch")
    with pytest.raises(streamer.ConfigError, match="model is 3; expected a path, as text or"):
        streamer.log_mel(np.zeros(16_000), 16_000, model=3)  # type: ignore[arg-type]
    with pytest.raises(streamer.ModelError, match=r"model separation .*log-mel"):
        streamer.log_mel(np.zeros(16_000), 16_000, model="separation")
