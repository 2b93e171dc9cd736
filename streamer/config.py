"""Configuration: frozen dataclasses, read from TOML; a key that does not exist is an error."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from streamer.decisions import PREFERENCES, DecisionConfig
from streamer.errors import ConfigError

T = TypeVar("T")

PLACES = ("gate", "sounds", "genre", "taught", "separation")
"""Where a model may listen, the keys of ``[models]``."""

STEM_FORMS = ("flac", "wav")
"""What stems are written as."""

DEFAULT_ADDRESS = "tcp://127.0.0.1:7765"
"""Where `streamer listen` publishes and subscribers look, unless told otherwise."""


@dataclass(frozen=True)
class StreamConfig:
    """One stream: ``[[stream]]``.

    Attributes
    ----------
    device : str
        ``auto``, ``mic``, an input device's index or part of its name, ``file:PATH``, a URL, or ``-`` for raw
        PCM on standard input.
    name : str
        In the topic of its messages: letters, digits, ``_``, ``.`` and ``-``; empty takes one from the device.
    rate_hz, channels : int
        What a microphone is asked for; 0 takes the device's own. Other devices have theirs and ignore these:
        files and URLs say it, raw PCM has it from ``[pcm]``.
    """

    device: str = "auto"
    name: str = ""
    rate_hz: int = 0
    channels: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]*", self.name):
            raise ConfigError(
                f"stream name is {self.name!r}; expected letters, digits, '_', '.' and '-', or nothing to take "
                "one from the device"
            )
        if min(self.rate_hz, self.channels) < 0:
            raise ConfigError(
                f"stream rate_hz is {self.rate_hz} and channels is {self.channels}; expected 1 or more, or 0 for "
                "the microphone's own"
            )


@dataclass(frozen=True)
class PcmConfig:
    """Raw PCM on standard input: ``[pcm]``.

    Attributes
    ----------
    rate_hz, channels : int
        Of the interleaved samples.
    encoding : {"s16le", "f32le"}
        Of each sample.
    """

    rate_hz: int = 16_000
    channels: int = 1
    encoding: str = "s16le"


@dataclass(frozen=True)
class ModelsConfig:
    """Which models run: ``[models]``.

    Attributes
    ----------
    gate, sounds, genre : str or None
        A released model's name, or a folder; ``off`` leaves it out. None takes the released one of that name, if
        there is one. Genre runs while the gate is open, and always if there is no gate.
    taught : str or None
        A folder of taught sounds (``streamer teach --folder``); ``off`` leaves them out. None takes the user's own, if
        there are any.
    separation : str or None
        Takes voice and accompaniment apart while the gate is open, and says where there is a voice; as `gate`. None
        takes the released one, if there is one, where stems are asked for (``[stems]``).
    prefer : {"balanced", "precision", "recall"}
        Which operating point of the models is taken: few false alarms, few misses, or neither at the cost of the
        other.
    pre_roll_s : float
        Sound before the gate opened that what it opens hears first; 0 to 60.
    """

    gate: str | None = "gate"
    sounds: str | None = None
    genre: str | None = None
    taught: str | None = None
    separation: str | None = None
    prefer: str = "balanced"
    pre_roll_s: float = 3.0

    def __post_init__(self) -> None:
        if self.prefer not in PREFERENCES:
            raise ConfigError(f"prefer is {self.prefer!r}; expected one of {', '.join(PREFERENCES)}")
        if not 0 <= self.pre_roll_s <= 60:
            raise ConfigError(f"pre_roll_s is {self.pre_roll_s}; expected 0 to 60 seconds")


@dataclass(frozen=True)
class PublishConfig:
    """What is published, where and how often: ``[publish]``.

    Attributes
    ----------
    bind : str
        ZeroMQ address; anything but loopback needs `keys`.
    keys : str
        Folder made by ``streamer keys``; empty publishes in the clear on loopback.
    scores_hz, level_hz : float
        Messages per second of sound, above 0 and at most 100.
    spectrum : bool
        Whether log-mel frames are published, at `level_hz`.
    top : int
        Labels per head in ``scores``.
    heartbeat_s : float
        Seconds between two ``status`` messages.
    """

    bind: str = DEFAULT_ADDRESS
    keys: str = ""
    scores_hz: float = 10.0
    level_hz: float = 10.0
    spectrum: bool = False
    top: int = 5
    heartbeat_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("scores_hz", "level_hz"):
            value = getattr(self, name)
            if not 0 < value <= 100:
                raise ConfigError(f"{name} is {value}; expected above 0 and at most 100 messages a second")
        if self.heartbeat_s <= 0 or self.top < 1:
            raise ConfigError(
                f"heartbeat_s is {self.heartbeat_s} and top is {self.top}; expected above 0 and at least 1"
            )


@dataclass(frozen=True)
class StemsConfig:
    """What becomes of voice and accompaniment: ``[stems]``.

    Attributes
    ----------
    publish : bool
        Whether they are published, kind ``stem``.
    to : str
        Folder that they are written into; empty writes none.
    form : {"flac", "wav"}
        Of the files.
    """

    publish: bool = False
    to: str = ""
    form: str = "flac"

    def __post_init__(self) -> None:
        if self.form not in STEM_FORMS:
            raise ConfigError(f"stems form is {self.form!r}; expected one of {', '.join(STEM_FORMS)}")

    @property
    def wanted(self) -> bool:
        """Whether anything is to be made of them."""
        return self.publish or bool(self.to)


@dataclass(frozen=True)
class EngineConfig:
    """How far the engine may fall behind: ``[engine]``.

    Attributes
    ----------
    max_lag_ms : float
        Waiting sound beyond this is dropped, oldest first, counted and announced.
    ring_s : float
        Seconds of sound that the capture ring holds.
    """

    max_lag_ms: float = 1_000.0
    ring_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.max_lag_ms <= 1_000 * self.ring_s:
            raise ConfigError(
                f"max_lag_ms is {self.max_lag_ms} and ring_s is {self.ring_s}; expected a lag above 0 that the "
                "ring can hold"
            )


@dataclass(frozen=True)
class Config:
    """Everything that can be set.

    Attributes
    ----------
    stream : tuple of StreamConfig
        At least one, and at most one of them standard input.
    gate : DecisionConfig
        When the music gate opens and closes.
    sounds : DecisionConfig
        When an everyday sound goes on and off: a knock on a door is short.
    genre : DecisionConfig
        When a genre is decided on: it does not change with every bar.
    taught : DecisionConfig
        When a sound that the user taught goes on and off.
    voice : DecisionConfig
        When a voice in music sets in and pauses.
    """

    stream: tuple[StreamConfig, ...] = (StreamConfig(),)
    pcm: PcmConfig = PcmConfig()
    models: ModelsConfig = ModelsConfig()
    gate: DecisionConfig = DecisionConfig()
    sounds: DecisionConfig = DecisionConfig(min_on_ms=80.0, min_off_ms=500.0)
    genre: DecisionConfig = DecisionConfig(min_on_ms=500.0, min_off_ms=1_500.0)
    taught: DecisionConfig = DecisionConfig(min_on_ms=160.0, min_off_ms=500.0)
    voice: DecisionConfig = DecisionConfig(min_on_ms=100.0, min_off_ms=500.0)
    stems: StemsConfig = StemsConfig()
    publish: PublishConfig = PublishConfig()
    engine: EngineConfig = EngineConfig()

    def __post_init__(self) -> None:
        if not self.stream:
            raise ConfigError(
                "stream is empty; expected at least one [[stream]], or none of the key for a microphone"
            )
        from_stdin = [entry.device for entry in self.stream].count("-")
        if from_stdin > 1:
            raise ConfigError(
                f"{from_stdin} streams have the device '-'; expected at most one: there is one standard input"
            )


def read_config(path: Path) -> Config:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is no TOML, or a key or value in it cannot be used; the text names the key
        and the nearest that exists.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; give --config a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    try:
        return from_mapping(Config, content, base=Config())
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def from_mapping(kind: type[T], content: Mapping[str, Any], where: str = "", base: T | None = None) -> T:
    """Build a configuration dataclass from nested mappings, checking every key and type.

    Parameters
    ----------
    kind : type
        A configuration dataclass.
    content : Mapping
        Its fields by name.
    where : str
        Key of `content` in the file, for the error text.
    base : optional
        What holds where a key is absent; None takes the defaults of `kind`.

    Raises
    ------
    ConfigError
        If a key does not exist, or a value has another type or is infinite or no number.
    """
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            way_out = f"did you mean {where + near[0]!r}?" if near else f"expected one of {', '.join(known)}"
            raise ConfigError(f"unknown key {where + key!r}; {way_out}")
        values[key] = _value(hints[key], value, where + key, getattr(base, key, None))
    return kind(**values) if base is None else replace(base, **values)  # type: ignore[type-var]


def _value(hint: Any, value: Any, where: str, base: Any) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} is {value!r}; expected a list of tables, [[{where}]]")
        return tuple(_value(get_args(hint)[0], item, where, None) for item in value)
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {value!r}; expected a table, [{where}]")
        return from_mapping(hint, value, where + ".", base)  # type: ignore[arg-type]
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    wanted = [option for option in options if option is not NoneType]
    if float in wanted and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, tuple(wanted)) or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(option.__name__ for option in wanted)
        raise ConfigError(f"{where} is {value!r}; expected {names}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} is {value!r}; expected a finite number")
    return value
