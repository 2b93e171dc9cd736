"""Read the configuration again while an engine runs; streams for which nothing changed go on without a gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from streamer.config import STREAM_FIELDS, Config
from streamer.engine.engine import Engine
from streamer.engine.stream import Stream
from streamer.engine.warm_up import warm_up
from streamer.errors import ConfigError, fault_of

READ_AGAIN = "the configuration was read again"
REFUSED = "the configuration cannot be used, nothing was changed"
"""Beginnings of the message that reports a reload."""

FIXED = tuple(
    field.name for field in fields(Config) if field.name not in ("stream", "sections", *STREAM_FIELDS)
)
"""Sections that cannot change while the engine runs: sinks and models were opened by their values."""


class Reload:
    """Reads the configuration again, and changes an engine's streams accordingly.

    Parameters
    ----------
    read : callable
        Reads, checks and returns the configuration.
    config : Config
        The configuration that the engine was made with.
    streams : sequence of Stream
        The engine's streams.
    streams_of : callable
        Takes a configuration and the present streams; returns the streams of the configuration. Streams for which
        nothing changed are the present ones.
    """

    def __init__(
        self,
        read: Callable[[], Config],
        config: Config,
        streams: Sequence[Stream],
        streams_of: Callable[[Config, Sequence[Stream]], Sequence[Stream]],
    ) -> None:
        self._read = read
        self._config = config
        self._streams = streams
        self._streams_of = streams_of

    def reload(self, engine: Engine) -> str:
        """Read the configuration and change the engine's streams; change nothing if the configuration has an error.

        Returns
        -------
        str
            The outcome, in one line. It is also published in a ``status`` of all streams that ran so far or were being
            opened.
        """
        before = self._streams  # not the engine's, which may not have taken in the last change yet
        try:
            config = self._read()
            self._check(config)
            streams = self._streams_of(config, before)
            warm_up([stream for stream in streams if stream not in before], config.publish)
        except Exception as error:  # noqa: BLE001 - whatever it is, the streams go on
            outcome = f"{REFUSED}: {fault_of(error)}"
        else:
            self._streams = streams
            outcome = f"{READ_AGAIN}: {_changes(before, streams)}"
        engine.change(self._streams, outcome)
        return outcome

    def _check(self, config: Config) -> None:
        changed = [name for name in FIXED if getattr(config, name) != getattr(self._config, name)]
        own, before = config.sections, self._config.sections
        changed += [name for name in sorted(own.keys() | before.keys()) if own.get(name) != before.get(name)]
        if changed:
            raise ConfigError(
                f"{', '.join(f'[{name}]' for name in changed)} changed, which holds from start to end; set it back, "
                "or start anew"
            )


def _changes(before: Sequence[Stream], after: Sequence[Stream]) -> str:
    """Return in words what the engine does to come from some streams to others."""
    removed = {stream.name: stream.config for stream in before if stream not in after}
    added = {stream.name: stream.config for stream in after if stream not in before}
    again = {name for name in added.keys() & removed.keys() if added[name] == removed[name]}
    done = {
        "opening": added.keys() - removed.keys(),
        "opening again": again,
        "changing": (added.keys() & removed.keys()) - again,
        "ending": removed.keys() - added.keys(),
    }
    parts = [f"{word} {', '.join(sorted(names))}" for word, names in done.items() if names]
    return "; ".join(parts) or "no stream changed"
