"""Two clocks that are never equal: how fast to play so that what waits neither runs out nor grows."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 0.005
"""Largest deviation of the speed: 9 cents, and 25 times what two clocks of 100 ppm each can differ by."""
SMOOTHING_S = 2.0
"""Time constant of the mean level: blocks come and go in jumps."""
PROPORTIONAL = 0.05
"""Deviation of the speed for each second of level too much."""
INTEGRAL = 0.002
"""The same for each second of level too much that lasts a second."""


@dataclass
class Drift:
    """A controller of speed by the level of a buffer (proportional and integral).

    Attributes
    ----------
    target_s : float
        The level that is wanted.
    level_s : float
        Mean level.
    speed : float
        How fast to play: 1 plus at most `MOST`.
    """

    target_s: float
    level_s: float
    speed: float = 1.0
    _integral: float = 0.0

    def update(self, level_s: float, elapsed_s: float) -> float:
        """Take the level now, `elapsed_s` after the last time; gives the speed."""
        share = min(1.0, elapsed_s / SMOOTHING_S)
        self.level_s += share * (level_s - self.level_s)
        error_s = self.level_s - self.target_s
        deviation = PROPORTIONAL * error_s + INTEGRAL * self._integral
        if abs(deviation) < MOST or deviation * error_s < 0:  # at its limit it must not wind up
            self._integral += error_s * elapsed_s
        self.speed = 1.0 + min(max(deviation, -MOST), MOST)
        return self.speed
