"""Test that PortAudio lists devices anew only while nothing is open, and that a device that hangs holds nobody up."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from streamer.audio.portaudio import close_stream, list_anew, open_stream
from streamer.errors import DeviceError


class PortAudioError(Exception):
    """A stand-in for an error of sounddevice."""


class Stream:
    """A stand-in for a stream of sounddevice."""

    def __init__(self, starts: bool = True) -> None:
        self.closed = False
        self.starts = starts

    def start(self) -> None:
        if not self.starts:
            raise PortAudioError("Device unavailable", -9985)

    def close(self, ignore_errors: bool) -> None:
        assert ignore_errors
        self.closed = True


class Library(SimpleNamespace):
    """A stand-in for sounddevice."""

    PortAudioError = PortAudioError
    _StreamBase = Stream

    def __init__(self) -> None:
        super().__init__(_initialized=1, calls=[], fails=False)

    def _terminate(self) -> None:
        self._initialized -= 1
        self.calls.append("terminate")

    def _initialize(self) -> None:
        if self.fails:
            raise PortAudioError("Internal PortAudio error", -9986)
        self._initialized += 1
        self.calls.append("initialize")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr("streamer.audio.portaudio.portaudio", lambda: library)
    return library


def test_devices_are_listed_anew_while_no_stream_is_open(library: Library) -> None:
    stream = open_stream(Stream)
    list_anew()
    assert library.calls == []
    close_stream(stream, lambda _: None)
    assert stream.closed
    list_anew()
    assert library.calls == ["terminate", "initialize"]


def test_a_sound_system_that_is_gone_is_tried_again(library: Library) -> None:
    library.fails = True
    for _ in range(2):
        with pytest.raises(
            DeviceError, match=r"PortAudio could not be initialised \(.*check the sound system"
        ):
            list_anew()
    library.fails = False
    list_anew()
    assert library.calls == ["terminate", "initialize"]


def test_a_stream_that_does_not_start_is_closed(library: Library) -> None:
    made: list[Stream] = []

    def make() -> Stream:
        made.append(Stream(starts=False))
        return made[0]

    with pytest.raises(PortAudioError):
        open_stream(make)
    assert made[0].closed


def test_a_device_that_hangs_while_it_closes_is_left_to_itself(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streamer.audio.portaudio.CLOSE_S", 0.05)
    at_exit: list[str] = []
    monkeypatch.setattr("streamer.audio.portaudio.give_up_at_exit", lambda: at_exit.append("given up"))
    released, ended = threading.Event(), threading.Event()
    stream = open_stream(Stream)

    def stop(_: Stream) -> None:
        released.wait()
        ended.set()

    close_stream(stream, stop)
    assert "a device did not close within 0.05 s; it is left to itself" in caplog.text
    assert at_exit == ["given up"]
    assert not stream.closed
    released.set()
    assert ended.wait(60.0)
