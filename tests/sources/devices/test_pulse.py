"""Test the sources of real sound servers, PulseAudio and PipeWire: formats, moves, sources and servers that go away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.pulse import NoSoundServerError, pulse_inputs
from streamer.errors import DeviceError, StreamError
from streamer.sources.devices.default_microphone import DefaultMicrophone
from streamer.sources.devices.microphone import MicrophoneSource
from streamer.sources.devices.pulse import PulseSource
from streamer.sources.source import Block, Source
from tests.conftest import DEADLINE_S
from tests.sound_servers import SoundServer

TONES_HZ = {"hall": 500, "yard": 2_000}


@pytest.fixture
def opened() -> Iterator[Callable[[Source], Source]]:
    """Open sources, and close them at the end of the test."""
    made: list[Source] = []

    def open_one(source: Source) -> Source:
        made.append(source)
        open_at_last(source)  # PipeWire may list a source before it can be heard
        return source

    yield open_one
    for source in made:
        source.close()


def blocks(source: Source) -> Iterator[Block]:
    """The blocks of a source, without end."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        block = source.read(100_000)
        if block is None:
            time.sleep(0.005)
        else:
            yield block
    raise AssertionError("the source gave nothing more")


def error_of(source: Source, again: Callable[[], None] = lambda: None) -> str:
    """The error with which a source fails; what makes it fail is done again now and then."""
    try:
        for number, _ in enumerate(blocks(source), 1):
            if number % 50 == 0:
                again()
    except StreamError as error:
        return str(error)
    raise AssertionError("the source did not fail")


def open_at_last(source: Source) -> None:
    """Open a source that is not there yet, as recovery does."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            source.open()
        except (DeviceError, StreamError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the source was never there")


def test_each_has_its_own_rate_and_channels(server: SoundServer, opened: Callable[[Source], Source]) -> None:
    server.plug_in("attic", 16_000, 1)
    server.plug_in("array", 32_000, 4)
    server.make_default(server.source("attic"))
    for source, form in [
        (PulseSource(None), (16_000, 1)),
        (PulseSource(server.source("attic")), (16_000, 1)),
        (PulseSource("ARRAY"), (32_000, 2)),
        (PulseSource("array", least_channels=3), (32_000, 3)),
        (PulseSource("array", channels=4, rate_hz=8_000), (8_000, 4)),
    ]:
        opened(source)
        assert (source.rate_hz, source.channels) == form
        block = next(blocks(source))
        assert block.samples.shape[1] == form[1]
        assert block.captured_at is not None
        assert -0.1 <= time.monotonic() - block.captured_at < DEADLINE_S


def test_a_source_refuses_what_it_does_not_have(server: SoundServer) -> None:
    name = server.source("first")
    with pytest.raises(DeviceError, match=f"pulse:{name} cannot do 5 channels; expected 1 to 2"):
        PulseSource("first", channels=5).open()
    with pytest.raises(DeviceError, match=f"pulse:{name} cannot do 1000 Hz; ask for its own rate, 48000 Hz"):
        PulseSource("first", rate_hz=1_000).open()
    server.plug_in("first-floor", 48_000, 2)
    with pytest.raises(DeviceError, match=r"pulse:irst may mean pulse:first.*, pulse:first-floor.*give more"):
        PulseSource("irst").open()


def test_two_sources_are_heard_at_once(
    server: SoundServer, opened: Callable[[Source], Source], tmp_path: Path
) -> None:
    sources = {}
    for name, hz in TONES_HZ.items():
        monitor = server.add_sink(name, 48_000)
        np.sin(2 * np.pi * hz * np.arange(48_000 * 60) / 48_000).astype("<f4").tofile(tmp_path / name)
        sources[name] = opened(PulseSource(monitor))
    with server.playing("hall", tmp_path / "hall", 48_000), server.playing("yard", tmp_path / "yard", 48_000):
        for name, source in sources.items():
            sound = np.zeros(0)
            for block in blocks(source):
                sound = np.trim_zeros(np.concatenate([sound, block.samples[:, 0]]), "f")
                if len(sound) >= 24_000:
                    break
            spectrum = np.abs(np.fft.rfft(sound[:24_000] * np.hanning(24_000)))
            assert 2 * spectrum.argmax() == TONES_HZ[name]


def test_a_new_default_is_followed_and_said(server: SoundServer, opened: Callable[[Source], Source]) -> None:
    number = server.plug_in("second", 16_000, 1)
    first, second = server.source("first"), server.source("second")
    server.make_default(first)
    source = opened(PulseSource(None))
    assert next(blocks(source)).change == ""
    server.make_default(second)
    change = next(block.change for block in blocks(source) if block.change)
    assert change.startswith(
        f"pulse:{second} is heard from here on instead of pulse:{first}: the default source"
    )
    assert (source.rate_hz, source.channels) == (48_000, 2)
    server.unplug(number)
    change = next(block.change for block in blocks(source) if block.change)
    assert change.startswith(f"pulse:{first} is heard from here on instead of pulse:{second}")


def test_a_named_source_that_goes_away_is_heard_again_when_it_is_back(
    server: SoundServer, opened: Callable[[Source], Source]
) -> None:
    number = server.plug_in("usb", 16_000, 1)
    name = server.source("usb")
    source = opened(PulseSource("usb"))
    next(blocks(source))
    server.unplug(number)
    assert error_of(source).startswith(
        f"pulse:{name} is heard no longer: it was unplugged, or the stream was moved"
    )
    assert source.ended
    with pytest.raises(DeviceError, match=f"the sound server has no source pulse:{name}; "):
        source.open()
    server.plug_in("usb", 16_000, 1)
    open_at_last(source)
    block = next(blocks(source))
    assert block.start == 0
    assert block.change == ""


def test_a_stream_moved_by_hand_is_heard_where_it_is(
    server: SoundServer, opened: Callable[[Source], Source]
) -> None:
    server.plug_in("kitchen", 16_000, 1)
    first, kitchen = server.source("first"), server.source("kitchen")
    source = opened(PulseSource(first))
    next(blocks(source))
    server.move_streams("kitchen")
    again = partial(server.move_streams, "kitchen")  # WirePlumber overlooks a wish now and then
    assert error_of(source, again).endswith(f"or the stream was moved to pulse:{kitchen}")
    source.open()
    assert source.channels == 1
    change = next(block.change for block in blocks(source) if block.change)
    assert change.startswith(f"pulse:{kitchen} is heard from here on instead of pulse:{first}")


def test_a_server_that_hangs_holds_nobody_up(
    server: SoundServer, opened: Callable[[Source], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.audio.pulse.ANSWER_S", 0.5)
    source = opened(PulseSource(None, stall_s=0.5))
    next(blocks(source))
    with server.frozen():
        assert "the default source delivered nothing for" in error_of(source)
        assert source.ended
        with pytest.raises(
            DeviceError, match=r"did not answer within 0\.5 s; expected an answer at once"
        ) as caught:
            source.open()
        assert not isinstance(caught.value, NoSoundServerError)


def test_a_server_that_ends_is_waited_for(server: SoundServer, opened: Callable[[Source], Source]) -> None:
    source = opened(DefaultMicrophone(PulseSource(None), MicrophoneSource("nobody")))
    next(blocks(source))
    server.end()
    assert "the default source stopped: the sound server ended (" in error_of(source)
    with pytest.raises(
        NoSoundServerError, match=r"no sound server answers \(pactl: .*Connection refused\); expected"
    ):
        source.open()
    server.start()
    open_at_last(source)
    assert next(blocks(source)).start == 0


def test_late_sound_is_skipped_and_counted_on(
    server: SoundServer, opened: Callable[[Source], Source]
) -> None:
    source = opened(PulseSource(None))
    deadline = time.monotonic() + DEADLINE_S
    while source.backlog_frames() < 4_900:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert source.skip(4_800) == 4_800
    block = source.read(100)
    assert block is not None
    assert (block.start, len(block.samples)) == (4_800, 100)


def test_closing_twice_is_harmless(server: SoundServer, opened: Callable[[Source], Source]) -> None:
    source = opened(PulseSource(None))
    source.close()
    source.close()
    assert source.ended
    assert (source.read(10), source.backlog_frames(), source.skip(10)) == (None, 0, 0)


def test_the_server_s_sources_are_listed(server: SoundServer) -> None:
    server.plug_in("attic", 16_000, 1)
    server.add_sink("loudspeaker", 44_100)
    server.make_default(server.source("attic"))
    listed = {source.name: source for source in pulse_inputs()}
    attic, monitor = listed[server.source("attic")], listed["loudspeaker.monitor"]
    assert (attic.rate_hz, attic.channels, attic.is_default) == (16_000, 1, True)
    assert (monitor.rate_hz, monitor.is_monitor, monitor.is_default) == (44_100, True, False)
