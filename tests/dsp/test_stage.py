"""Test Chain, offline and keys: stages in sequence are a stage."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMel, LogMelConfig
from streamer.dsp.resample import Resample
from streamer.dsp.stage import Chain, Stage, offline
from tests.contract import check_stage
from tests.toys import MovingSum, Repeat, Tail


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(0).standard_normal((2, 100))


@pytest.mark.parametrize(
    "stage",
    [MovingSum(), MovingSum(1, 1), MovingSum(4, 4), Tail(), Repeat(3), Chain(MovingSum())],
    ids=["overlapping", "identity", "touching", "with a tail", "repeated", "chain of one"],
)
def test_toys_keep_the_contract(stage: Stage, x: Array) -> None:
    check_stage(stage, x)


@pytest.mark.parametrize(
    ("chain", "hop", "latency", "slack"),
    [
        (Chain(MovingSum(5, 3), MovingSum(4, 2)), 6, 14, 0),
        (Chain(Tail(5, 3), Tail(4, 2)), 6, 14, 0),
        (Chain(MovingSum(5, 3), MovingSum(4, 2), MovingSum(2, 1)), 6, 20, 0),
        # The last of 4 repeated items is half an item later than whole input items can tell.
        (Chain(Repeat(2), MovingSum(4, 2)), 1, Fraction(5, 2), Fraction(1, 2)),
    ],
    ids=["two", "two with tails", "three", "repeated"],
)
def test_chain_keeps_the_contract(
    chain: Chain, hop: int, latency: Fraction, slack: Fraction, x: Array
) -> None:
    assert chain.hop == hop
    assert chain.latency == latency
    check_stage(chain, x, slack=slack)


def test_chain_is_its_stages_one_after_the_other(x: Array) -> None:
    first, second = Tail(5, 3), Tail(4, 2)
    np.testing.assert_array_equal(offline(Chain(first, second), x), offline(second, offline(first, x)))


def test_chain_passes_the_tail_of_each_stage_on() -> None:
    # 7 items: sums of 0..4, then the tail 3..6; the second stage sums both.
    x = np.arange(7.0)[None]
    assert offline(Chain(Tail(5, 3), MovingSum(2, 1)), x).tolist() == [[0 + 1 + 2 + 3 + 4 + 3 + 4 + 5 + 6]]


def test_chain_with_the_front_end_keeps_the_contract() -> None:
    class Level(MovingSum):
        """Return the mean of the bands, summed over frames."""

        def step(self, x: Array, state):
            return super().step(x.mean(axis=2), state)

    config = LogMelConfig(window_samples=40, hop_samples=16, fft_samples=64, mel_bands=8)
    sound = np.random.default_rng(0).standard_normal((2, 700), np.float32)
    chain = Chain(LogMel(config), Level(5, 3))
    assert chain.latency == 40 + 4 * 16
    check_stage(chain, sound)


def test_chain_needs_a_stage() -> None:
    with pytest.raises(ValueError, match="got no stages; expected at least one"):
        Chain()


def test_stages_with_the_same_constants_have_the_same_key() -> None:
    def chain(mel_bands: int, out_rate_hz: int = 16_000) -> Chain:
        return Chain(Resample(48_000, out_rate_hz), LogMel(LogMelConfig(mel_bands=mel_bands)))

    assert chain(64).key == chain(64).key
    assert hash(chain(64).key) == hash(chain(64).key)
    assert chain(64).key != chain(32).key
    assert chain(64).key != chain(64, 8_000).key
    assert Resample(48_000, 16_000).key != Resample(16_000, 48_000).key


def test_a_stage_with_contents_of_its_own_has_a_key_of_its_own() -> None:
    stage = MovingSum()
    assert stage.key == stage.key
    assert MovingSum().key != MovingSum().key


def test_offline_of_nothing_is_nothing() -> None:
    assert offline(MovingSum(), np.zeros((2, 0))).shape == (2, 0)
