"""Turn the blocks of one stream into its events: downmix, models, levels, decisions, stems and gaps.

Nothing here uses devices, clocks or sockets: the same sound gives the same events, however it is cut into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamer.arrays import Array, State
from streamer.config_sections import PublishConfig
from streamer.dsp.downmix import Downmix, chosen_channel, muted_samples
from streamer.dsp.level import LevelMeter
from streamer.dsp.model_calls import Calls
from streamer.events.kinds import Event
from streamer.events.make_events import EpochEvents, LevelResult, ScoresDue, StreamResult, report_order
from streamer.heads.gating import Switch
from streamer.heads.head import Head
from streamer.heads.stage_tree import StageTree, StageTreeState
from streamer.separation.gated_separation import SeparatedStream, Separation
from streamer.separation.live import SeparationResult, VoiceResult
from streamer.separation.separator import mute_invalid
from streamer.sources.source import Block


class Pipeline:
    """Processes one stream.

    Events come out in the order of their `stop`, except stems, which come out as soon as they are computed. A spectrum
    comes out with a level, shortly after the end of its last frame. Events have no time and no sequence number yet;
    the engine adds these.

    Parameters
    ----------
    stream : str
        Name of the stream.
    rate_hz : int
        Sample rate of the stream's blocks.
    heads : sequence of Head
        Heads to run, those that run always and gated ones.
    publish : PublishConfig
        Settings which say what periodic events there are (scores, levels, spectra), and how often.
    separation : Separation or None
        Separation to run; None gives no stems and no decisions on a voice.
    epoch : int
        Number of fresh starts of the stream before this pipeline.

    Attributes
    ----------
    epoch : int
        Number of the present epoch, which is the number of fresh starts so far.
    muted_samples : int
        Number of samples that were NaN, infinite or absurdly large, and were processed as silence.
    cancelled : str
        Description of channels that cancelled each other, and of the one that was heard in their place; empty if none
        did.
    wanted_samples : int
        Number of samples from `position` on that complete the next message at the earliest; stems do not count.
    """

    def __init__(
        self,
        stream: str,
        rate_hz: int,
        heads: Sequence[Head],
        publish: PublishConfig,
        separation: Separation | None = None,
        epoch: int = 0,
    ) -> None:
        self._stream = stream
        self._rate_hz = rate_hz
        self._publish = publish
        self._heads = heads
        self._separation = separation
        self._tree = StageTree(heads, rate_hz, publish.spectrum)
        self._meter = LevelMeter(round(rate_hz / publish.level_hz))
        self._scores_samples = round(rate_hz / publish.scores_hz)
        self.epoch = epoch
        self.muted_samples = 0
        self.cancelled = ""
        self._start_epoch(0)

    @property
    def position(self) -> int:
        """Index of the sample at which the next block begins, unless there is a gap."""
        return self._events.origin + self._tree_state.processed_samples

    def step(self, block: Block) -> Calls[list[Event]]:
        """Process a block, and return the events that it completes.

        If the block does not begin at `position`, there is a gap: labels that are on end at the last sample before the
        gap, every state starts anew, and `epoch` grows by one. So it does where another microphone is heard.

        Parameters
        ----------
        block : Block
            Next sound of the stream, which begins at `position` or later.

        Returns
        -------
        generator
            Generator that yields model calls and returns a list of Event.
        """
        events = self.pass_over(block.start)
        if block.change:
            events += self.start_anew()
        mono, muted = self._mono(block.samples)
        self._add_periodic(mono)
        results = yield from self._tree.step(mono, self._tree_state)
        self._waiting += results
        if self._separation:
            sound = mute_invalid(block.samples)[0] if muted else block.samples
            events += self._stems((yield from self._separate(sound, self._separation)))
        events += self._due(self._tree_state.known_until)
        self.wanted_samples = self._wanted_samples()
        return events

    def pass_over(self, stop: int) -> list[Event]:
        """Skip the samples from `position` to `stop`, if any, and return the events that end what was on before."""
        if stop == self.position:
            return []
        events = self.start_anew()
        self._events.origin = stop
        return events

    def start_anew(self) -> list[Event]:
        """End everything that goes on, and begin a new epoch if any sample was processed in this one."""
        if not self._tree_state.processed_samples:
            return []
        position = self.position
        events = self.finish()
        self.epoch += 1
        self._start_epoch(position)
        return events

    def finish(self) -> list[Event]:
        """Return the events that the end of the sound completes, with an ``off`` for all labels that are on."""
        self._waiting += self._tree.finish(self._tree_state)
        events = self._stems(self._separated.finish() if self._separated else [])
        events += self._due(self._tree_state.processed_samples) + self._events.spectra()
        for result in self._tree.close(self._tree_state):
            events += self._events.decisions(result.head, result.changes)
        return events

    def _start_epoch(self, origin: int) -> None:
        self._events = EpochEvents(
            self._stream, self._rate_hz, self.epoch, origin, self._heads, self._publish.top
        )
        self._tree_state: StageTreeState = self._tree.init()
        self._mixed: tuple[Downmix, State] | None = None
        self._meter_state = self._meter.init()
        self._levels_given = 0
        self._separated: SeparatedStream | None = None
        self._waiting: list[StreamResult] = []
        self.wanted_samples = self._wanted_samples()

    def _wanted_samples(self) -> int:
        """Return `wanted_samples`; an engine asks for it far more often than it changes."""
        state = self._tree_state
        stop = (self._levels_given + 1) * self._meter.interval_samples
        stop = min(stop, (state.processed_samples // self._scores_samples + 1) * self._scores_samples)
        if (next_stop := self._tree.next_stop(state)) is not None:
            stop = min(stop, next_stop)
        for result in self._waiting:
            stop = min(stop, result.stop)
        return max(1, self._tree.known_after(stop) - state.processed_samples)

    def _mono(self, samples: Array) -> tuple[Array, int]:
        """Return samples mixed into one channel, and how many of them were muted."""
        if self._mixed is None:
            stage = Downmix(self._rate_hz, samples.shape[1])
            self._mixed = stage, stage.init()
        stage, state = self._mixed
        before = muted_samples(state)
        mono, state = stage.step(samples[None], state)
        self._mixed = stage, state
        chosen = chosen_channel(state)
        if chosen is not None and not self.cancelled:
            self.cancelled = (
                f"the {stage.channels} channels cancel each other (one is inverted): channel {chosen + 1} is heard "
                "instead of their mean; swap the wires of one, or choose a channel (--channel)"
            )
        muted = muted_samples(state) - before
        self.muted_samples += muted
        return mono[0], muted

    def _add_periodic(self, mono: Array) -> None:
        """Add the levels that samples complete, and the scores that are due at their ends of intervals."""
        values, self._meter_state = self._meter.step(mono[None], self._meter_state)
        every = self._meter.interval_samples
        for value in values[0]:
            start = self._levels_given * every
            self._waiting.append(LevelResult(start, start + every, value))
            self._levels_given += 1
        every = self._scores_samples
        processed = self._tree_state.processed_samples
        for k in range(processed // every, (processed + len(mono)) // every):
            self._waiting.append(ScoresDue(k * every, (k + 1) * every))

    def _due(self, known_until: int) -> list[Event]:
        """Turn the results up to `known_until` into events, in the order of the sound."""
        if not self._waiting:
            return []
        due = sorted([result for result in self._waiting if result.stop <= known_until], key=report_order)
        self._waiting = [result for result in self._waiting if result.stop > known_until]
        events: list[Event] = []
        for result in due:
            if isinstance(result, VoiceResult):
                assert self._separation is not None  # it gave the result
                events += self._events.decisions(self._separation, result.changes)
            else:
                events += self._events.of_result(result)
        return events

    def _separate(self, samples: Array, separation: Separation) -> Calls[list[SeparationResult]]:
        if self._separated is None:
            power_at = self._tree.power_at(self._tree_state)
            self._separated = SeparatedStream(separation, self._rate_hz, samples.shape[1], power_at)
        gate = separation.opened_by
        switches: Sequence[Switch] = [] if gate is None else self._tree_state.switches.get(gate, [])
        return (yield from self._separated.step(samples, switches))

    def _stems(self, results: Sequence[SeparationResult]) -> list[Event]:
        """Return the stems at once; changes of the voice wait until everything before them is known."""
        events: list[Event] = []
        for result in results:
            if isinstance(result, VoiceResult):
                self._waiting.append(result)
            else:
                events += self._events.stems(result)
        return events
