"""Windows of recordings are embedded once, every 0.48 s, but for silence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from train.data.recordings import Recording
from train.embedders.windows import WindowEmbeddings


@dataclass(frozen=True)
class Loudness:
    """An embedder that gives mean and maximum of the squares of a window of 1 s at 32 kHz."""

    files: tuple[Path, ...]
    name: str = "loudness"
    rate_hz: int = 32_000
    window_samples: int = 32_000
    least_samples: int = 32_000
    hop_s: float = 0.48
    asked: list[int] = field(default_factory=list)

    def embed(self, windows):
        self.asked.append(len(windows))
        assert self.least_samples <= windows.shape[1] <= 32_000
        return np.stack([(windows**2).mean(1), (windows**2).max(1)], 1)


def clip(folder, name, sound, rate_hz=32_000):
    path = folder / f"{name}.wav"
    soundfile.write(path, sound, rate_hz)
    return Recording("toy", name, (path,), "sound", "any", 1)


@pytest.fixture
def embedder(tmp_path):
    (tmp_path / "weights").write_bytes(b"a")
    return Loudness((tmp_path / "weights",))


def test_a_window_begins_every_048_s_and_silent_ones_are_left_out(tmp_path, embedder):
    t = np.arange(4 * 32_000) / 32_000
    sound = np.sin(2 * np.pi * 440 * t) * np.where(t < 2.0, 0.1, 0.0)
    found = WindowEmbeddings([clip(tmp_path, "a", sound)], tmp_path / "cache", embedder)
    # Windows begin at 0, 0.48, ..., 2.88 s; those from 2 s on hold nothing.
    assert found.embeddings(0).shape == (5, 2)
    assert found.embeddings(0).dtype == np.float32
    np.testing.assert_allclose(found.embeddings(0)[:3, 0], 0.005, rtol=0.01)
    assert found.embeddings(0)[4, 0] == pytest.approx(0.005 * 0.08, rel=0.05)


def test_embeddings_are_computed_once_for_each_embedder_and_its_weights(tmp_path, embedder):
    recordings = [clip(tmp_path, "a", 0.1 * np.ones(32_000 * 20))]
    first = WindowEmbeddings(recordings, tmp_path / "cache", embedder)
    assert embedder.asked == [32, 8]  # forty windows, in batches
    again = WindowEmbeddings(recordings, tmp_path / "cache", embedder)
    assert embedder.asked == [32, 8]
    assert again.digest == first.digest
    (tmp_path / "weights").write_bytes(b"bb")
    other = WindowEmbeddings(recordings, tmp_path / "cache", embedder)
    assert embedder.asked == [32, 8, 32, 8]
    assert other.digest != first.digest


def test_recordings_without_a_whole_window_of_sound_are_skipped(tmp_path, embedder):
    late = np.zeros(2 * 32_000 - 10)
    late[-5:] = 0.5
    recordings = [
        clip(tmp_path, "short", 0.1 * np.ones(16_000)),
        clip(tmp_path, "late", late),
        clip(tmp_path, "good", 0.1 * np.ones(32_000)),
    ]
    found = WindowEmbeddings(recordings, tmp_path / "cache", embedder)
    assert [one.name for one in found.recordings] == ["good"]
    reasons = {skipped.name: skipped.reason for skipped in found.skipped}
    assert "lasts 0.50 s; expected 1 s or more, for an embedding by loudness" in reasons["short"]
    assert "is silent in every whole window" in reasons["late"]


def test_a_recording_shorter_than_a_window_is_embedded_as_a_whole(tmp_path, embedder):
    short = replace(embedder, least_samples=16_000)
    recordings = [
        clip(tmp_path, "short", 0.1 * np.ones(20_000)),
        clip(tmp_path, "two", 0.1 * np.ones(64_000)),
    ]
    found = WindowEmbeddings(recordings, tmp_path / "cache", replace(short, hop_s=1.0))
    assert [found.length(n) for n in range(2)] == [1, 2]
    np.testing.assert_allclose(found.embeddings(0)[0], [0.01, 0.01], rtol=0.01)
