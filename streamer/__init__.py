"""Streamer listens to live sound and says, while it is still sounding, what it is.

``import streamer`` loads nothing else; each name below is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer.events import Decision, Event, Level, Scores, Spectrum, Status, Stem
    from streamer.wire.subscriber import Subscriber, subscribe

    __version__: str

__all__ = [
    "Decision",
    "Event",
    "Level",
    "Scores",
    "Spectrum",
    "Status",
    "Stem",
    "Subscriber",
    "__version__",
    "subscribe",
]

_SUBSCRIBER_NAMES = ("Subscriber", "subscribe")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version  # takes longer than all the rest: only when asked for

        return version("streamer")
    home = "streamer.wire.subscriber" if name in _SUBSCRIBER_NAMES else "streamer.events"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
