"""What measurements share: steps that carry a state, calls timed one by one, percentiles, the machine."""

from __future__ import annotations

import platform

import numpy as np

from streamer.bench.measure import Stepped, each, machine, machine_text, percentiles
from streamer.dsp.stage import offline
from tests.toys import MovingSum


def test_a_state_is_carried_from_step_to_step() -> None:
    x = np.random.default_rng(0).integers(0, 9, (2, 40)).astype(float)
    stepped = Stepped(MovingSum(), batch=2)
    found = [stepped.step(block) for block in np.split(x, 8, axis=1)]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), offline(MovingSum(), x))


def test_each_call_is_timed() -> None:
    heard: list[int] = []
    took = each(heard.append, range(10))
    assert heard == list(range(10))
    assert took.shape == (10,)
    assert (took >= 0).all()


def test_percentiles_are_in_the_asked_unit() -> None:
    seconds = np.linspace(0.0, 100e-6, 101)
    assert percentiles(seconds) == {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
    assert percentiles(1e3 * seconds, unit=1e-3)["p95"] == 95.0


def test_the_machine_is_described() -> None:
    described = machine(["numpy", "numba"])
    assert described["cores"] >= 1
    assert list(described["packages"]) == ["numba", "numpy"]
    text = machine_text(described)
    assert text.startswith(f"{described['processor']}, {described['cores']} cores, {platform.system()}")
    assert text.endswith(f"numpy {np.__version__}")
    assert f"Python {platform.python_version()}, numba" in text
