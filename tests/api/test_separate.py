"""`streamer.separate`: two stems that add up to the sound, as the command writes them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

import streamer
from tests.programs import streamer as command

RATE = 32_000


def music(seconds: float = 2.0) -> np.ndarray:
    return soundfile.read(streamer.DEMO_PATH, dtype="float32", start=4 * RATE, frames=round(seconds * RATE))[
        0
    ]


@pytest.mark.parametrize("channels", [0, 1, 2])
def test_stems_have_the_shape_of_the_sound_and_add_up_to_it(channels: int) -> None:
    samples = music()
    samples = np.stack([samples] * channels, axis=1) if channels else samples
    voice, accompaniment, rate_hz = streamer.separate(samples, RATE)
    assert voice.shape == accompaniment.shape == samples.shape
    assert (voice.dtype, rate_hz) == (np.float32, RATE)
    assert np.abs(voice + accompaniment - samples).max() < 1e-6


def test_stems_are_those_that_the_command_writes(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, music(), RATE, subtype="FLOAT")
    assert command("separate", str(path), "--out", str(tmp_path)).returncode == 0
    separated = streamer.separate(path)
    for stem in ("voice", "music"):
        written, rate_hz = soundfile.read(tmp_path / "song" / f"{stem}.wav", dtype="float32", always_2d=True)
        assert np.array_equal(getattr(separated, stem), written)
        assert separated.rate_hz == rate_hz


def test_muted_samples_of_a_file_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = music()
    samples[:12] = np.inf
    soundfile.write(tmp_path / "bad.wav", samples, RATE, subtype="FLOAT")
    with caplog.at_level(logging.WARNING):
        streamer.separate(tmp_path / "bad.wav")
    assert caplog.messages == ["12 samples were no sound (NaN, infinite) and muted"]


def test_a_model_that_does_something_else_is_refused() -> None:
    with pytest.raises(streamer.ModelError, match="no model 'nosuch'"):
        streamer.separate(music(), RATE, model="nosuch")
    with pytest.raises(streamer.ConfigError, match="model is None; expected a path"):
        streamer.separate(music(), RATE, model=None)  # type: ignore[arg-type]
    with pytest.raises(streamer.ModelError, match="model gate decides 'gate'; expected a model whose task"):
        streamer.separate(music(), RATE, model="gate")
