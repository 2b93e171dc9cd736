"""Test which way the default microphone is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.audio.pulse import NoSoundServerError, PulseInput
from streamer.errors import DeviceError
from streamer.sources.devices.default_microphone import DefaultMicrophone
from streamer.sources.devices.microphone import MicrophoneSource
from streamer.sources.devices.pulse import PulseSource
from tests.sources.fake_audio import FakeAudio


def refused() -> list[PulseInput]:
    raise NoSoundServerError("no sound server answers (pactl: refused)")


def hanging() -> list[PulseInput]:
    raise DeviceError("the sound server did not answer within 3 s")


def test_portaudio_is_heard_where_no_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    source = DefaultMicrophone(PulseSource(None, inputs=refused), MicrophoneSource(audio=FakeAudio()))
    source.open()
    assert (source.rate_hz, source.channels, source.timed_by) == (44_100, 2, "capture")
    assert caplog.text == ""
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent")
    source.open()
    assert "heard through PortAudio, perhaps at another rate: no sound server answers" in caplog.text
    source.close()


def test_a_server_that_hangs_is_no_reason_for_another_way() -> None:
    audio = FakeAudio()
    source = DefaultMicrophone(PulseSource(None, inputs=hanging), MicrophoneSource(audio=audio))
    with pytest.raises(DeviceError, match="did not answer within 3 s"):
        source.open()
    assert not hasattr(audio, "device")
