"""Read the first of several sources that can be opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from streamer.errors import ConfigError, StreamError
from streamer.sources.source import Source
from streamer.sources.wrappers.wrapper import SourceWrapper


class Mirrors(SourceWrapper):
    """The sound of the first source that can be opened, of those that a playlist of streams lists.

    Parameters
    ----------
    name : str
        Name of the playlist in messages.
    makers : sequence of callable
        Functions without arguments that return sources, not yet opened; at least one.
    """

    opens_slowly = True

    def __init__(self, name: str, makers: Sequence[Callable[[], Source]]) -> None:
        self._name = name
        self._makers = makers
        self._given_up = threading.Event()
        self._last: Source | None = None

    def give_up_opening(self) -> None:
        self._given_up.set()
        if self._last is not None:
            self._last.give_up_opening()

    def open(self) -> None:
        failure: StreamError | ConfigError | None = None
        for make in self._makers:
            try:
                self._inner = self._last = make()
                if self._given_up.is_set():
                    self._inner.give_up_opening()
                super().open()
            except (StreamError, ConfigError) as error:
                failure = error
            else:
                return
        raise StreamError(
            f"{self._name} is a playlist of which no entry can be opened; the last: {failure}"
        ) from failure
