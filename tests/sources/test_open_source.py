"""Test the source and the stream's name for the name of a device."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamer.config import Config, StreamConfig
from streamer.config_sections import EngineConfig, PcmConfig
from streamer.errors import ConfigError
from streamer.sources.devices import microphone
from streamer.sources.devices.default_microphone import DefaultMicrophone
from streamer.sources.devices.pulse import PulseSource
from streamer.sources.file import FileSource
from streamer.sources.network.url import UrlSource
from streamer.sources.open_source import name_for, source_for
from streamer.sources.pcm import PcmSource
from streamer.sources.piped import PipedSource
from streamer.sources.source import LOCAL_WAIT_S, Source
from streamer.sources.timing.paced import Paced


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("-", "stdin"),
        ("mic", "mic"),
        ("pulse:alsa_input.usb-C_Media-00.mono", "alsa_input.usb-C_Media-00.mono"),
        ("USB Audio (hw:1,0)", "USB-Audio-hw-1-0"),
        ("file:/a/what is it?.wav", "what-is-it"),
        ("file:take.1.flac", "take.1"),
        ("file:/a/192.168.1.5.wav", "192.168.1.5"),
        ("rtsp://user:secret@192.168.1.5", "192.168.1.5"),
        ("rtsp://user:secret@192.168.1.5:554/", "192.168.1.5"),
        ("rtsp://user:se@cret@camera.lan:554", "camera.lan"),
        ("https://user:secret@radio.example/live/jazz.mp3?token=1#x", "jazz"),
        ("http://radio.example?token=secret", "radio.example"),
        ("http://[::1]:80/", "1"),
        ("http://", "stream"),
    ],
)
def test_a_name_is_short_and_holds_no_password(device: str, name: str) -> None:
    assert name_for(device) == name
    StreamConfig(device, name)  # is a name that may also be given


def test_what_is_no_url_has_no_name() -> None:
    with pytest.raises(ConfigError, match=r"URL 'http://\*\*\*@\[::1' cannot be read"):
        name_for("http://user:secret@[::1")


def test_each_device_has_its_source() -> None:
    config = Config()
    assert isinstance(source_for(StreamConfig("file:a.wav"), config, realtime=False), FileSource)
    assert isinstance(source_for(StreamConfig("file:a.wav"), config, realtime=True), Paced)
    assert isinstance(source_for(StreamConfig("http://host/a"), config, realtime=False), UrlSource)
    assert isinstance(source_for(StreamConfig("http://host/a"), config, realtime=True), Paced)


def test_standard_input_is_descriptor_0_whatever_python_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    config = Config(pcm=PcmConfig(rate_hz=8_000, channels=3))
    source = source_for(StreamConfig("-"), config, realtime=True)
    assert isinstance(source, PipedSource)
    raw = source._inner
    assert isinstance(raw, PcmSource)
    assert (raw._descriptor, raw.rate_hz, raw.channels) == (0, 8_000, 3)


@pytest.mark.parametrize(("rate_hz", "channels", "asked"), [(0, 0, (None, None)), (8_000, 3, (8_000, 3))])
def test_a_microphone_is_asked_for_the_stream_s_format(
    monkeypatch: pytest.MonkeyPatch, rate_hz: int, channels: int, asked: tuple[int | None, int | None]
) -> None:
    made: list[tuple[object, ...]] = []

    def make(
        device: str, *, rate_hz: int | None, channels: int | None, least_channels: int, ring_s: float
    ) -> object:
        made.append((device, rate_hz, channels, least_channels, ring_s))
        return object()

    monkeypatch.setattr(microphone, "MicrophoneSource", make)
    config = Config(engine=EngineConfig(ring_s=3.0))
    source_for(StreamConfig("usb", rate_hz=rate_hz, channels=channels), config, realtime=True)
    assert made == [("usb", *asked, 0, 3.0)]


@pytest.mark.parametrize(
    ("device", "kind", "wanted"),
    [
        ("mic", DefaultMicrophone, None),
        ("default", DefaultMicrophone, None),
        ("pulse", PulseSource, None),
        ("pulse:usb", PulseSource, "usb"),
        ("3", microphone.MicrophoneSource, None),
    ],
)
def test_the_sound_server_hears_what_is_named_so_and_the_default(
    device: str, kind: type[Source], wanted: str | None
) -> None:
    source = source_for(StreamConfig(device, rate_hz=8_000, channels=3), Config(), realtime=True)
    assert type(source) is kind
    assert source.longest_wait_s == LOCAL_WAIT_S
    pulse = source._pulse if isinstance(source, DefaultMicrophone) else source
    if isinstance(pulse, PulseSource):
        assert (pulse._wanted, pulse._asked_rate_hz, pulse._asked_channels) == (wanted, 8_000, 3)


def test_the_home_folder_may_be_named_by_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    source = source_for(StreamConfig("file:~/talk.wav"), Config(), realtime=False)
    assert isinstance(source, FileSource)
    assert source._path == tmp_path / "talk.wav"
    odd = source_for(StreamConfig("file:~nobody-of-this-name/a.wav"), Config(), realtime=False)
    assert isinstance(odd, FileSource)
    assert str(odd._path) == "~nobody-of-this-name/a.wav"
