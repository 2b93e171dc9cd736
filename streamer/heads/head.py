"""What is listened for: a model, what it hears, when it runs, and when its scores become decisions."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Stage
from streamer.errors import ModelError
from streamer.head_slots import DecisionConfig
from streamer.heads.head_decisions import HeadDecisions, decisions_of, points_of
from streamer.inference.manifest import Thresholds
from streamer.inference.model import Model


@dataclass(frozen=True)
class Head:
    """A model that says something, and when its scores become decisions.

    Attributes
    ----------
    name : str
        In ``scores``, and in the configuration (``sounds``).
    kind : str
        Of its decisions (``sound``).
    model : Model
    decisions : DecisionConfig
        For each of the model's labels.
    ear : Model or None
        Whose embeddings the model hears; None where it hears the front end.
    prefer : str
        Which of the model's operating points is taken.
    opened_by : str or None
        Name of the head that is its gate: it runs while a decision of that one goes on. None runs always.
    pre_roll_s : float
        How much of what came before its gate opened it hears then.

    Raises
    ------
    ModelError
        If the model was made for another ear, or has not the operating point that is preferred.
    ConfigError
        If a threshold that is set does not go with the model's other one.
    """

    name: str
    kind: str
    model: Model
    decisions: DecisionConfig
    ear: Model | None = None
    prefer: str = "balanced"
    opened_by: str | None = None
    pre_roll_s: float = 3.0

    def __post_init__(self) -> None:
        self._check_ear()
        # Refuses thresholds that do not fit.
        points_of(self.name, self.model.manifest, self.decisions, self.prefer)

    @property
    def path(self) -> tuple[Stage, ...]:
        """The stages from resampled sound to scores; heads share those that are equal."""
        front_end = LogMel(self.model.manifest.log_mel)
        return (front_end, self.ear, self.model) if self.ear else (front_end, self.model)

    def decisions_at(self, rate_hz: int, warm_up_samples: int) -> HeadDecisions:
        """The decisions in samples at `rate_hz`; arguments as of `streamer.heads.head_decisions.decisions_of`."""
        return decisions_of(self.model.manifest, self._points, self.decisions, rate_hz, warm_up_samples)

    @property
    def _points(self) -> tuple[Thresholds, ...]:
        return points_of(self.name, self.model.manifest, self.decisions, self.prefer)

    def _check_ear(self) -> None:
        wanted = self.model.manifest.ear
        found = self.ear.manifest.as_ear() if self.ear else None
        if wanted != found:
            raise ModelError(
                f"model {self.model.manifest.name} was made for "
                f"{f'the ear {wanted.name} {wanted.sha256[:12]}' if wanted else 'the front end'} and is given "
                f"{f'the ear {found.name} {found.sha256[:12]}' if found else 'the front end'}: release it anew on "
                "what it is given"
            )
        if self.ear and self.ear.manifest.log_mel != self.model.manifest.log_mel:
            raise ModelError(
                f"model {self.model.manifest.name} names front end "
                f"{self.model.manifest.log_mel.fingerprint[:12]} and its ear hears "
                f"{self.ear.manifest.log_mel.fingerprint[:12]}; expected one: release it anew on that ear"
            )
