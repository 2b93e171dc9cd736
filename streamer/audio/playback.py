"""Buffer a stem for an output device whose clock differs from the capture's."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
import soxr

from streamer.arrays import Array
from streamer.audio.clock_drift import MAX_DEVIATION, Drift
from streamer.dsp.fade import rising
from streamer.events.kinds import Stem

CHUNK_S = 0.01
"""Length of the chunks that the device is given."""
WAITING_S = 0.06
"""Wanted length of the waiting sound. Stems arrive every 10 ms, on a machine that has other work to do."""
MAX_WAITING_S = 0.5
"""Longest waiting sound while the device plays; beyond it the oldest is dropped and counted."""
MAX_STALLED_S = 1.0
"""Longest waiting sound while the device takes nothing at all."""


class Playback:
    """A buffer that one thread fills with stems and another one plays.

    The waiting sound is held near `WAITING_S` by a playback speed within 0.5 % of the real one
    (`streamer.audio.clock_drift`); soxr's variable-rate mode resamples to it. When the sound runs out, playing
    starts again once `WAITING_S` has gathered.

    Parameters
    ----------
    rate_hz, channels : int
        Format of the device. A stem with the same number of channels is played as it is; of any other stem the mean
        of its channels is played.

    Attributes
    ----------
    dropped_samples : int
        Samples of stems that were never played, because the device was too slow or a stem was too short to start.
    pauses : int
        Number of times that the sound ran out while its stem continued.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._lock = threading.Lock()
        self._waiting = _Fifo(channels)
        self._next: tuple[int, int] | None = None
        self._stem_rate_hz = 0
        self._playing = False
        self._drift = Drift(WAITING_S, WAITING_S)
        self._resampler: soxr.ResampleStream | None = None
        self.dropped_samples = 0
        self.pauses = 0

    @property
    def playing(self) -> bool:
        """Whether `chunk` returns sound; if False, it returns silence."""
        return self._playing

    @property
    def waiting_s(self) -> float:
        """Length of the sound that waits in the buffer, in seconds."""
        with self._lock:
            return len(self._waiting) / (self._stem_rate_hz or self._rate_hz)

    @property
    def speed(self) -> float:
        """Playback speed, from ``1 - MAX_DEVIATION`` to ``1 + MAX_DEVIATION``."""
        return self._drift.speed

    def put(self, stem: Stem) -> None:
        """Append a piece of a stem to the buffer; too much that waits is dropped (`dropped_samples`).

        All pieces must be of one stream, label and rate, and in the order of their `start`. While
        nothing plays, a piece that does not begin where the last one stopped takes the place of all that waits.
        """
        sound = _for_channels(stem.samples, self._channels)
        with self._lock:
            self._stem_rate_hz = stem.rate
            follows = self._next == (stem.epoch, stem.start)
            if not self._playing and follows:
                self.pauses += not len(self._waiting)
            elif not self._playing:
                self._drop(len(self._waiting))  # the last stem ended before enough had gathered to start
            self._next = stem.epoch, stem.stop
            self._waiting.put(sound)
            self._drop(len(self._waiting) - round(MAX_STALLED_S * stem.rate))

    def chunk(self) -> Array:
        """Remove the sound to play next from the buffer, and return it at the device's rate.

        Returns
        -------
        float32 array, shape (samples, channels)
            About `CHUNK_S` of sound; now and then empty, while the resampler fills its filter.
        """
        with self._lock:
            rate_hz = self._stem_rate_hz
            if not rate_hz:
                return np.zeros((round(CHUNK_S * self._rate_hz), self._channels), np.float32)
            sound = self._next_sound()
            level_s = len(self._waiting) / rate_hz
            playing = self._playing
        resampler = self._resampler or self._new_resampler(rate_hz)
        if playing:
            speed = self._drift.update(level_s, CHUNK_S)
            resampler.set_io_ratio(rate_hz * speed, self._rate_hz, round(CHUNK_S * self._rate_hz))
        played: Array = resampler.resample_chunk(sound)
        return played

    def _next_sound(self) -> Array:
        """Return the next chunk at the stem's rate; silence while too little waits."""
        count = round(CHUNK_S * self._stem_rate_hz)
        target = round(WAITING_S * self._stem_rate_hz)
        if not self._playing:
            if len(self._waiting) < target:
                return np.zeros((count, self._channels), np.float32)
            self._playing = True
            self._drop(len(self._waiting) - 2 * target)
            return self._waiting.take(count) * rising(count)
        if len(self._waiting) > MAX_WAITING_S * self._stem_rate_hz:
            return self._skip_ahead(count, target)
        sound = self._waiting.take(count)
        if len(self._waiting) >= count:
            return sound
        # Fade out, whether the stem is over or merely late: both sound the same here.
        self._playing = False
        sound = np.concatenate([sound, self._waiting.take(count)])
        return np.asarray(sound * rising(len(sound))[::-1])

    def _skip_ahead(self, count: int, target: int) -> Array:
        """Drop sound until `target` samples wait, and return a cross-fade over the cut."""
        before = self._waiting.take(count)
        self._drop(len(self._waiting) - target)
        up = rising(count)
        after = self._waiting.take(count)
        return np.asarray(before * up[::-1] + after * up)

    def _drop(self, count: int) -> None:
        """Drop and count the oldest samples; nothing if `count` is 0 or less."""
        self.dropped_samples += len(self._waiting.take(count))

    def _new_resampler(self, rate_hz: int) -> soxr.ResampleStream:
        fastest = rate_hz * (1 + MAX_DEVIATION)  # soxr designs its filter for the highest ratio
        self._resampler = soxr.ResampleStream(fastest, self._rate_hz, self._channels, "float32", vr=True)
        self._resampler.set_io_ratio(rate_hz, self._rate_hz)
        return self._resampler


class _Fifo:
    """A queue of samples."""

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
        """Remove and return the oldest samples, at most `count`."""
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
