"""A microphone for tests of the Python interface: loud sound without end, each block as soon as it is asked for."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from streamer.config import Config, StreamConfig
from streamer.errors import StreamError
from streamer.sources.open_source import source_for
from streamer.sources.source import Block, Source

RATE = 16_000
BLOCK = 1_600


class FakeMicrophone(Source):
    """Live sound: blocks carry the time of their capture.

    Parameters
    ----------
    seconds : float
        Sound after which it fails, as if it had been unplugged; infinite by default.
    ends_s : float
        Sound after which it ends, as no microphone does, so that a loop without a ``break`` does too.
    """

    def __init__(self, seconds: float = float("inf"), ends_s: float = float("inf")) -> None:
        self.rate_hz, self.channels = RATE, 1
        self._seconds, self._ends_s = seconds, ends_s
        self._sound = np.random.default_rng(3).normal(0, 0.2, (BLOCK, 1)).astype(np.float32)
        self._position = 0
        self.opened, self.closed = threading.Event(), threading.Event()

    def open(self) -> None:
        self._position = 0
        self.opened.set()

    def read(self, max_frames: int) -> Block | None:
        if self._position >= self._seconds * RATE:
            raise StreamError("the microphone was unplugged; plug it in and start again")
        if self.ended:
            return None
        start = self._position
        self._position += BLOCK
        return Block(start, self._sound, time.monotonic())

    def backlog_frames(self) -> int:
        return 0

    def skip(self, frames: int) -> int:
        return 0

    @property
    def ended(self) -> bool:
        return self._position >= self._ends_s * RATE

    def close(self) -> None:
        self.closed.set()


def plug_in(monkeypatch: pytest.MonkeyPatch, *microphones: FakeMicrophone) -> None:
    """Make the devices ``mic``, ``mic-2`` and so on out of microphones."""
    plugged = {f"mic-{n}" if n > 1 else "mic": microphone for n, microphone in enumerate(microphones, 1)}

    def opened(stream: StreamConfig, config: Config, realtime: bool) -> Source:
        return plugged.get(stream.device) or source_for(stream, config, realtime)

    monkeypatch.setattr("streamer.engine.build_streams.source_for", opened)
