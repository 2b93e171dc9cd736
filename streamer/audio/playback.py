"""What a device plays of a stem that comes by another clock: neither runs dry, nor lags more and more."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
import soxr

from streamer.arrays import Array
from streamer.audio.clock_drift import MOST, Drift
from streamer.dsp.fade import rising
from streamer.events import Stem

CHUNK_S = 0.01
"""Sound that a device is given at a time."""
WAITING_S = 0.06
"""Sound that waits on average: stems come in turns of 10 ms, on a machine that has other things to do."""
MOST_S = 0.5
"""Sound that may wait; beyond it the oldest is left out, and counted."""
STUCK_S = 1.0
"""The same while the device takes nothing at all."""


class Playback:
    """Takes stems on one thread, and gives what is to be played on another.

    What waits is held near `WAITING_S` by a speed within 0.5 % of the real one (`streamer.audio.clock_drift`), by
    soxr's variable rate. Where the sound runs out, it begins again once so much has gathered.

    Parameters
    ----------
    rate_hz, channels : int
        Of the device. Stems of as many channels are played as they are, others by the mean of their channels.

    Attributes
    ----------
    left_out_samples : int
        Of stems, that were never played: the device was too slow, or so few came that nothing was begun.
    pauses : int
        How often sound ran out while a stem went on.
    speed : float
        1 plus at most `MOST`.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._lock = threading.Lock()
        self._waiting = _Fifo(channels)
        self._next: tuple[int, int] | None = None
        self._stem_rate_hz = 0
        self._plays = False
        self._drift = Drift(WAITING_S, WAITING_S)
        self._resampler: soxr.ResampleStream | None = None
        self.left_out_samples = 0
        self.pauses = 0

    @property
    def plays(self) -> bool:
        """Whether it gives sound; else silence."""
        return self._plays

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that wait."""
        with self._lock:
            return len(self._waiting) / (self._stem_rate_hz or self._rate_hz)

    @property
    def speed(self) -> float:
        return self._drift.speed

    def put(self, stem: Stem) -> None:
        """Take a stem; all of one stream and label, in order, at one rate."""
        sound = _for_channels(stem.samples, self._channels)
        with self._lock:
            self._stem_rate_hz = stem.rate
            follows = self._next == (stem.epoch, stem.start)
            if not self._plays and follows:
                self.pauses += not len(self._waiting)
            elif not self._plays:
                self._leave_out(len(self._waiting))  # what was too short to begin with
            self._next = stem.epoch, stem.stop
            self._waiting.put(sound)
            self._leave_out(len(self._waiting) - round(STUCK_S * stem.rate))

    def chunk(self) -> Array:
        """What is to be played next: float32, shape (samples, channels), at the device's rate.

        Some `CHUNK_S`; nothing now and then, while the resampler fills.
        """
        with self._lock:
            rate_hz = self._stem_rate_hz
            if not rate_hz:
                return np.zeros((round(CHUNK_S * self._rate_hz), self._channels), np.float32)
            sound = self._taken()
            level_s = len(self._waiting) / rate_hz
            plays = self._plays
        resampler = self._resampler or self._new_resampler(rate_hz)
        if plays:
            speed = self._drift.update(level_s, CHUNK_S)
            resampler.set_io_ratio(rate_hz * speed, self._rate_hz, round(CHUNK_S * self._rate_hz))
        played: Array = resampler.resample_chunk(sound)
        return played

    def _taken(self) -> Array:
        """The next chunk at the stem's rate: sound, or silence where there is none."""
        count = round(CHUNK_S * self._stem_rate_hz)
        target = round(WAITING_S * self._stem_rate_hz)
        if not self._plays:
            if len(self._waiting) < target:
                return np.zeros((count, self._channels), np.float32)
            self._plays = True
            self._leave_out(len(self._waiting) - 2 * target)
            return self._waiting.take(count) * rising(count)
        if len(self._waiting) > MOST_S * self._stem_rate_hz:
            return self._leapt(count, target)
        sound = self._waiting.take(count)
        if len(self._waiting) >= count:
            return sound
        # Ends softly, whether it ran out or is over.
        self._plays = False
        sound = np.concatenate([sound, self._waiting.take(count)])
        return np.asarray(sound * rising(len(sound))[::-1])

    def _leapt(self, count: int, target: int) -> Array:
        """From the oldest sound that waits over to that which should be next."""
        before = self._waiting.take(count)
        self._leave_out(len(self._waiting) - target)
        up = rising(count)
        after = self._waiting.take(count)
        return np.asarray(before * up[::-1] + after * up)

    def _leave_out(self, count: int) -> None:
        """The oldest samples, if `count` is above 0."""
        self.left_out_samples += len(self._waiting.take(count))

    def _new_resampler(self, rate_hz: int) -> soxr.ResampleStream:
        fastest = rate_hz * (1 + MOST)  # which its filter is made for
        self._resampler = soxr.ResampleStream(fastest, self._rate_hz, self._channels, "float32", vr=True)
        self._resampler.set_io_ratio(rate_hz, self._rate_hz)
        return self._resampler


class _Fifo:
    """Samples in the order in which they came."""

    def __init__(self, channels: int) -> None:
        self._parts: deque[Array] = deque()
        self._count = 0
        self._channels = channels

    def __len__(self) -> int:
        return self._count

    def put(self, sound: Array) -> None:
        self._parts.append(sound)
        self._count += len(sound)

    def take(self, count: int) -> Array:
        """The oldest samples, `count` or as many as there are."""
        taken = [np.zeros((0, self._channels), np.float32)]
        while count > 0 and self._parts:
            part = self._parts.popleft()
            if len(part) > count:
                self._parts.appendleft(part[count:])
                part = part[:count]
            taken.append(part)
            count -= len(part)
            self._count -= len(part)
        return np.concatenate(taken)


def _for_channels(sound: Array, channels: int) -> Array:
    if sound.shape[1] == channels:
        return sound
    return np.repeat(sound.mean(axis=1, keepdims=True), channels, axis=1)
