"""Sections of the configuration, each a frozen dataclass: raw PCM, models, stems, publishing and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamer.errors import ConfigError
from streamer.head_slots import HEAD_SLOTS
from streamer.inference_backends import BACKENDS
from streamer.setting_types import check_keys, check_types

MODEL_KEYS = tuple(slot.name for slot in HEAD_SLOTS)
"""Keys of ``[models]`` that name a model, and of ``--model KEY=MODEL``."""

PREFERENCES = ("balanced", "precision", "recall")
"""Aims of an operating point: neither kind of error at the cost of the other, few false alarms, or few misses."""

STEMS = ("voice", "music")
"""Labels of the two results of the separation."""

STEM_ENCODINGS = {"flac": "PCM_24", "wav": "FLOAT"}
"""Sample encoding of each form of stem file. FLAC has no floats: samples beyond full scale are clipped."""

DEFAULT_ADDRESS = "tcp://127.0.0.1:7765"
"""Address on which `streamer listen` publishes and to which subscribers connect by default."""

KEYS = "keys"
"""Metadata of a field whose mapping has these keys, each of which the file writes as a key beside the other fields."""


@dataclass(frozen=True)
class PcmConfig:
    """Format of raw PCM on standard input and named pipes: ``[pcm]``.

    Attributes
    ----------
    rate_hz, channels : int
        Format of the interleaved samples.
    encoding : str
        Encoding of each sample, by the name that ffmpeg, arecord or sox gives it. ``auto`` is ``s16le``; if rate and
        channels are not given either, the input may also begin with the header of a sound file, which is decoded.
    """

    rate_hz: int = 16_000
    channels: int = 1
    encoding: str = "auto"

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class ModelsConfig:
    """The models that run: ``[models]``.

    Attributes
    ----------
    names : mapping of str to str or None
        For each key in `MODEL_KEYS` a released model's name or a folder; ``off`` or nothing leaves the slot empty,
        None takes the slot's default model (`streamer.head_slots`). Keys that are not given take the slot's default.
        For ``taught`` it is a folder of taught sounds (``streamer teach --folder``); None takes the user's own, if
        there are any.
    prefer : {"balanced", "precision", "recall"}
        Operating point of the models: few false alarms (precision), few misses (recall), or neither at the cost of
        the other.
    pre_roll_s : float
        Sound from before the gate opened that a gated head is given first, 0 to 60 seconds.

    Raises
    ------
    ConfigError
        If a value is out of its range, or a key of `names` is no slot.
    """

    names: Mapping[str, str | None] = field(default_factory=dict, hash=False, metadata={KEYS: MODEL_KEYS})
    prefer: str = "balanced"
    pre_roll_s: float = 3.0

    def __post_init__(self) -> None:
        check_types(self)
        check_keys("models", self.names, MODEL_KEYS)
        names = {slot.name: self.names.get(slot.name, slot.default_model) for slot in HEAD_SLOTS}
        object.__setattr__(self, "names", names)
        if self.prefer not in PREFERENCES:
            raise ConfigError(f"prefer is {self.prefer!r}; expected one of {', '.join(PREFERENCES)}")
        if not 0 <= self.pre_roll_s <= 60:
            raise ConfigError(f"pre_roll_s is {self.pre_roll_s}; expected 0 to 60 seconds")


@dataclass(frozen=True)
class StemsConfig:
    """Where voice and music, the stems, go: ``[stems]``.

    Attributes
    ----------
    publish : bool
        Whether stems are published, as messages of kind ``stem``.
    to : str
        Folder into which stems are written; an empty text writes none.
    form : {"flac", "wav"}
        Format of the files.
    play : {"", "voice", "music"}
        Stem that is played live; an empty text plays none.
    output : str
        Device that plays the stem: ``default``, an index, or part of its name. No two streams play on one.
    """

    publish: bool = False
    to: str = ""
    form: str = "flac"
    play: str = ""
    output: str = "default"

    def __post_init__(self) -> None:
        check_types(self)
        if self.form not in STEM_ENCODINGS:
            raise ConfigError(f"stems form is {self.form!r}; expected one of {', '.join(STEM_ENCODINGS)}")
        if self.play not in {"", *STEMS}:
            raise ConfigError(f"stems play is {self.play!r}; expected {' or '.join(STEMS)}, or nothing")

    @property
    def wanted(self) -> bool:
        """Whether stems are published, written or played."""
        return self.publish or bool(self.to) or bool(self.play)


@dataclass(frozen=True)
class PublishConfig:
    """Messages that are published, their address and their rate: ``[publish]``.

    Attributes
    ----------
    bind : str
        ZeroMQ address; anything but loopback needs `keys`.
    keys : str
        Folder made by ``streamer keys``; empty publishes in the clear on loopback.
    scores_hz, level_hz : float or None
        Messages per second of sound, above 0 and at most 100. None sends about ten a second, each with a step of a
        model that runs always, so that one waking serves both.
    spectrum : bool
        Whether log-mel frames are published, at `level_hz`.
    top : int
        Number of labels per head in ``scores``.
    heartbeat_s : float
        Seconds between two ``status`` messages.
    """

    bind: str = DEFAULT_ADDRESS
    keys: str = ""
    scores_hz: float | None = None
    level_hz: float | None = None
    spectrum: bool = False
    top: int = 5
    heartbeat_s: float = 1.0

    def __post_init__(self) -> None:
        check_types(self)
        for name, value in (("scores_hz", self.scores_hz), ("level_hz", self.level_hz)):
            if value is not None and not 0 < value <= 100:
                raise ConfigError(f"{name} is {value}; expected above 0 and at most 100 messages a second")
        if self.heartbeat_s <= 0:
            raise ConfigError(f"heartbeat_s is {self.heartbeat_s}; expected seconds above 0")
        if self.top < 1:
            raise ConfigError(f"top is {self.top}; expected 1 or more labels")


@dataclass(frozen=True)
class EngineConfig:
    """Pace of live processing, its bound on lag, and the library that runs the models: ``[engine]``.

    Attributes
    ----------
    max_lag_ms : float
        Longest sound that may wait to be processed. If more waits, the oldest is dropped, counted and announced.
    ring_s : float
        Seconds of sound that the capture ring holds.
    turn_ms : float or None
        Longest live sound that gathers before it is processed, 1 to 100. With few streams, sound is processed as soon
        as a message may be due. Short turns cost more, long ones delay more. None takes 100, or 10 if stems are wanted.
    backend : {"cpu", "cuda", "torch"}
        ONNX Runtime on the CPU; the same on a GPU; or torch on a GPU, which keeps the models' states there.
    threads : int
        Threads of a model on the CPU, 1 to 256. More than one helps large models alone.
    reconnect : bool
        Whether a live source that broke off is opened again, for as long as it takes.
    wait : bool
        Whether a source that cannot be opened at the start is waited for in the same way.
    longest_wait_s : float
        Longest time between two tries, above 0 and at most 3,600 seconds. The first ones come sooner.
    """

    max_lag_ms: float = 1_000.0
    ring_s: float = 10.0
    turn_ms: float | None = None
    backend: str = "cpu"
    threads: int = 1
    reconnect: bool = True
    wait: bool = False
    longest_wait_s: float = 30.0

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.max_lag_ms <= 1_000 * self.ring_s:
            raise ConfigError(
                f"max_lag_ms is {self.max_lag_ms} and ring_s is {self.ring_s}; expected a lag above 0 that the "
                "ring can hold"
            )
        if self.turn_ms is not None and not 1 <= self.turn_ms <= 100:
            raise ConfigError(f"turn_ms is {self.turn_ms}; expected 1 to 100, or none of the key")
        if self.backend not in BACKENDS:
            raise ConfigError(f"backend is {self.backend!r}; expected one of {', '.join(BACKENDS)}")
        if not 1 <= self.threads <= 256:
            raise ConfigError(f"threads is {self.threads}; expected 1 to 256")
        if not 0 < self.longest_wait_s <= 3_600:
            raise ConfigError(
                f"longest_wait_s is {self.longest_wait_s}; expected above 0 and at most 3600 seconds"
            )
