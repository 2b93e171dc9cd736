"""The configuration read again while an engine runs: streams for which nothing changed go on without a gap."""

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
"""How what came of it begins."""

FIXED = tuple(
    field.name for field in fields(Config) if field.name not in ("stream", "sections", *STREAM_FIELDS)
)
"""Sections that hold from start to end: what they say was opened or laid out by them."""


class Reload:
    """Changes what an engine hears to what a configuration says now.

    Parameters
    ----------
    read : callable
        Gives the configuration, checked.
    config : Config
        What it gave when the engine was made.
    streams : sequence of Stream
        The engine's.
    streams_of : callable
        Gives the streams of a configuration, of which those among the ones given that are as it says.
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

    def again(self, engine: Engine) -> str:
        """Read it and let the engine change; where anything is wrong with it, nothing changes.

        Returns
        -------
        str
            What came of it, in a line; it is told in a ``status`` of all streams that were heard, too.
        """
        before = self._streams  # the engine may not have come round to them yet
        try:
            config = self._read()
            self._check(config)
            streams = self._streams_of(config, before)
            warm_up([stream for stream in streams if stream not in before], config.publish)
        except Exception as error:  # noqa: BLE001 - whatever it is, what is heard goes on
            said = f"{REFUSED}: {fault_of(error)}"
        else:
            self._streams = streams
            said = f"{READ_AGAIN}: {_changes(before, streams)}"
        engine.change(self._streams, said)
        return said

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
    """What is done now to come from some streams to others."""
    gone = {stream.name: stream.config for stream in before if stream not in after}
    come = {stream.name: stream.config for stream in after if stream not in before}
    again = {name for name in come.keys() & gone.keys() if come[name] == gone[name]}
    done = {
        "opening": come.keys() - gone.keys(),
        "opening again": again,
        "changing": (come.keys() & gone.keys()) - again,
        "ending": gone.keys() - come.keys(),
    }
    parts = [f"{word} {', '.join(sorted(names))}" for word, names in done.items() if names]
    return "; ".join(parts) or "no stream changed"
