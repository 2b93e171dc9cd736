"""Test recording the whole sound of a source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import StreamError
from streamer.sources.file import FileSource
from streamer.sources.record import record
from streamer.sources.source import Block
from tests.custom_sounds.toy_background import tone


def test_a_file_is_heard_mono_at_the_rate_asked_for(tmp_path: Path) -> None:
    x = tone(300.0, rate_hz=48_000)
    soundfile.write(tmp_path / "x.wav", np.stack([x, np.zeros_like(x)], axis=1), 48_000, subtype="FLOAT")
    heard = record(FileSource(tmp_path / "x.wav"), 16_000, 30.0)
    assert heard.shape == (32_000,)
    np.testing.assert_allclose(heard[1_000:-1_000], 0.5 * tone(300.0)[1_000:-1_000], atol=2e-3)


def test_no_more_is_heard_than_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(300.0, seconds=3.0), 16_000)
    assert record(FileSource(tmp_path / "x.wav"), 16_000, 1.5).shape == (24_000,)


def test_lost_sound_is_not_learnt_from(tmp_path: Path) -> None:
    class Gap(FileSource):
        def read(self, max_frames: int) -> Block | None:
            block = super().read(max_frames)
            return block and Block(block.start + (7 if block.start else 0), block.samples, None)

    soundfile.write(tmp_path / "x.wav", tone(300.0), 16_000)
    with pytest.raises(StreamError, match=r"sound was lost while recording .*record it again"):
        record(Gap(tmp_path / "x.wav"), 16_000, 30.0)


def test_two_microphones_are_no_recording(tmp_path: Path) -> None:
    class Moved(FileSource):
        def read(self, max_frames: int) -> Block | None:
            block = super().read(max_frames)
            words = "pulse:b is heard from here on instead of pulse:a"
            # A sound server loses sound when it moves a stream: the other microphone is the cause to name.
            return block and (
                Block(block.start + 7, block.samples, None, change=words) if block.start else block
            )

    soundfile.write(tmp_path / "x.wav", tone(300.0), 16_000)
    with pytest.raises(
        StreamError, match=r"pulse:b is heard .*; expected one microphone to the end: record it again"
    ):
        record(Moved(tmp_path / "x.wav"), 16_000, 30.0)
