"""Run each compiled kernel once, so that the cache has it for all the processes that follow."""

from __future__ import annotations

import numpy as np

from streamer.audio.ring import RingBuffer
from streamer.audio.ring_kernels import capture_callback
from streamer.config_sections import PublishConfig
from streamer.dsp.downmix import downmixed
from streamer.dsp.level import LevelMeter
from streamer.dsp.log_mel import LogMel
from streamer.dsp.ragged import ONE_ROW, allocated, of_equal_length
from streamer.dsp.resample import Resample
from streamer.dsp.stage import offline
from streamer.dsp.stft import InverseStft, Stft
from streamer.dsp.timeline import Timeline
from streamer.heads.head_decisions import HeadDecisions
from streamer.heads.hysteresis import Hysteresis
from streamer.inference.stepped_model import take_whole_steps
from streamer.pipeline.column import Column
from streamer.pipeline.pipeline import Pipeline
from streamer.sources.source import Block
from streamer.yamnet.crc32c import masked_crc32c


def main() -> None:
    """Compile what the cache does not have."""
    block = np.zeros((4_800, 1), np.float32)
    ring = RingBuffer(len(block), 1, 48_000)
    ring.compile()
    ring.write(block, 0.0)
    ring.read(len(block))
    capture_callback()
    for channels in (1, 2):
        downmixed(np.repeat(block, channels, axis=1), 48_000)
    sound = block.T
    offline(LevelMeter(Timeline.every(1_600)), sound)
    offline(LogMel(), sound)
    column = Column(48_000, [], PublishConfig())
    Pipeline("s", column).step(Block(0, block, None))
    column.power_at(0)(np.array([480]))
    decide_once()
    frames, counts = allocated(1, 4, 2)
    held = np.zeros((1, 3, 2), np.float32), np.zeros(1, np.int64)
    take_whole_steps(np.zeros((1, 2, 2), np.float32), np.array([2]), ONE_ROW, *held, 4, frames, counts)
    offline(Resample(48_000, 16_000), sound)
    masked_crc32c(b"any")
    offline(InverseStft(), offline(Stft(), sound[..., None]))


def decide_once() -> None:
    """Compile what makes decisions of scores."""
    head = HeadDecisions((Hysteresis("x", 0.6, 0.4, 1, 1, 1),), False, 0, 0.0, (True,))
    scores = of_equal_length(np.zeros((1, 1, 1), np.float32))
    head.step_rows(scores, Timeline().spans(ONE_ROW, 1), np.zeros((1, 1)), head.init(), ONE_ROW)


if __name__ == "__main__":
    main()
