"""Test what the index does when a sound server moves a stream, with a stand-in for `parec`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from streamer.audio.pulse import PulseInput
from streamer.errors import DeviceError, StreamError
from streamer.sources.devices.pulse import PulseSource
from streamer.sources.source import Block, SourceCounts

RATE_HZ = 48_000
PIECE = 480


class FakeParec:
    """A stand-in for `parec`: the test moves it to another source, and gives it sound."""

    def __init__(self, device: str | None, rate_hz: int, channel_map: Sequence[str], remix: bool) -> None:
        self.device, self.device_index = "built-in", 1
        self.has_ended, self.error = False, ""
        self.sound = self
        self._waiting = 0

    def look(self, wait_s: float = 0.0) -> None:
        pass

    def waiting_items(self) -> int:
        return self._waiting

    def read(self, frames: int) -> bytes:
        taken = min(frames, self._waiting)
        self._waiting -= taken
        return bytes(4 * taken)

    def come(self, frames: int) -> None:
        self._waiting += frames

    def close(self) -> None:
        pass


def built_in() -> list[PulseInput]:
    return [PulseInput(1, "built-in", "Built-in Audio", ("mono",), RATE_HZ, False, True)]


def heard(monkeypatch: pytest.MonkeyPatch, lost: int) -> tuple[list[Block], SourceCounts]:
    """Listen for four seconds, after two of which the server moves the stream and loses `lost` frames."""
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr("streamer.sources.devices.pulse.Parec", FakeParec)
    source = PulseSource(None, inputs=built_in)
    source.open()
    parec = source._parec
    assert isinstance(parec, FakeParec)
    blocks = []
    for piece in range(400):
        now += PIECE / RATE_HZ
        parec.come(PIECE)
        if piece == 200:
            parec.device = "usb"
            parec.come(-lost)
        block = source.read(10 * RATE_HZ)
        if block is not None:
            blocks.append(block)
    return blocks, source.counts


@pytest.mark.parametrize(("lost", "counted"), [(0, 0), (96, 0), (1_440, 1_440)])
def test_what_a_move_loses_is_a_counted_jump_where_the_words_are(
    monkeypatch: pytest.MonkeyPatch, lost: int, counted: int
) -> None:
    blocks, counts = heard(monkeypatch, lost)
    (moved,) = (n for n, block in enumerate(blocks) if block.change)
    assert blocks[moved].change.startswith("pulse:usb is heard from here on instead of pulse:built-in: ")
    jumps = {n: block.start - blocks[n - 1].stop for n, block in enumerate(blocks) if n}
    assert {n: jump for n, jump in jumps.items() if jump} == ({moved: counted} if counted else {})
    assert counts == SourceCounts(lost_frames=counted)
    assert blocks[-1].stop == 400 * PIECE - lost + counted
    for block in (blocks[moved - 1], blocks[moved], blocks[-1]):
        assert block.captured_at == pytest.approx(1_000.0 + block.stop / RATE_HZ, abs=0.003)


def test_the_silence_of_a_server_without_devices_is_no_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.sources.devices.pulse.Parec", FakeParec)
    source = PulseSource(None, inputs=built_in)
    source.open()
    assert isinstance(source._parec, FakeParec)
    source._parec.device = "auto_null.monitor"
    with pytest.raises(
        StreamError, match="pulse:built-in was unplugged, and the sound server has no other device"
    ):
        source.read(100)
    assert source.ended
    dummy = [PulseInput(2, "auto_null.monitor", "Dummy", ("mono",), RATE_HZ, True, True)]
    with pytest.raises(
        DeviceError, match="the sound server knows no device, only silence; plug in a microphone"
    ):
        PulseSource(None, inputs=lambda: dummy).open()
