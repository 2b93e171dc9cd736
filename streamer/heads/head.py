"""A head: a model, the embedding model whose output it takes, its gate, and the rules of its decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamer.dsp.log_mel import LogMel
from streamer.dsp.stage import Stage
from streamer.errors import ModelError
from streamer.head_slots import DecisionConfig
from streamer.heads.head_decisions import HeadDecisions, decisions_for, thresholds_for
from streamer.heads.label_choice import LabelChoice
from streamer.inference.manifest import Manifest
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model import Model


@dataclass(frozen=True)
class DecidingModel:
    """A model whose scores become decisions.

    Attributes
    ----------
    name : str
        Name of the head in ``scores``, which is also its section of the configuration (``sounds``).
    kind : str
        Kind of the messages that report its decisions (``sound``), of all labels but those in `own_kinds`.
    model : Model
    decisions : DecisionConfig
        Settings that hold for each of the model's labels.
    prefer : str
        Name of the operating point that is used.
    own_kinds : tuple of str
        Labels whose decisions have a kind of their own, named like the label.
    opened_by : str or None
        Name of the head that is the gate: this head runs only while a label of the gate is on that is not in the
        gate's `own_kinds`. None: it runs always.

    Raises
    ------
    ModelError
        If the model lacks the preferred operating point.
    ConfigError
        If the configuration sets one threshold that contradicts the model's other one.
    """

    name: str
    kind: str
    model: Model
    decisions: DecisionConfig
    prefer: str = field(default="balanced", kw_only=True)
    own_kinds: tuple[str, ...] = field(default=(), kw_only=True)
    opened_by: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._thresholds()  # refuses those that do not go together

    @property
    def manifest(self) -> Manifest:
        """Manifest with the labels that are decided on."""
        return self.model.manifest

    def kind_of(self, label: str) -> str:
        """Return the kind of the messages that report decisions about a label."""
        return label if label in self.own_kinds else self.kind

    def decisions_at(self, rate_hz: int, warm_up_samples: int) -> HeadDecisions:
        """Return the rules of the decisions, with times in samples at `rate_hz`; see `decisions_for`."""
        kinds = [self.kind_of(label) for label in self.manifest.labels]
        # Without a message, a consumer of a kind with one label could not tell "no speech" from "not decided yet".
        tells_state = tuple(kinds.count(kind) == 1 for kind in kinds)
        return decisions_for(
            self.manifest, self._thresholds(), self.decisions, rate_hz, warm_up_samples, tells_state
        )

    def _thresholds(self) -> tuple[Thresholds, ...]:
        return thresholds_for(self.name, self.manifest, self.decisions, self.prefer)


@dataclass(frozen=True)
class Head(DecidingModel):
    """A model that scores log-mel frames or embeddings.

    Attributes
    ----------
    ear : Model or None
        Embedding model whose output the model takes; None where it takes log-mel frames.
    pre_roll_s : float
        Seconds of sound from before the gate opened that the head gets first.
    choice : LabelChoice or None
        Labels of the model that are used; None uses all.

    Raises
    ------
    ModelError
        If the model was made for another ear.
    """

    ear: Model | None = None
    pre_roll_s: float = 3.0
    choice: LabelChoice | None = None

    def __post_init__(self) -> None:
        self._check_ear()
        super().__post_init__()

    @property
    def manifest(self) -> Manifest:
        return self.choice.manifest if self.choice else self.model.manifest

    @property
    def path(self) -> tuple[Stage, ...]:
        """Stages from resampled sound to scores. Heads share stages that have equal keys."""
        stages = LogMel(self.model.manifest.log_mel), self.ear, self.model, self.choice
        return tuple(stage for stage in stages if stage)

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
