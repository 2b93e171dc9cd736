"""Measure the cost of preparing sound for training: augmentations, decoding and features.

python -m benchmarks.training_data [--out FILE] [--smoke]

Augmentations are timed on 5 s of synthetic sound with one thread, in milliseconds for a second of sound, beside
torchaudio's own pitch shift and masks. Clips are those of ``STREAMER_DATA``, or synthetic with ``--smoke``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
import torch

from benchmarks.report import arguments, in_turn, machine, one_thread, write
from models import torchaudio_cpu
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel
from train import augment
from train.augment.features import mask, mix_up
from train.augment.recipe import Recipe, apply_recipe
from train.data.cache import Cache, SoundCache
from train.data.features import FeatureCache
from train.data.recordings import Recording
from train.data.sets import esc50, mir1k, music_speech, speech
from train.data.sets.gtzan import gtzan

Made = TypeVar("Made", bound=Cache)
SECONDS = 5
BATCH, FRAMES, BANDS = 64, 498, 64


def calls(x: Array) -> dict[str, Callable[[], object]]:
    """Return each augmentation of sound, with medium settings."""
    rng = np.random.default_rng(0)
    return {
        "gain": lambda: augment.apply_gain(x, -6.0),
        "background at an SNR": lambda: augment.mix_at_snr(x, x[::-1], 5.0),
        "noise at an SNR": lambda: augment.add_noise_at_snr(rng, x, 10.0, 0.5),
        "shift": lambda: augment.shift(x, 1_000),
        "speed": lambda: augment.change_speed(x, 1.07),
        "stretch": lambda: augment.stretch(x, 0.93),
        "pitch": lambda: augment.change_pitch(x, 1.0),
        "filter": lambda: augment.random_filter(rng, x),
        "band limit": lambda: augment.limit_band(x, 3_400.0),
        "room": lambda: augment.reverberate(rng, x),
        "far microphone": lambda: augment.far_microphone(rng, x),
        "mu-law": lambda: augment.mu_law(x),
        **{codec: partial(augment.transcode, x, codec, 0.7) for codec in augment.CODECS},
        "default recipe": lambda: apply_recipe(rng, x, Recipe()),
    }


def batch_calls() -> dict[str, Callable[[], object]]:
    """Return each augmentation of a batch of features, and torchaudio's masks, one for each axis."""
    rng, transforms = np.random.default_rng(0), torchaudio_cpu.load().transforms
    x = rng.standard_normal((BATCH, FRAMES, BANDS)).astype(np.float32)
    labels = np.eye(BATCH, dtype=np.float32)
    over_bands = transforms.FrequencyMasking(17, iid_masks=True)
    over_frames = transforms.TimeMasking(51, iid_masks=True)
    theirs = torch.from_numpy(x).transpose(1, 2)[:, None]
    return {
        "masks": lambda: mask(rng, x, 1, 16, 50),
        "masks (torchaudio's)": lambda: over_frames(over_bands(theirs)),
        "mixup": lambda: mix_up(rng, x, labels, 0.4),
    }


def load_recordings(folder: Path, smoke: bool) -> list[Recording]:
    """Return all recordings of the data sets, or for `smoke` three synthetic ones."""
    if not smoke:
        root = Path(os.environ.get("STREAMER_DATA", "../shared/data"))
        return [r for module in (esc50, gtzan, mir1k, music_speech, speech) for r in module.recordings(root)]
    for n in range(3):
        soundfile.write(folder / f"{n}.wav", np.random.default_rng(n).uniform(-0.1, 0.1, 48_000), 16_000)
    return [Recording("made up", f"{n}", (folder / f"{n}.wav",), "sound", "", 1) for n in range(3)]


def torchaudios_pitch_shift(x: Array) -> dict[str, float]:
    """Return milliseconds for a second of sound, from one call, since it is too slow to be timed as the others are."""
    shift, started = torchaudio_cpu.load().functional.pitch_shift, time.perf_counter()
    shift(torch.from_numpy(x), 16_000, 1.0)
    return {"pitch (torchaudio's)": round(1e3 * (time.perf_counter() - started) * 16_000 / len(x), 1)}


def build_twice(make: Callable[[], Made], folder: Path) -> tuple[Made, dict[str, float]]:
    """Make a cache from nothing and again from disk; return it with seconds and megabytes."""
    started = time.perf_counter()
    make()
    first_s = time.perf_counter() - started
    cache = make()
    again_s = time.perf_counter() - started - first_s
    size = sum(path.stat().st_size for path in folder.rglob("*.npy"))
    return cache, {
        "build_s": round(first_s, 1),
        "reuse_s": round(again_s, 2),
        "megabytes": round(size / 1e6, 1),
    }


def caches(recordings: list[Recording], folder: Path) -> dict[str, Any]:
    """Measure the building of both caches, and the error of float16."""
    sounds, sound_figures = build_twice(lambda: SoundCache(recordings, folder), folder / "sound")
    half, half_figures = build_twice(lambda: FeatureCache(recordings, folder, LogMel()), folder / "features")
    exact = FeatureCache(recordings[:: max(1, len(recordings) // 500)], folder, LogMel(), "float32")
    errors, values = [], []
    for index, recording in enumerate(exact.recordings):
        frames = exact.frames(index)
        errors.append((frames - half.frames(half.recordings.index(recording))).ravel())
        values += [float(frames.min()), float(frames.max())]
    error = np.concatenate(errors)
    return {
        "clips": len(recordings),
        "skipped": len(sounds.skipped),
        "sound_s": round(sum(sounds.length(i) for i in range(len(sounds))) / 16_000),
        "sound": sound_figures,
        "features, float16": half_figures,
        "float16": {
            "largest_error": float(np.abs(error).max()),
            "rms_error": float(np.sqrt(np.mean(np.square(error)))),
            "least": min(values),
            "most": max(values),
        },
    }


def main() -> None:
    asked = arguments(__doc__ or "")
    rounds, least_s = (1, 0.0) if asked.smoke else (5, 0.2)
    seconds = 1 if asked.smoke else SECONDS
    x = np.random.default_rng(0).uniform(-0.3, 0.3, seconds * 16_000).astype(np.float32)
    result: dict[str, Any] = {
        "machine": machine(["numpy", "scipy", "soundfile", "soxr", "torch", "torchaudio"])
    }
    with one_thread():
        timed = in_turn(calls(x), rounds, least_s)
        batches = in_turn(batch_calls(), rounds, least_s)
        theirs = {} if asked.smoke else torchaudios_pitch_shift(x)
    ours = {name: round(1e3 * float(np.median(t)) / seconds, 3) for name, t in timed.items()}
    result["ms_per_s"] = ours | theirs
    result["ms_per_batch"] = {name: round(1e3 * float(np.median(t)), 3) for name, t in batches.items()}
    with tempfile.TemporaryDirectory() as folder:
        result["caches"] = caches(load_recordings(Path(folder), asked.smoke), Path(folder) / "cache")
    for name, value in (result["ms_per_s"] | result["ms_per_batch"] | result["caches"]).items():
        print(f"{name:<24} {value}")
    write(result, asked.out)


if __name__ == "__main__":
    main()
