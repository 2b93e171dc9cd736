"""Run each compiled kernel once, so that the cache has it for all the processes that follow."""

from __future__ import annotations

import numpy as np

from streamer.audio.ring import RingBuffer
from streamer.audio.ring_kernels import capture_callback
from streamer.dsp.downmix import downmixed
from streamer.dsp.level import LevelMeter
from streamer.dsp.log_mel import LogMel
from streamer.dsp.resample import Resample
from streamer.dsp.stage import offline
from streamer.dsp.stft import InverseStft, Stft
from streamer.heads.loudness import Loudness
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
    offline(LevelMeter(1_600), sound)
    offline(LogMel(), sound)
    loudness = Loudness(48_000)
    loudness.step(sound[0], 0, loudness.init())
    offline(Resample(48_000, 16_000), sound)
    masked_crc32c(b"any")
    offline(InverseStft(), offline(Stft(), sound[..., None]))


if __name__ == "__main__":
    main()
