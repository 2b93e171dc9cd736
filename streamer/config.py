"""The whole configuration, and that of a stream.

`streamer.config_sections` has their sections; `streamer.config_file` reads them from TOML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from streamer.config_sections import (
    KEYS,
    EngineConfig,
    ModelsConfig,
    PcmConfig,
    PublishConfig,
    StemsConfig,
)
from streamer.errors import ConfigError
from streamer.head_slots import HEAD_SLOTS, DecisionConfig
from streamer.setting_types import check_keys, check_types
from streamer.start_time import OFF, check_start_time

S = TypeVar("S")

DECISION_SECTIONS = tuple(slot.section for slot in HEAD_SLOTS)
"""Sections with the settings of a head's decisions."""

STREAM_FIELDS = ("models", "decisions", "stems")
"""Fields of `Config` that a stream may set for itself."""

CLOCKS = ("sender", "arrival")
"""What may give the times of a live URL: the clock of its sender, if it tells one, or this machine's at the arrival."""

TURN_S = 0.1
"""Most live sound that gathers before it is processed. Each turn has a cost; waiting adds to the delay."""

STEMS_TURN_S = 0.01
"""The same where stems are wanted, which are played soon: one hop of the default spectra."""


@dataclass(frozen=True)
class StreamConfig:
    """One stream: ``[[stream]]``.

    Attributes
    ----------
    device : str
        ``auto``, ``mic``, ``pulse:NAME`` (a source of the sound server), an input device's index or part of its name,
        ``file:PATH``, a URL, or ``-`` for raw PCM on standard input.
    name : str
        Name in the topic of its messages: letters, digits, ``_``, ``.`` and ``-``. An empty name is replaced by one
        made from the device.
    rate_hz, channels : int
        Format that is asked of a microphone; 0 takes the device's own. Other devices ignore these: files and URLs
        state their format, raw PCM has it from ``[pcm]``.
    track : int or str
        Sound track of a file or URL that has several: its number, from 1, or its language, such as ``deu``. Empty takes
        the first.
    channel : int
        Number, from 1, of the one channel that is heard; 0 hears all of them. Of a microphone, it must be among those
        that are opened: as many as are needed, if `channels` is 0.
    start_time : str
        Time at which a file began, in ISO 8601; or ``tag`` or ``name``, if its header or its name tells it; or ``auto``
        for whichever of them does; or ``off``. Its messages have times then, however fast it is read. Empty is
        ``auto`` for a file that is read as fast as possible, and otherwise ``off``. Other devices must not have it.
    clock : {"sender", "arrival"}
        What gives the times of a live URL: the sender's clock where it tells one, or this machine's at the arrival.
    priority : int
        Streams of the lowest priority are left out first where the machine cannot carry all.
    models : ModelsConfig or None
        This stream's own ``[stream.models]``. Keys that are absent in it are taken from ``[models]``; None takes all.
    decisions : mapping of str to DecisionConfig
        This stream's own ``[stream.gate]`` and so on, by section. Sections that are absent are taken from the
        settings of all streams (``[gate]``).
    stems : StemsConfig or None
        This stream's own ``[stream.stems]``. Keys that are absent in it are taken from ``[stems]``; None takes all.
    """

    device: str = "auto"
    name: str = ""
    rate_hz: int = 0
    channels: int = 0
    channel: int = 0
    track: int | str = ""
    start_time: str = ""
    clock: str = "sender"
    priority: int = 0
    models: ModelsConfig | None = None
    decisions: Mapping[str, DecisionConfig] = field(
        default_factory=dict, hash=False, metadata={KEYS: DECISION_SECTIONS}
    )
    stems: StemsConfig | None = None

    def __post_init__(self) -> None:
        check_types(self)
        check_keys("stream", self.decisions, DECISION_SECTIONS)
        if not re.fullmatch(r"[\w.-]*", self.name):
            raise ConfigError(
                f"stream name is {self.name!r}; expected letters, digits, '_', '.' and '-', or nothing to take "
                "one from the device"
            )
        if self.device in ("", "file:"):
            raise ConfigError(
                f"stream device is {self.device!r}; expected an input: mic, pulse:NAME, file:PATH, a URL, or what "
                "`streamer devices` lists"
            )
        if self.clock not in CLOCKS:
            raise ConfigError(f"stream clock is {self.clock!r}; expected {' or '.join(CLOCKS)}")
        check_start_time(self.start_time)
        if self.start_time not in ("", OFF) and not self.device.startswith("file:"):
            raise ConfigError(
                f"stream start_time is {self.start_time!r} and its device is {self.device!r}; expected a file, as "
                "file:PATH"
            )
        if not re.fullmatch(r"([1-9]\d*|[A-Za-z][\w-]*)?", str(self.track)):
            raise ConfigError(
                f"stream track is {self.track!r}; expected the number of a sound track from 1 on, or a language such "
                "as 'deu', or nothing for the first"
            )
        if self.channel < 0:
            raise ConfigError(
                f"stream channel is {self.channel}; expected the number of a channel from 1 on, or 0 for all"
            )
        if min(self.rate_hz, self.channels) < 0:
            raise ConfigError(
                f"stream rate_hz is {self.rate_hz} and channels is {self.channels}; expected 1 or more, or 0 for "
                "the microphone's own"
            )


@dataclass(frozen=True)
class Config:
    """The whole configuration: everything that can be set.

    Attributes
    ----------
    stream : tuple of StreamConfig
        At least one, and at most one of them standard input.
    decisions : mapping of str to DecisionConfig
        Settings of each head's decisions, by section: ``[gate]``, ``[sounds]`` and so on. Sections that are not given
        take the defaults of `streamer.head_slots`.
    sections : mapping of str to object
        Settings of sinks that have a section of their own (`streamer.sinks.open_sinks`), by section.
    """

    stream: tuple[StreamConfig, ...] = (StreamConfig(),)
    pcm: PcmConfig = field(default_factory=PcmConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    decisions: Mapping[str, DecisionConfig] = field(
        default_factory=dict, hash=False, metadata={KEYS: DECISION_SECTIONS}
    )
    stems: StemsConfig = field(default_factory=StemsConfig)
    publish: PublishConfig = field(default_factory=PublishConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    sections: Mapping[str, object] = field(default_factory=dict, hash=False, metadata={KEYS: ()})

    def __post_init__(self) -> None:
        check_types(self)
        check_keys("decisions", self.decisions, DECISION_SECTIONS)
        defaults = {slot.section: slot.decisions for slot in HEAD_SLOTS}
        object.__setattr__(self, "decisions", {**defaults, **self.decisions})
        if not self.stream:
            raise ConfigError(
                "stream is empty; expected at least one [[stream]], or none of the key for a microphone"
            )
        from_stdin = [entry.device for entry in self.stream].count("-")
        if from_stdin > 1:
            raise ConfigError(
                f"{from_stdin} streams have the device '-'; expected at most one: there is one standard input"
            )

    def of(self, stream: StreamConfig) -> Config:
        """Return the configuration of one stream: its own settings, and those of all streams where it has none."""
        return replace(
            self,
            models=stream.models or self.models,
            decisions={**self.decisions, **stream.decisions},
            stems=stream.stems or self.stems,
        )

    def section(self, name: str, kind: type[S]) -> S:
        """Return a sink's own settings, as a `kind`: those of the section `name`, or the defaults if it is absent."""
        found = self.sections.get(name, kind())
        assert isinstance(found, kind)  # as the table of sinks says
        return found

    @property
    def turn_s(self) -> float:
        """Longest live sound that gathers before it is processed, in seconds."""
        if self.engine.turn_ms is not None:
            return self.engine.turn_ms / 1_000
        return STEMS_TURN_S if self.stems.wanted else TURN_S
