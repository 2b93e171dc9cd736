"""The separation of one stream: its model, its gate, and what it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from streamer.arrays import Array
from streamer.dsp.model_calls import Calls
from streamer.dsp.resample import Resample
from streamer.head_slots import DecisionConfig
from streamer.heads.gated import GateState
from streamer.heads.head_decisions import decisions_of, points_of
from streamer.heads.results import HeadResult, TreeResult
from streamer.inference.model import Model
from streamer.separation.live import LiveSeparation, StemPiece, VoiceResult


@dataclass(frozen=True)
class Separation:
    """What separates, and when.

    Attributes
    ----------
    model : Model
        A separation.
    decisions : DecisionConfig
        When there is a voice.
    prefer : str
        Which of the model's operating points is taken.
    opened_by : str or None
        Name of the head that is its gate; None runs always.
    gate_rate_hz : int
        Sample rate that the gate hears.

    Raises
    ------
    ModelError
        If the model has not the operating point that is preferred.
    ConfigError
        If a threshold that is set does not go with the model's other one.
    """

    model: Model
    decisions: DecisionConfig = DecisionConfig()
    prefer: str = "balanced"
    opened_by: str | None = None
    gate_rate_hz: int = 16_000

    def __post_init__(self) -> None:
        # Refuses thresholds that do not fit.
        points_of("voice", self.model.manifest, self.decisions, self.prefer)

    def live(self, rate_hz: int, channels: int) -> LiveSeparation:
        """The separation of sound of this form."""
        manifest = self.model.manifest
        points = points_of("voice", manifest, self.decisions, self.prefer)
        warm_up_samples = round(manifest.warm_up_frames * manifest.frame_ms * rate_hz / 1_000)
        decisions = decisions_of(manifest, points, self.decisions, rate_hz, warm_up_samples)
        late_samples = ceil(Resample(rate_hz, self.gate_rate_hz).latency)
        gated = self.opened_by is not None
        return LiveSeparation(self.model, rate_hz, channels, decisions, gated, late_samples)


class SeparatedStream:
    """One epoch of a stream's sound, apart.

    Parameters
    ----------
    separation : Separation
    rate_hz, channels : int
        Of the sound.
    """

    def __init__(self, separation: Separation, rate_hz: int, channels: int) -> None:
        self._opened_by = separation.opened_by
        self._live = separation.live(rate_hz, channels)
        self._state = self._live.init()
        self._gate = GateState()

    def step(self, x: Array, outcomes: Sequence[TreeResult]) -> Calls[list[StemPiece | VoiceResult]]:
        """Take samples, and what the heads gave for them.

        Parameters
        ----------
        x : float32 array, shape (samples, channels)
            Finite.
        outcomes : sequence of TreeResult
        """
        self._ask(outcomes)
        switches = self._gate.due(self._live.known(self._state.heard + len(x)))
        return (yield from self._live.step(x, switches, self._state))

    def finish(self) -> list[StemPiece | VoiceResult]:
        """Give what the end of the sound completes."""
        return self._live.finish(self._state)

    def _ask(self, outcomes: Sequence[TreeResult]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, HeadResult) and outcome.head.name == self._opened_by:
                self._gate.hear(outcome.changes)
