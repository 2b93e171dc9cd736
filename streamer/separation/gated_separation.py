"""The separation of a stream: its model, its gate, and its state while the stream runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from streamer.arrays import Array
from streamer.dsp.model_calls import Calls
from streamer.dsp.resample import Resample
from streamer.heads.gating import GatedState, Switch
from streamer.heads.head import DecidingModel
from streamer.heads.loudness import PowerAt
from streamer.separation.live import LiveSeparation, SeparationResult, SeparationRun

_ALWAYS_OPEN = Switch(opens=True, since=0, at=0)
"""The only switch of a separation without a gate."""


@dataclass(frozen=True)
class Separation(DecidingModel):
    """A model that separates voice from accompaniment, and scores the voice.

    Attributes
    ----------
    gate_rate_hz : int
        Sample rate in Hz to which the sound is resampled for the gate. Live stems start and stop later by the latency
        of this resampler, since a decision of the gate is known only then.
    """

    gate_rate_hz: int = 16_000

    def live(self, rate_hz: int, channels: int) -> LiveSeparation:
        """Return a separation for live sound of this sample rate and number of channels."""
        manifest = self.model.manifest
        warm_up_samples = round(manifest.warm_up_frames * manifest.frame_ms * rate_hz / 1_000)
        decisions = self.decisions_at(rate_hz, warm_up_samples)
        late_samples = ceil(Resample(rate_hz, self.gate_rate_hz).latency)
        gated = self.opened_by is not None
        return LiveSeparation(self.model, rate_hz, channels, decisions, gated, late_samples)


class SeparatedStream:
    """The separation of one epoch of a stream.

    Parameters
    ----------
    separation : Separation
        Model with its rules.
    rate_hz, channels : int
        Sample rate and number of channels of the captured sound.
    power_at : callable
        Tells the power of the sound before a sample, for the floor of the decisions on the voice: see `PowerAt`.
    """

    def __init__(self, separation: Separation, rate_hz: int, channels: int, power_at: PowerAt) -> None:
        self._live = separation.live(rate_hz, channels)
        self._state: GatedState[SeparationRun] = GatedState(power_at=power_at)
        self._first_switches = [] if separation.opened_by is not None else [_ALWAYS_OPEN]
        self._processed_samples = 0

    def step(self, x: Array, switches: Sequence[Switch]) -> Calls[list[SeparationResult]]:
        """Process samples, and return the stems and changes of the voice that they complete.

        Parameters
        ----------
        x : float32 array, shape (samples, channels)
            Next samples at the captured rate, none NaN or infinite; full scale is -1 to 1.
        switches : sequence of Switch
            Openings and closings of the gate that were found in these samples; ignored by a separation without a gate.
        """
        self._live.add(x[None], self._state)
        self._processed_samples += len(x)
        switches, self._first_switches = [*self._first_switches, *switches], []
        return (yield from self._live.advance(switches, self._processed_samples, self._state))

    def finish(self) -> list[SeparationResult]:
        """Return the stems, faded out, and changes of the voice that the end of the sound completes."""
        end = self._processed_samples
        return [*self._live.finish([], end, self._state), *self._live.close(end, self._state)]
