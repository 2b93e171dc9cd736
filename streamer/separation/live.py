"""Separation of one stream as it comes: only while its gate is open, to the exact sample, without a click."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.fade import rising
from streamer.dsp.model_calls import Calls, run_alone
from streamer.heads.gated import Switch
from streamer.heads.head_decisions import HeadDecisions, HeadState
from streamer.heads.hysteresis import Change
from streamer.inference.model import Model
from streamer.separation.separator import Separator, Stems

FADE_S = 0.01
"""Of the stems where they begin and end: a raised cosine."""
PRE_ROLL_S = 1.0
"""Sound before an opening that the network hears, so that it knows the level and what goes on."""


@dataclass(frozen=True)
class StemPiece:
    """A piece of sound, apart.

    Attributes
    ----------
    start, stop : int
        Samples since the epoch began.
    voice, music : float32 array, shape (samples, channels)
    """

    start: int
    stop: int
    voice: Array
    music: Array


@dataclass(frozen=True)
class VoiceResult:
    """What is said of the voice: changes at sample `stop`."""

    stop: int
    changes: tuple[Change, ...]


@dataclass
class _OpenSeparation:
    """A separation that hears, from its opening on.

    Attributes
    ----------
    state : State
    voice : HeadState
    origin : int
        Sample of its first hop.
    given, told : int
        Samples given out, below 0 while those are due that came before the opening; hops told of.
    """

    state: State
    voice: HeadState
    origin: int
    given: int = 0
    told: int = 0


@dataclass
class LiveSeparationState:
    """What a `LiveSeparation` carries.

    Attributes
    ----------
    heard : int
        Samples so far.
    history : deque of array, shape (samples, channels)
        The last of them, for an opening, as they came.
    held : int
        How many these are.
    running : _OpenSeparation or None
        None while the gate is closed.
    """

    history: deque[Array] = field(default_factory=deque)
    held: int = 0
    heard: int = 0
    running: _OpenSeparation | None = None


class LiveSeparation:
    """Stems and voice activity of a stream.

    Unlike what is gated on the resampled sound, it does not wait until the gate's word on a sample is known: a switch
    said at sample T takes effect at T + `late_samples`, by when the word is known whatever the cutting. So stems are
    late by the transform's latency alone.

    Parameters
    ----------
    model : Model
        A separation.
    rate_hz, channels : int
        Of the sound.
    decisions : HeadDecisions
        When there is a voice.
    gated : bool
        Whether it waits for switches; else it runs from the first sample on.
    late_samples : int
        At most so many samples after T is the gate's word on T known.
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
        self._hop = self._separator.stft.hop_samples
        self._gated, self._late = gated, late_samples
        self._history_samples = round(PRE_ROLL_S * rate_hz) // self._hop * self._hop
        self._channels = channels
        self._fade = rising(round(FADE_S * rate_hz))
        self._decisions = decisions

    def init(self) -> LiveSeparationState:
        """State of a stream that has heard nothing."""
        state = LiveSeparationState()
        if not self._gated:
            run_alone(self._open(state))
        return state

    def step(
        self, x: Array, switches: Sequence[Switch], state: LiveSeparationState
    ) -> Calls[list[StemPiece | VoiceResult]]:
        """Take samples; give what is apart and what is said of the voice.

        Parameters
        ----------
        x : float32 array, shape (samples, channels)
            Finite.
        switches : sequence of Switch
            Of the gate, that take effect within `x` or before it.
        state : LiveSeparationState
            Updated.

        Returns
        -------
        generator
            Of what it asks for; gives a list of StemPiece and VoiceResult.
        """
        given: list[StemPiece | VoiceResult] = []
        for switch in switches:
            at = max(0, switch.at + self._late - state.heard)
            given += yield from self._hear(x[:at], state)
            x = x[at:]
            if switch.opens:
                yield from self._open(state)
            else:
                given += self.finish(state)
        return given + (yield from self._hear(x, state))

    def known(self, stop: int) -> int:
        """Up to which sample the gate's switches are known, and take effect, when sound up to `stop` was heard."""
        return stop - self._late

    def finish(self, state: LiveSeparationState) -> list[StemPiece | VoiceResult]:
        """Give what the end of the sound, or of hearing it, completes, faded out."""
        running, state.running = state.running, None
        if running is None:
            return []
        given = self._given(self._separator.flush(running.state), running, state.heard)
        _fade_out([part for part in given if isinstance(part, StemPiece)], len(self._fade))
        ended = self._decisions.end(state.heard, running.voice)
        return [*given, VoiceResult(state.heard, tuple(ended))]

    def _open(self, state: LiveSeparationState) -> Calls[None]:
        """Begin to hear at the next sample, after the last second of what was heard."""
        history = np.concatenate([np.zeros((0, self._channels), np.float32), *state.history])
        history = history[-self._history_samples :]
        heard = history[None, len(history) % self._hop :]
        _, samples = yield from self._separator.step(heard, self._separator.init())
        before = self._separator.waiting(samples)
        state.running = _OpenSeparation(
            samples, self._decisions.init(state.heard), state.heard, given=-before
        )

    def _hear(self, x: Array, state: LiveSeparationState) -> Calls[list[StemPiece | VoiceResult]]:
        if not len(x):
            return []
        state.heard += len(x)
        if self._gated:
            self._remember(x, state)
        if state.running is None:
            return []
        stems, state.running.state = yield from self._separator.step(x[None], state.running.state)
        return self._given(stems, state.running, state.heard)

    def _remember(self, x: Array, state: LiveSeparationState) -> None:
        """Keep what an opening may ask for: pieces as they came, joined only then."""
        state.history.append(x)
        state.held += len(x)
        while state.held - len(state.history[0]) >= self._history_samples:
            state.held -= len(state.history.popleft())

    def _given(self, stems: Stems, running: _OpenSeparation, heard: int) -> list[StemPiece | VoiceResult]:
        """Cut into hops, so that the pieces are the same however the sound was cut."""
        parts: list[StemPiece | VoiceResult] = []
        for first in range(0, stems.voice.shape[1], self._hop):
            voice, music = (stem[0, first : first + self._hop] for stem in (stems.voice, stems.music))
            at, running.given = running.given, running.given + len(voice)
            if at >= 0:
                rise = self._fade[at : at + len(voice)]
                for stem in (voice, music):
                    stem[: len(rise)] *= rise
                start = running.origin + at
                parts.append(StemPiece(start, start + len(voice), voice, music))
        for score in stems.voiced[0]:
            start = running.origin + running.told * self._hop
            running.told += 1
            if start < heard:  # the last frames only complete the sound of those before them
                stop = min(start + self._hop, heard)
                changes = self._decisions.step(np.array([score]), start, stop, running.voice)
                parts.append(VoiceResult(stop, tuple(changes or ())))
        return parts


def _fade_out(parts: Sequence[StemPiece], samples: int) -> None:
    """Let the last samples of some pieces fade, as far as they reach."""
    left = min(samples, sum(len(part.voice) for part in parts))
    fall = rising(left)[::-1]
    for part in reversed(parts):
        count = min(left, len(part.voice))
        for stem in (part.voice, part.music):
            stem[len(stem) - count :] *= fall[left - count : left]
        left -= count
