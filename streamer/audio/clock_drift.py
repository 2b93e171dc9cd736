"""Choose a playback speed that keeps a buffer level constant when two clocks differ."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DEVIATION = 0.005
"""Largest deviation of the speed from 1: 9 cents of pitch, 25 times what two clocks of 100 ppm each differ by."""
SMOOTHING_S = 2.0
"""Time constant of the mean level. Blocks come and go at once, so the level itself jumps."""
PROPORTIONAL_GAIN = 0.05
"""Deviation of the speed for each second by which the level is too high."""
INTEGRAL_GAIN = 0.002
"""Deviation of the speed for each second by which the level is too high, and each second that this lasts."""


@dataclass
class Drift:
    """A proportional-integral controller of the playback speed: the fuller a buffer is, the faster it is played.

    Attributes
    ----------
    target_s : float
        Wanted level of the buffer, in seconds of sound.
    level_s : float
        Smoothed level of the buffer, in seconds of sound.
    speed : float
        Playback speed, from ``1 - MAX_DEVIATION`` to ``1 + MAX_DEVIATION``.
    """

    target_s: float
    level_s: float
    speed: float = 1.0
    _integral: float = 0.0

    def update(self, level_s: float, elapsed_s: float) -> float:
        """Return the new playback speed, from the buffer level now and the seconds since the last call."""
        share = min(1.0, elapsed_s / SMOOTHING_S)
        self.level_s += share * (level_s - self.level_s)
        error_s = self.level_s - self.target_s
        deviation = PROPORTIONAL_GAIN * error_s + INTEGRAL_GAIN * self._integral
        if abs(deviation) < MAX_DEVIATION or deviation * error_s < 0:  # no integral wind-up at the limit
            self._integral += error_s * elapsed_s
        self.speed = 1.0 + min(max(deviation, -MAX_DEVIATION), MAX_DEVIATION)
        return self.speed
