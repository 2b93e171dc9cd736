"""`streamer.listen`: live sound to events, in this process."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from streamer.api.configure import (
    channel_number,
    configured,
    flag,
    positive,
    positive_int,
    start_time_setting,
    with_stems,
    with_streams,
)
from streamer.api.event_iterator import EventIterator
from streamer.config import Config, StreamConfig
from streamer.engine.build_streams import build_streams
from streamer.engine.warm_up import warm_up
from streamer.errors import ConfigError
from streamer.inference.model_cache import ModelCache
from streamer.sinks.event_queue import EventQueue, LiveEventQueue
from streamer.sources.devices.auto_device import resolve_auto

logger = logging.getLogger(__name__)


def listen(
    devices: str | Sequence[str] | None = None,
    *,
    config: Config | str | os.PathLike[str] | None = None,
    models: Mapping[str, str | Path] | None = None,
    prefer: Literal["balanced", "precision", "recall"] | None = None,
    stems: bool = False,
    duration_s: float | None = None,
    realtime: bool = True,
    backend: Literal["cpu", "cuda", "torch"] | None = None,
    threads: int | None = None,
    max_waiting: int = 1_000,
    channel: int | None = None,
    track: int | str | None = None,
    start_time: datetime | str | None = None,
    clock: Literal["sender", "arrival"] | None = None,
) -> EventIterator:
    """Listen to live sound, and return an iterator over its events.

    Models are loaded before the call returns; then a thread of its own listens, whether events are taken or not.
    While the sound is live, no more than `max_waiting` events wait: where more come, levels, scores, spectra and stems
    are lost first, then statuses, and decisions last, the oldest first. `EventIterator.lost_events` counts them, the
    first is logged as a warning, and `Event.seq` jumps. With ``realtime=False`` the sound waits instead, and no event
    is lost.

    Parameters
    ----------
    devices : str or sequence of str, optional
        ``mic``, ``auto`` (the microphone, or the bundled recording where there is none), an input's index or part of
        its name, ``file:PATH``, a URL, or ``-`` for raw PCM on standard input. By default, the streams of `config`, or
        the microphone.
    config : Config, path or None
        All other settings, or the path of a TOML file with them. ``[publish]`` says which of scores, levels and
        spectra are given and how often; nothing is published.
    models : mapping of str to str or Path, optional
        Models by slot: the name of one, its folder, or ``off``, as in ``{"genre": "off"}``.
    prefer : {"balanced", "precision", "recall"}, optional
        Few false alarms (precision), few misses (recall), or neither at the cost of the other.
    stems : bool
        Whether voice and music are separated while there is music, and given as `Stem` events.
    duration_s : float, optional
        Seconds of sound to hear in each stream; by default, all that there is. Time in which a live one is away counts.
    realtime : bool
        Whether a file takes the time that it lasts (True), or is read as fast as it can be processed (False).
    backend : {"cpu", "cuda", "torch"}, optional
    threads : int, optional
        Library and device that run the models, ``cpu`` by default; and its threads on the CPU, 1 by default.
    max_waiting : int
        Events that may wait to be taken, 1 or more.
    channel : int, optional
        Number, from 1, of the one channel that is heard of each device, such as a microphone of an array; by default,
        what `config` says, or all channels.
    track : int or str, optional
        Sound track of files and URLs that have several: its number, from 1, or its language, such as ``deu``.
    start_time : datetime or str, optional
        Time at which the files began, as in `streamer.analyze`; other devices must not have it. With ``realtime=True``,
        events have the time at which a file is played unless this is given; ``auto`` asks its tags and its name.
    clock : {"sender", "arrival"}, optional
        What gives the times of live URLs: the sender's clock where it tells one, which is the default, or this
        machine's at the arrival.

    Returns
    -------
    EventIterator
        Events of a stream in the order of the sound, those of several streams as they come. It is an iterator, an
        asynchronous iterator and a context manager; leaving it closes the devices.

    Raises
    ------
    ConfigError
        If an argument cannot be used.
    ModelError
        If a model is absent, altered or does not fit.
    StreamerError
        While iterating, once all streams have ended: if one of them failed. It is a `DeviceError` if a device failed.

    Examples
    --------
    Print what begins, goes on and ends in the first seconds of the bundled recording:

    >>> import streamer
    >>> with streamer.listen(f"file:{streamer.DEMO_PATH}", realtime=False, duration_s=5) as events:
    ...     for event in events:
    ...         if isinstance(event, streamer.Decision) and event.kind == "gate":
    ...             print(event.state, event.label)
    off music
    on music
    update music
    off music
    """
    asked = _with_devices(configured(config, models, prefer, backend, threads), devices, config is None)
    asked = with_streams(asked, track=track, start_time=start_time_setting(start_time) or None, clock=clock)
    if channel is not None:
        asked = with_streams(asked, channel=channel_number(channel))
    if flag("stems", stems):
        asked = with_stems(asked, publish=True)
    longest_s = math.inf if duration_s is None else positive("duration_s", duration_s, "seconds")
    waiting = positive_int("max_waiting", max_waiting, "events")
    is_live = flag("realtime", realtime)
    streams = build_streams(asked, is_live, longest_s, ModelCache(asked.engine))
    warm_up(streams, asked.publish)
    queue = LiveEventQueue(waiting) if is_live else EventQueue(waiting)
    return EventIterator(streams, asked, queue)


def _with_devices(config: Config, devices: str | Sequence[str] | None, is_default: bool) -> Config:
    """Return a configuration with a stream for each device, ``auto`` resolved."""
    if devices is None:
        entries = (StreamConfig("mic"),) if is_default else config.stream
    else:
        if isinstance(devices, os.PathLike):
            raise ConfigError(f"devices is {devices!r}; expected text: name a file as 'file:{devices}'")
        names = [devices] if isinstance(devices, str) else devices
        if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
            raise ConfigError(
                f"devices is {devices!r}; expected a device, such as 'mic' or '3', or a list of them"
            )
        if not names:
            raise ConfigError(
                "devices is empty; expected at least one, as ['mic'], or None for those of the configuration"
            )
        entries = tuple(StreamConfig(name) for name in names)
    return replace(config, stream=resolve_auto(entries, logger.warning))
