"""Made sounds of machines: the same each time, at the levels that they are said to have, and none that is learnt."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.config import Config
from streamer.config_sections import ModelsConfig
from streamer.inference.model_cache import ModelCache
from streamer.pipeline.build_heads import build_heads
from train.augment.levels import active_level
from train.evaluate.hearing.listeners import HeadListener
from train.evaluate.hearing.machine_sounds import MACHINES
from train.evaluate.hearing.measured_sound import LEVELS_DBFS, made_examples

RATE_HZ = 16_000


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_makes_the_same_finite_sound_from_the_same_seed(machine):
    first, again, other = (MACHINES[machine](np.random.default_rng(seed), 4 * RATE_HZ) for seed in (1, 1, 2))
    assert first.shape == (4 * RATE_HZ,)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("machine", [name for name in MACHINES if name not in {"room", "kettle", "dryer"}])
def test_a_machine_sets_in_after_the_start(machine):
    sound = MACHINES[machine](np.random.default_rng(3), 8 * RATE_HZ)
    blocks = np.abs(sound).reshape(-1, RATE_HZ // 10).max(axis=1)
    assert blocks.max() > 30 * blocks[0]


def test_examples_have_their_levels_and_count_in_the_rows_of_machine_and_level():
    found = list(made_examples(1))
    assert len(found) == len(MACHINES) * len(LEVELS_DBFS)
    hum = {example.recording.name.split(" at ")[1]: example for example in found[: len(LEVELS_DBFS)]}
    assert hum["-20 dBFS"].rows == ("machines, mains_hum", "machines at -20 dBFS")
    assert hum["-90 dBFS"].rows == ("machines at -90 dBFS",)  # too soft to say anything about hum
    for level_dbfs in (-20, -40, -60, -75):
        level = active_level(hum[f"{level_dbfs} dBFS"].sound)
        assert 20 * np.log10(level) == pytest.approx(level_dbfs, abs=0.3)
    steps = hum["-75 dBFS"].sound * 2**15
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)  # a converter of 16 bits


def test_the_released_models_say_nothing_of_machines_below_the_floor_of_hearing():
    models = ModelsConfig(
        {"gate": "gate", "sounds": "sounds", "genre": "off", "taught": "off", "separation": "off"}
    )
    listeners = [HeadListener(head) for head in build_heads(Config(models=models), ModelCache())]
    begun = dict.fromkeys((-20, -90), 0)
    for example in made_examples(1):
        level_dbfs = int(example.recording.name.split()[-2])
        if level_dbfs in begun and example.recording.category in {
            "clock_alarm",
            "mains_hum",
            "siren",
            "room",
        }:
            begun[level_dbfs] += sum(len(listener.decide(example.sound).spans) for listener in listeners)
    assert begun[-20] > 0
    assert begun[-90] == 0
