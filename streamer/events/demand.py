"""Which running values of a stream are wanted: the others are counted, and not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set


class Demand:
    """Says which running values of a stream nobody wants at present, and counts what is not made of them.

    They are counted since a subscriber tells by the numbers of a topic what it missed.

    Attributes
    ----------
    unwanted : set of str
        Kinds of events that need not be made, of `streamer.events.kinds.RUNNING_KINDS`; none at first.
    """

    def __init__(self) -> None:
        self.unwanted: Set[str] = frozenset()
        self._unmade: Counter[str] = Counter()

    def leaves_out(self, kind: str, count: int = 1) -> bool:
        """Return whether nobody wants the next `count` events of a kind, and count them in that case."""
        if kind not in self.unwanted:
            return False
        self._unmade[kind] += count
        return True

    def take_unmade(self) -> Counter[str]:
        """Return by kind how many events were not made since the last time."""
        unmade, self._unmade = self._unmade, Counter()
        return unmade
