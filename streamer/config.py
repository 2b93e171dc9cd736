"""Everything that can be set: frozen dataclasses, which `streamer.config_file` reads from TOML."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from streamer.errors import ConfigError

PREFERENCES = ("balanced", "precision", "recall")
"""What an operating point may be chosen for: neither at the cost of the other, few false alarms, or few misses."""


@dataclass(frozen=True)
class DecisionConfig:
    """When a score becomes a decision.

    Attributes
    ----------
    on, off : float or None
        Probabilities, 0 <= off <= on <= 1. A span begins at a score of `on` or more and ends below `off`;
        None takes the model's own operating point.
    min_on_ms, min_off_ms : float
        How long a change must last before it is believed.
    warm_up_ms : float or None
        Scores this soon after a start are not decided on; None takes the model's own figure.
    update_ms : float
        Between two ``update`` messages while something goes on.
    """

    on: float | None = None
    off: float | None = None
    min_on_ms: float = 180.0
    min_off_ms: float = 600.0
    warm_up_ms: float | None = None
    update_ms: float = 1_000.0

    def __post_init__(self) -> None:
        on = 1.0 if self.on is None else self.on
        off = 0.0 if self.off is None else self.off
        if not 0.0 <= off <= on <= 1.0:
            raise ConfigError(
                f"thresholds are on = {self.on}, off = {self.off}; expected 0 <= off <= on <= 1"
            )
        times = self.min_on_ms, self.min_off_ms, self.warm_up_ms or 0.0, self.update_ms
        if min(times) < 0:
            raise ConfigError(
                f"min_on_ms = {self.min_on_ms}, min_off_ms = {self.min_off_ms}, warm_up_ms = {self.warm_up_ms}, "
                f"update_ms = {self.update_ms}; expected none below 0"
            )


PLACES = ("gate", "sounds", "genre", "taught", "separation")
"""Where a model may listen, the keys of ``[models]``."""

OWN_KEYS = ("models", "gate", "sounds", "genre", "taught", "voice", "stems")
"""Keys of which a stream may have its own."""

STEMS = ("voice", "music")
"""What sound is taken apart into."""

STEM_ENCODINGS = {"flac": "PCM_24", "wav": "FLOAT"}
"""What stems are written as, and how samples are encoded. FLAC has no floats: what is beyond full scale is cut off."""

BACKENDS = ("cpu", "cuda", "torch")
"""What may run the models."""

TURN_S = 0.05
"""Most sound that gathers between two looks at live sources: what a look costs, against what it adds to the delay."""

STEMS_TURN_S = 0.01
"""The same where stems are wanted, which are to sound soon: a hop of the default spectra."""

DEFAULT_ADDRESS = "tcp://127.0.0.1:7765"
"""Where `streamer listen` publishes and subscribers look, unless told otherwise."""


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
    play : {"", "voice", "music"}
        Which is played live, if any.
    output : str
        Device that plays it: ``default``, an index, or part of its name. No two streams play on one.
    """

    publish: bool = False
    to: str = ""
    form: str = "flac"
    play: str = ""
    output: str = "default"

    def __post_init__(self) -> None:
        if self.form not in STEM_ENCODINGS:
            raise ConfigError(f"stems form is {self.form!r}; expected one of {', '.join(STEM_ENCODINGS)}")
        if self.play not in {"", *STEMS}:
            raise ConfigError(f"stems play is {self.play!r}; expected {' or '.join(STEMS)}, or nothing")

    @property
    def wanted(self) -> bool:
        """Whether anything is to be made of them."""
        return self.publish or bool(self.to) or bool(self.play)


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
    priority : int
        Where the machine cannot carry all streams, those of the lowest are left out first.
    models : ModelsConfig or None
    gate, sounds, genre, taught, voice : DecisionConfig or None
    stems : StemsConfig or None
        What holds for this stream in the place of what holds for all: ``[stream.models]``, ``[stream.gate]`` and so on,
        of which each key that is absent is as in ``[models]``, ``[gate]`` and so on. None is all as there.
    """

    device: str = "auto"
    name: str = ""
    rate_hz: int = 0
    channels: int = 0
    priority: int = 0
    models: ModelsConfig | None = None
    gate: DecisionConfig | None = None
    sounds: DecisionConfig | None = None
    genre: DecisionConfig | None = None
    taught: DecisionConfig | None = None
    voice: DecisionConfig | None = None
    stems: StemsConfig | None = None

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
class EngineConfig:
    """When live sound is heard, how far that may fall behind, and what runs the models: ``[engine]``.

    Attributes
    ----------
    max_lag_ms : float
        Waiting sound beyond this is dropped, oldest first, counted and announced.
    ring_s : float
        Seconds of sound that the capture ring holds.
    turn_ms : float or None
        Most live sound that gathers before it is heard, 1 to 50; of few streams it is heard as soon as a message may
        be due. Each turn costs, and waiting for it delays. None takes 50, and 10 where stems are wanted.
    backend : {"cpu", "cuda", "torch"}
        What runs the models: ONNX Runtime on the CPU; the same on a GPU; or torch on a GPU, which keeps their states
        there.
    threads : int
        Of a model on the CPU, 1 to 256. More are of use to large ones alone.
    """

    max_lag_ms: float = 1_000.0
    ring_s: float = 10.0
    turn_ms: float | None = None
    backend: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.max_lag_ms <= 1_000 * self.ring_s:
            raise ConfigError(
                f"max_lag_ms is {self.max_lag_ms} and ring_s is {self.ring_s}; expected a lag above 0 that the "
                "ring can hold"
            )
        if self.turn_ms is not None and not 1 <= self.turn_ms <= 50:
            raise ConfigError(f"turn_ms is {self.turn_ms}; expected 1 to 50, or none of the key")
        if self.backend not in BACKENDS:
            raise ConfigError(f"backend is {self.backend!r}; expected one of {', '.join(BACKENDS)}")
        if not 1 <= self.threads <= 256:
            raise ConfigError(f"threads is {self.threads}; expected 1 to 256")


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

    def of(self, stream: StreamConfig) -> Config:
        """What holds for a stream: its own where it has any."""
        own = {key: getattr(stream, key) for key in OWN_KEYS}
        return replace(self, **{key: value for key, value in own.items() if value is not None})

    @property
    def turn_s(self) -> float:
        """Seconds of live sound that gather before it is heard, at most."""
        if self.engine.turn_ms is not None:
            return self.engine.turn_ms / 1_000
        return STEMS_TURN_S if self.stems.wanted else TURN_S
