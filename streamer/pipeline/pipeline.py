"""Turn the blocks of one stream into its events: downmix, models, levels, decisions, stems and gaps.

Nothing here uses devices, clocks or sockets: the same sound gives the same events, however it is cut into blocks.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from streamer.arrays import Array
from streamer.dsp.downmix import MEAN
from streamer.dsp.model_calls import Calls, run_alone, together
from streamer.events.demand import Demand
from streamer.events.kinds import Event
from streamer.events.make_events import EpochEvents, StreamResult, report_order
from streamer.heads.gating import Switch
from streamer.pipeline.column import Column, RowStep, earliest_stop
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
    column : Column
        Column in which the stream takes a row; it says at which rate the blocks come and which heads run.
    separation : Separation or None
        Separation to run; None gives no stems and no decisions on a voice.
    epoch : int
        Number of fresh starts of the stream before this pipeline.

    Attributes
    ----------
    column : Column
    demand : Demand
        Running values that are not made, since nobody wants them.
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
        self, stream: str, column: Column, separation: Separation | None = None, epoch: int = 0
    ) -> None:
        self._stream = stream
        self.column = column
        self._separation = separation
        self.demand = Demand()
        self._row = column.join()
        # A stream forgets its pipeline in many ways (it ends, its rate changes), and none of them has to announce it.
        weakref.finalize(self, column.leave, self._row).atexit = False
        self.epoch = epoch
        self.muted_samples = 0
        self.cancelled = ""
        self._start_epoch(0)

    @property
    def position(self) -> int:
        """Index of the sample at which the next block begins, unless there is a gap."""
        return self._events.origin + self._processed_samples

    def step(self, block: Block) -> list[Event]:
        """Process a block, and return the events that it completes; `step_together` does so for several streams.

        If the block does not begin at `position`, there is a gap: labels that are on end at the last sample before the
        gap, every state starts anew, and `epoch` grows by one. So it does where another microphone is heard.

        Parameters
        ----------
        block : Block
            Next sound of the stream, which begins at `position` or later.

        Raises
        ------
        Exception
            If a model fails.
        """
        (events,) = run_alone(self.step_together([(self, block)]))
        if isinstance(events, Exception):
            raise events
        return events

    @staticmethod
    def step_together(steps: Sequence[tuple[Pipeline, Block]]) -> Calls[list[list[Event] | Exception]]:
        """Process a block of each of some streams, and return the events that these complete.

        Parameters
        ----------
        steps : sequence of (Pipeline, Block)
            Streams of one column, each once, and the next sound of each, as for `step`.

        Returns
        -------
        generator
            Generator that yields model calls and returns for each stream, in the order of `steps`, its events, or the
            error that ends it.
        """
        in_rows = sorted(steps, key=lambda step: step[0]._row)
        column, rows = in_rows[0][0].column, np.array([pipeline._row for pipeline, _ in in_rows])
        ended = [pipeline._before(block) for pipeline, block in in_rows]
        found = yield from column.step(rows, [block.samples for _, block in in_rows])
        works = {
            n: pipeline._separate(block.samples, found[n])
            for n, (pipeline, block) in enumerate(in_rows)
            if pipeline._separation and not found[n].fault
        }
        stems = dict(zip(works, (yield from together([*works.values()])), strict=True)) if works else {}
        known = column.state.clock.known_until[rows].tolist()
        events = {
            pipeline: pipeline._after(block, ended[n], found[n], stems.get(n, []), known[n])
            for n, (pipeline, block) in enumerate(in_rows)
        }
        waiting = [earliest_stop(pipeline._waiting) for pipeline in events]
        for pipeline, wanted in zip(events, column.wanted_samples(rows, waiting), strict=True):
            pipeline.wanted_samples = wanted
        return [events[pipeline] for pipeline, _ in steps]

    def pass_over(self, stop: int) -> list[Event]:
        """Skip the samples from `position` to `stop`, if any, and return the events that end what was on before."""
        if stop == self.position:
            return []
        events = self.start_anew()
        self._events.origin = stop
        return events

    def start_anew(self) -> list[Event]:
        """End everything that goes on, and begin a new epoch if any sample was processed in this one."""
        if not self._processed_samples:
            return []
        position = self.position
        events = self.finish()
        self.epoch += 1
        self.column.begin(self._row)
        self._start_epoch(position)
        return events

    def finish(self) -> list[Event]:
        """Return the events that the end of the sound completes, with an ``off`` for all labels that are on."""
        tree, state = self.column.tree, self.column.state
        self._waiting += tree.finish(state, self._row)
        events = self._stems(self._separated.finish() if self._separated else [])
        events += self._due(self._processed_samples) + self._events.spectra()
        for result in tree.close(state, self._row):
            events += self._events.decisions(result.head, result.changes)
        return events

    def _before(self, block: Block) -> list[Event]:
        """Return the events of a gap before a block, or of another microphone that is heard from there on."""
        events = self.pass_over(block.start)
        return events + self.start_anew() if block.change else events

    def _start_epoch(self, origin: int) -> None:
        column = self.column
        self._events = EpochEvents(
            self._stream, column.rate_hz, self.epoch, origin, column.heads, column.publish.top, self.demand
        )
        self._separated: SeparatedStream | None = None
        self._waiting: list[StreamResult] = []
        self._muted_before = self.muted_samples
        self._processed_samples = 0
        (self.wanted_samples,) = column.wanted_samples(np.array([self._row]), [earliest_stop([])])

    def _after(
        self,
        block: Block,
        ended: list[Event],
        found: RowStep,
        stems: list[SeparationResult] | Exception,
        known_until: int,
    ) -> list[Event] | Exception:
        """Return all events of a step: those before its block, stems at once, and the results that are known.

        If the stream failed, return the error.
        """
        if found.fault:
            return found.fault
        if isinstance(stems, Exception):
            return stems
        self._waiting += found.results
        self._processed_samples += len(block.samples)
        self.muted_samples = self._muted_before + found.muted_samples
        if found.chosen != MEAN and not self.cancelled:
            self.cancelled = (
                f"the {block.samples.shape[1]} channels cancel each other (one is inverted): channel "
                f"{found.chosen + 1} is heard instead of their mean; swap the wires of one, or choose a channel "
                "(--channel)"
            )
        try:
            return [*ended, *self._stems(stems), *self._due(known_until)]
        except Exception as error:  # noqa: BLE001 - a fault in one stream must not end the others
            return error

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

    def _separate(self, samples: Array, found: RowStep) -> Calls[list[SeparationResult]]:
        """Return the stems of a block, and the changes of the voice, if there is a separation."""
        assert self._separation is not None  # or there was nothing to do
        state = self.column.state.own[self._row]
        if self._separated is None:
            power_at = self.column.power_at(self._row)
            self._separated = SeparatedStream(
                self._separation, self.column.rate_hz, samples.shape[1], power_at
            )
        gate = self._separation.opened_by
        switches: Sequence[Switch] = [] if gate is None else state.switches.get(gate, [])
        sound = mute_invalid(samples)[0] if found.muted_samples else samples
        return (yield from self._separated.step(sound, switches))

    def _stems(self, results: Sequence[SeparationResult]) -> list[Event]:
        """Return the stems at once; changes of the voice wait until everything before them is known."""
        events: list[Event] = []
        for result in results:
            if isinstance(result, VoiceResult):
                self._waiting.append(result)
            else:
                events += self._events.stems(result)
        return events
