"""Separate one stream as it comes: only while its gate is open, to the exact sample, without a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.fade import rising
from streamer.dsp.model_calls import Calls, run_alone
from streamer.dsp.ragged import ONE_ROW, of_equal_length
from streamer.dsp.timeline import Timeline
from streamer.heads.gating import Gated, Switch
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import Change
from streamer.heads.loudness import PowerAt
from streamer.inference.model import Model
from streamer.separation.separator import Separator, Stems

FADE_S = 0.01
"""Length of the fade, a raised cosine, with which stems begin and end."""
PRE_ROLL_S = 1.0
"""Sound from before an opening that the network is given first, so that it knows the level and what goes on."""


@dataclass(frozen=True)
class StemPiece:
    """A piece of both stems.

    Attributes
    ----------
    start, stop : int
        First sample of the piece, and one past its last, counted from the start of the epoch.
    voice, music : float32 array, shape (samples, channels)
        Voice and accompaniment; full scale is -1 to 1.
    """

    start: int
    stop: int
    voice: Array
    music: Array


@dataclass(frozen=True)
class VoiceResult:
    """Decisions on the voice at sample `stop` of the epoch."""

    stop: int
    changes: tuple[Change, ...]


SeparationResult: TypeAlias = StemPiece | VoiceResult


@dataclass
class SeparationRun:
    """State of a separation while its gate is open.

    Attributes
    ----------
    state : State
        State of the separator.
    voice : HeadState
        State of the decisions on the voice.
    origin : int
        First sample after the opening, at which the first hop begins.
    processed_until : int
        Sample of the epoch up to which sound was processed.
    given_samples : int
        Number of samples of the stems that were given out; below 0 while samples of the pre-roll come out, which are
        not reported.
    scored_hops : int
        Number of hops with a score of the voice.
    """

    state: State
    voice: HeadState
    origin: int
    processed_until: int
    given_samples: int
    scored_hops: int = 0


class LiveSeparation(Gated[SeparationRun, SeparationResult]):
    """Makes the stems of a stream and decides on its voice, while the gate is open.

    Gated heads process a sample only when the gate's decision on it is known. For stems, this would add the delay of
    the gate's resampler. So here an opening or closing at sample T takes effect at T + `late_samples`. By then it is
    known however the sound was cut, and stems are late by the latency of the transform alone.

    Parameters
    ----------
    model : Model
        A separation model.
    rate_hz, channels : int
        Format of the sound.
    decisions : HeadDecisions
        Rules of the decisions on the voice.
    gated : bool
        Whether there is a gate. If False, the caller opens the separation once, at sample 0.
    late_samples : int
        Largest number of samples after T that must come in until the gate's decision on sample T is known.
    """

    def __init__(
        self,
        model: Model,
        rate_hz: int,
        channels: int,
        decisions: HeadDecisions,
        gated: bool,
        late_samples: int,
    ) -> None:
        self._separator = Separator(model, rate_hz, channels)
        self._hop_samples = self._separator.stft.hop_samples
        pre_roll = round(PRE_ROLL_S * rate_hz) // self._hop_samples * self._hop_samples
        self._pre_roll_samples = pre_roll if gated else 0
        # Sample k is complete at k + 1, so the first one that is processed after a switch at T is T + late_samples.
        super().__init__(Timeline(), self._pre_roll_samples, late_samples + 1 if gated else 1)
        self._channels = channels
        self._fade = rising(round(FADE_S * rate_hz))
        self._decisions = decisions

    def _pre_roll_start(self, opening: int) -> int:
        samples = min(opening, self._pre_roll_samples)
        return opening - samples // self._hop_samples * self._hop_samples  # whole hops

    def _open(
        self,
        pre_roll: Array | None,
        first: int,
        switch: Switch,  # noqa: ARG002 - nothing is reported of it
        place: State,  # noqa: ARG002 - each stream has arrays of its own
    ) -> Calls[tuple[SeparationRun, list[SeparationResult]]]:
        x = np.zeros((1, 0, self._channels), np.float32) if pre_roll is None else pre_roll
        _, state = yield from self._separator.step(x, self._separator.init())
        origin = first + x.shape[1]
        waiting = self._separator.waiting(state)
        run = SeparationRun(
            state, self._decisions.init(origin), origin, processed_until=origin, given_samples=-waiting
        )
        return run, []

    def _process(self, items: Array, run: SeparationRun, power_at: PowerAt) -> Calls[list[SeparationResult]]:
        run.processed_until += items.shape[1]
        stems, run.state = yield from self._separator.step(items, run.state)
        return self._results(stems, run, power_at)

    def _close(
        self,
        at: int,  # noqa: ARG002 - it ends with its sound
        run: SeparationRun,
        power_at: PowerAt,
    ) -> list[SeparationResult]:
        results = self._results(self._separator.flush(run.state), run, power_at)
        _fade_out([result for result in results if isinstance(result, StemPiece)], len(self._fade))
        end = run.processed_until
        return [*results, VoiceResult(end, tuple(self._decisions.end(end, run.voice)))]

    def _finish(
        self,
        items: Array | None,
        end: int,  # noqa: ARG002 - a sample is never beyond it
        run: SeparationRun,
        power_at: PowerAt,
    ) -> list[SeparationResult]:
        return [] if items is None else run_alone(self._process(items, run, power_at))

    def _results(self, stems: Stems, run: SeparationRun, power_at: PowerAt) -> list[SeparationResult]:
        """Cut stems into hops, so that the pieces are the same however the sound was cut; decide on the voice."""
        results: list[SeparationResult] = []
        for first in range(0, stems.voice.shape[1], self._hop_samples):
            voice, music = (stem[0, first : first + self._hop_samples] for stem in (stems.voice, stems.music))
            at = run.given_samples
            run.given_samples += len(voice)
            if at >= 0:
                rise = self._fade[at : at + len(voice)]
                for stem in (voice, music):
                    stem[: len(rise)] *= rise
                start = run.origin + at
                results.append(StemPiece(start, start + len(voice), voice, music))
        return results + self._voice_results(stems.voiced, run, power_at)

    def _voice_results(self, voiced: Array, run: SeparationRun, power_at: PowerAt) -> list[SeparationResult]:
        """Decide on the voice by its probability in each hop, shape (1, hops)."""
        starts = run.origin + (run.scored_hops + np.arange(voiced.shape[1])) * self._hop_samples
        run.scored_hops += voiced.shape[1]
        starts = starts[
            starts < run.processed_until
        ]  # the last frames only complete the sound of those before them
        if not len(starts):
            return []
        stops = np.minimum(starts + self._hop_samples, run.processed_until)
        scores = of_equal_length(voiced[:, : len(stops), None])
        spans = np.stack([starts, stops])[:, None]
        decided = self._decisions.step_rows(scores, spans, power_at(stops)[None], run.voice, ONE_ROW)
        changes: list[list[Change]] = [[] for _ in stops]
        for _, hop, change in decided.changes:
            changes[hop].append(change)
        return [VoiceResult(stop, tuple(own)) for stop, own in zip(stops.tolist(), changes, strict=True)]


def _fade_out(pieces: Sequence[StemPiece], samples: int) -> None:
    """Fade the last samples of some pieces, as far as they reach."""
    left = min(samples, sum(len(piece.voice) for piece in pieces))
    fall = rising(left)[::-1]
    for piece in reversed(pieces):
        count = min(left, len(piece.voice))
        for stem in (piece.voice, piece.music):
            stem[len(stem) - count :] *= fall[left - count : left]
        left -= count
