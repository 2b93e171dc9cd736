"""Test that the header of a short RF64 file becomes that of a WAV, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.audio.wav import as_wav


@pytest.mark.parametrize(("subtype", "channels"), [("FLOAT", 2), ("PCM_16", 1), ("PCM_24", 3)])
def test_a_short_rf64_becomes_a_wav(tmp_path: Path, subtype: str, channels: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(
        path, np.linspace(-1, 1, 999 * channels).reshape(-1, channels), 8_000, subtype, format="RF64"
    )
    before = soundfile.read(path)[0]
    as_wav(path)
    assert path.read_bytes()[:4] == b"RIFF"
    assert int.from_bytes(path.read_bytes()[4:8], "little") == path.stat().st_size - 8
    assert soundfile.info(path).format in {"WAV", "WAVEX"}
    np.testing.assert_array_equal(soundfile.read(path)[0], before)


def test_a_wav_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((500, 1)), 8_000)
    before = path.read_bytes()
    as_wav(path)
    assert path.read_bytes() == before
