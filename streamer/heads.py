"""The models of one stream, stepped together: resamplers and front ends that agree are shared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from streamer.config import Config
from streamer.decisions import Decider, DecisionConfig
from streamer.errors import ConfigError, ModelError
from streamer.frontend import FrontEnd, FrontEndConfig
from streamer.inference.onnx import OnnxModel
from streamer.manifest import find_model
from streamer.resample import Resample
from streamer.stage import Array, Chain, Stage, State


@dataclass(frozen=True)
class Head:
    """A model and when its scores become decisions.

    Attributes
    ----------
    kind : str
        Of its decisions (``gate``); also its name in ``scores``.
    model : OnnxModel
    decisions : DecisionConfig
        For each of the model's labels.

    Raises
    ------
    ConfigError
        If a threshold that is set does not go with the model's other one.
    """

    kind: str
    model: OnnxModel
    decisions: DecisionConfig

    def __post_init__(self) -> None:
        config = self.decisions
        on, off = self._operating_point
        if off > on:
            owner = f"model {self.model.manifest.name}"
            raise ConfigError(
                f"thresholds of {self.kind} are on = {on} (from "
                f"{owner if config.on is None else 'the configuration'}), off = {off} (from "
                f"{owner if config.off is None else 'the configuration'}); expected off <= on: set both in "
                f"[{self.kind}], or neither"
            )

    @property
    def _operating_point(self) -> tuple[float, float]:
        """`on` and `off`, with the model's own figures where none are set."""
        own, config = self.model.manifest.thresholds, self.decisions
        return own.on if config.on is None else config.on, own.off if config.off is None else config.off

    def decider(self, rate_hz: int) -> Decider:
        """The decisions in samples at `rate_hz`, with the model's own figures where none are set."""
        config, manifest = self.decisions, self.model.manifest
        on, off = self._operating_point
        warm_up_s = (
            manifest.warm_up_frames * manifest.front_end.hop_samples / manifest.front_end.sample_rate_hz
        )
        if config.warm_up_ms is not None:
            warm_up_s = config.warm_up_ms / 1_000
        return Decider(
            on=on,
            off=off,
            min_on_samples=round(config.min_on_ms * rate_hz / 1_000),
            min_off_samples=round(config.min_off_ms * rate_hz / 1_000),
            warm_up_samples=round(warm_up_s * rate_hz),
            update_samples=round(config.update_ms * rate_hz / 1_000),
        )


def heads_of(config: Config) -> tuple[Head, ...]:
    """Load the models of a configuration.

    Raises
    ------
    ModelError
        If one is absent, altered or does not fit, or decides something else.
    ConfigError
        If the thresholds that are set do not go with the model's.
    """
    model = OnnxModel(find_model(config.models.gate))
    if model.manifest.task != "gate":
        raise ModelError(
            f"model {model.manifest.name} decides {model.manifest.task!r}; expected a model whose task is 'gate': "
            "name one in [models] gate, see `streamer models`"
        )
    return (Head("gate", model, config.gate),)


@dataclass(frozen=True)
class Outcome:
    """What a front end or a model gave out, placed on the clock of the captured sound.

    Attributes
    ----------
    start, stop : int
        Samples since the epoch began that are new in it; `stop` is the last that it knows of, plus one.
    source : FrontEndConfig or Head
    values : array
        One log-mel frame, or one score for each label.
    """

    start: int
    stop: int
    source: FrontEndConfig | Head
    values: Array


@dataclass(frozen=True)
class _Placement:
    """Where the items of a stage lie on the clock of the captured sound, in integers.

    Item ``k`` is known from sample ``(k * hop + latency) / scale`` on.
    """

    hop: int
    latency: int
    scale: int

    @classmethod
    def of(cls, hop: Fraction, latency: Fraction) -> _Placement:
        scale = hop.denominator * latency.denominator
        return cls(int(hop * scale), int(latency * scale), scale)

    def span(self, k: int) -> tuple[int, int]:
        """First sample that is new in item `k`, and one past the last that it knows of."""
        stop = k * self.hop + self.latency
        return max(0, -((self.hop - stop) // self.scale)), -(-stop // self.scale)


@dataclass(frozen=True)
class _Placed:
    """A stage that is shared or decided on, and where its items lie."""

    stage: Stage
    source: FrontEndConfig | Head
    placement: _Placement


@dataclass
class _Running:
    """A stage's state and how many items it has given out."""

    state: State
    given: int = 0


class HearingState:
    """State of a `Hearing`: what each of its stages carries.

    Parameters
    ----------
    stages : iterable of Stage
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        self.running = {stage: _Running(stage.init()) for stage in stages}


class Hearing:
    """All heads of a stream over its mono samples.

    Parameters
    ----------
    heads : sequence of Head
    rate_hz : int
        Of the captured sound.
    with_frames : bool
        Whether log-mel frames are outcomes too, besides scores.
    """

    def __init__(self, heads: Sequence[Head], rate_hz: int, with_frames: bool) -> None:
        self._with_frames = with_frames
        configs = dict.fromkeys(head.model.manifest.front_end for head in heads)
        rates = dict.fromkeys(config.sample_rate_hz for config in configs)
        self._resamplers = {rate: Resample(rate_hz, rate) for rate in rates}
        self._front_ends: dict[Stage, list[_Placed]] = {stage: [] for stage in self._resamplers.values()}
        self._models: dict[Stage, list[_Placed]] = {}
        for config in configs:
            resampler, front_end = self._resamplers[config.sample_rate_hz], FrontEnd(config)
            scale = resampler.hop
            placement = _placement_of(front_end, scale)
            self._front_ends[resampler].append(_Placed(front_end, config, placement))
            self._models[front_end] = [
                _Placed(head.model, head, _placement_of(Chain(front_end, head.model), scale))
                for head in heads
                if head.model.manifest.front_end == config
            ]

    def init(self) -> HearingState:
        """State of a stream that has heard nothing."""
        models = [placed.stage for group in self._models.values() for placed in group]
        return HearingState([*self._front_ends, *self._models, *models])

    def step(self, mono: Array, state: HearingState) -> list[Outcome]:
        """Take samples, give all that they complete, in no particular order.

        Parameters
        ----------
        mono : float32 array, shape (samples,)
            At the captured rate.
        state : HearingState
            Updated.

        Returns
        -------
        list of Outcome
        """
        outcomes: list[Outcome] = []
        for resampler in self._front_ends:
            self._hear(resampler, self._advance(resampler, mono[None], state), state, outcomes)
        return outcomes

    def finish(self, heard: int, state: HearingState) -> list[Outcome]:
        """Give what the end of the sound, after `heard` samples, completes; the state is of no use afterwards."""
        outcomes: list[Outcome] = []
        for resampler in self._front_ends:
            self._hear(resampler, resampler.flush(state.running[resampler].state), state, outcomes)
        # The last resampled sample may lie up to half of one after the end.
        return [replace(outcome, stop=min(outcome.stop, heard)) for outcome in outcomes]

    def horizon(self, heard: int, state: HearingState) -> int:
        """Up to which sample everything has been given out, of `heard` that came in."""
        given = [floor(state.running[stage].given * stage.hop) for stage in self._front_ends]
        return min([heard, *given])

    @staticmethod
    def _advance(stage: Stage, x: Array, state: HearingState) -> Array:
        running = state.running[stage]
        y, running.state = stage.step(x, running.state)
        running.given += y.shape[1]
        return y

    def _hear(self, resampler: Stage, x: Array, state: HearingState, outcomes: list[Outcome]) -> None:
        for front_end in self._front_ends[resampler]:
            frames = self._advance(front_end.stage, x, state)
            if self._with_frames:
                self._collect(front_end, frames, state, outcomes)
            for model in self._models[front_end.stage]:
                self._collect(model, self._advance(model.stage, frames, state), state, outcomes)

    @staticmethod
    def _collect(placed: _Placed, items: Array, state: HearingState, outcomes: list[Outcome]) -> None:
        first = state.running[placed.stage].given - items.shape[1]
        for k, values in enumerate(items[0], first):
            start, stop = placed.placement.span(k)
            outcomes.append(Outcome(start, stop, placed.source, values))


def _placement_of(stage: Stage, scale: Fraction) -> _Placement:
    return _Placement.of(stage.hop * scale, stage.latency * scale)
