"""The contract that every Stage passes, one function for each clause.

`check_stage` runs them all. Each raises AssertionError with what was found. Inputs are float arrays of shape
(batch, items, ...); if one stream is enough, the first row is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from streamer.arrays import Array, State
from streamer.dsp.ragged import Ragged, joined
from streamer.dsp.stage import Stage, offline


def check_stage(stage: Stage, x: Array, atol: float = 0.0, slack: float | Fraction = 0) -> None:
    """Check a stage against every clause of the contract.

    Parameters
    ----------
    stage : Stage
        A stage that may have been used before: a stage keeps nothing.
    x : float array, shape (batch, items, ...)
        Sound, frames or scores as the stage meets them; long enough for several output items. It should not
        drive the stage into saturation, or an impulse on top of it could not be seen.
    atol : float
        Largest difference between two ways to the same values; 0 asks for equal bits.
    slack : float or Fraction
        Input items by which the declared latency may exceed the measured one, for stages that can only state
        a bound. The bound itself always holds.
    """
    check_key(stage)
    check_state(stage, x)
    check_input_unchanged(stage, x, atol)
    check_cuttings(stage, x, atol)
    check_outputs_stay(stage, x)
    check_reset(stage, x)
    check_interleaved(stage, x)
    check_batch(stage, x, atol)
    check_rows(stage, x, atol)
    check_future(stage, x)
    check_latency(stage, x, slack)
    check_impulse(stage, x, slack)


def check_key(stage: Stage) -> None:
    """The key can be looked up, and stays the same."""
    assert {stage.key: stage}.get(stage.key) is stage, f"the key {stage.key!r} differs from itself"


def check_state(stage: Stage, x: Array) -> None:
    """The state is a flat tuple of arrays, batch first; its form and that of the items never change."""
    fresh, other = stage.init(3), stage.init(3)
    assert isinstance(fresh, tuple), f"init() returned {type(fresh).__name__}; expected a tuple of arrays"
    for n, (array, twin) in enumerate(zip(fresh, other, strict=True)):
        assert isinstance(array, np.ndarray), f"state {n} is a {type(array).__name__}; expected an array"
        assert array.shape[:1] == (3,), f"state {n} has shape {array.shape} for a batch of 3"
        assert not np.shares_memory(array, twin), f"state {n} is shared between two init()"
        np.testing.assert_array_equal(array, twin, f"state {n} differs between two init()")
    state = stage.init(1)
    expected = _forms(state)
    y, state = stage.step(x[:1, :0], state)
    item = (y.dtype.name, y.shape[2:])
    for block in _blocks(x[:1], _sizes_with_empty(x.shape[1])):
        y, state = stage.step(block, state)
        assert _forms(state) == expected, f"state changed its form from {expected} to {_forms(state)}"
        found = (y.dtype.name, y.shape[2:])
        assert found == item, f"step gave items {found[0]} {found[1]}; expected {item[0]} {item[1]}"
    y = stage.flush(state)
    assert (y.dtype.name, y.shape[2:]) == item, f"flush gave items {y.dtype} {y.shape[2:]}; expected {item}"


def check_input_unchanged(stage: Stage, x: Array, atol: float = 0.0) -> None:
    """The input is only read, so one that may not be written to gives the same."""
    given = x[:1].copy()
    before = given.copy()
    expected = offline(stage, given)
    assert np.array_equal(given, before), "the input was changed"
    given.flags.writeable = False
    _assert_same(offline(stage, given), expected, atol, "a read-only input")


def check_cuttings(stage: Stage, x: Array, atol: float = 0.0) -> None:
    """However the input is cut, the same items come out, and as many of them after as many inputs."""
    one = x[:1]
    whole = offline(stage, one)
    available = items_available(stage, one)
    for name, sizes in cuttings(one.shape[1], stage.hop):
        outputs, state, heard, given = [], stage.init(1), 0, 0
        for block in _blocks(one, sizes):
            y, state = stage.step(block, state)
            outputs.append(y)
            heard, given = heard + block.shape[1], given + y.shape[1]
            assert given == available[heard], (
                f"cut into {name}: {given} items out after {heard} inputs, "
                f"{available[heard]} when they come one by one"
            )
        outputs.append(stage.flush(state))
        _assert_same(np.concatenate(outputs, axis=1), whole, atol, f"cut into {name}")


def check_outputs_stay(stage: Stage, x: Array) -> None:
    """Outputs belong to the caller: later steps do not write to them."""
    outputs, copies, state = [], [], stage.init(1)
    for block in _blocks(x[:1], _sizes_with_empty(x.shape[1])):
        y, state = stage.step(block, state)
        outputs.append(y)
        copies.append(y.copy())
    outputs.append(stage.flush(state))
    for n, (y, copy) in enumerate(zip(outputs, copies, strict=False)):
        assert np.array_equal(y, copy), f"the output of step {n} was changed by a later step"


def check_reset(stage: Stage, x: Array) -> None:
    """After a gap a stream starts from init(), and its output is as if nothing had been before."""
    one = x[:1]
    fresh = offline(stage, one)
    state = stage.init(1)
    stage.step(one[:, ::-1][:, : max(1, one.shape[1] // 2)].copy(), state)
    _assert_same(offline(stage, one), fresh, 0.0, "started anew from init()")


def check_interleaved(stage: Stage, x: Array) -> None:
    """Two streams through one stage in turn give what each gives alone."""
    streams = [x[:1], _other(x[:1])]
    alone = [_in_blocks(stage, stream) for stream in streams]
    states = [stage.init(1), stage.init(1)]
    outputs: list[list[Array]] = [[], []]
    cut = [_blocks(stream, _sizes_with_empty(x.shape[1])) for stream in streams]
    for pair in zip(*cut, strict=True):
        for n, block in enumerate(pair):
            y, states[n] = stage.step(block, states[n])
            outputs[n].append(y)
    for n, state in enumerate(states):
        outputs[n].append(stage.flush(state))
        _assert_same(np.concatenate(outputs[n], axis=1), alone[n], 0.0, f"interleaved stream {n}")


def check_batch(stage: Stage, x: Array, atol: float = 0.0) -> None:
    """A row of a batch gives what its stream gives alone, whatever the other rows are."""
    one, other = x[:1], _other(x[:1])
    together = _in_blocks(stage, np.concatenate([one, other, one]))
    elsewhere = _in_blocks(stage, np.concatenate([one, np.zeros_like(one), one]))
    assert together.shape[0] == 3, f"a batch of 3 gave {together.shape[0]} slots"
    _assert_same(together[:1], elsewhere[:1], 0.0, "slot 0 beside another neighbour")
    _assert_same(together[2:], elsewhere[2:], 0.0, "slot 2 beside another neighbour")
    for slot, stream in enumerate((one, other, one)):
        _assert_same(together[slot : slot + 1], _in_blocks(stage, stream), atol, f"slot {slot}")


def check_rows(stage: Stage, x: Array, atol: float = 0.0) -> None:
    """Rows of a state that step with blocks of their own lengths give what each gives alone; the others stay."""
    sounds = [x[:1], _other(x[:1]), x[:1, ::-1].copy()]
    alone = [_in_blocks(stage, sound) for sound in sounds]
    state, untouched = stage.init(5), 1
    places = {4: sounds[0], 0: sounds[1], 2: sounds[2]}
    for array in state:
        array[untouched] = _poison(array.dtype)
    before = [array[untouched].copy() for array in state]
    outputs: dict[int, list[Array]] = {row: [] for row in places}
    at = dict.fromkeys(places, 0)
    rng = np.random.default_rng(4)
    while any(at[row] < x.shape[1] for row in places):
        rows = np.array([row for row in sorted(places) if rng.random() < 0.7], np.int64)
        if not len(rows):
            continue
        sizes = rng.integers(0, max(2, x.shape[1] // 5), len(rows)).tolist()
        blocks = [places[row][0, at[row] : at[row] + n] for row, n in zip(rows.tolist(), sizes, strict=True)]
        y = stage.step_rows(_poisoned(blocks), state, rows)
        for n, row in enumerate(rows.tolist()):
            outputs[row].append(y.of(n).copy())
            at[row] += len(blocks[n])
    for row, expected in zip(places, alone, strict=True):
        own = tuple(array[row : row + 1].copy() for array in state)
        found = np.concatenate([*outputs[row], stage.flush(own)], axis=1)
        _assert_same(found, expected, atol, f"row {row} beside others")
    for n, (array, value) in enumerate(zip(state, before, strict=True)):
        assert array[untouched].tobytes() == value.tobytes(), (
            f"state {n} of a row that does not step was changed"
        )


def check_future(stage: Stage, x: Array) -> None:
    """A change of the input from item i on changes nothing that was due before item i came in."""
    one, other = x[:1], _other(x[:1])
    available = items_available(stage, one)
    whole = offline(stage, one)
    items = one.shape[1]
    for i in sorted({0, 1, items // 3, items // 2, items // 2 + 1, items - 1}):
        changed = np.concatenate([one[:, :i], other[:, i:]], axis=1)
        given = available[i]
        _assert_same(
            offline(stage, changed)[:, :given],
            whole[:, :given],
            0.0,
            f"with the input from item {i} on changed",
        )


def check_latency(stage: Stage, x: Array, slack: float | Fraction = 0) -> None:
    """Item k is out once k * hop + latency inputs are in, and the worst item needs just that many."""
    hop, latency = stage.hop, stage.latency
    assert isinstance(hop, Fraction), f"hop is {hop!r}; expected a Fraction"
    assert isinstance(latency, Fraction), f"latency is {latency!r}; expected a Fraction"
    available = items_available(stage, x[:1])
    for heard, given in enumerate(available):
        due = max(0, math.floor((heard - latency) / hop) + 1)
        assert given >= due, (
            f"{given} items out after {heard} inputs, {due} are due with hop {hop} and latency {latency}"
        )
    assert available[-1] >= 2, f"only {available[-1]} items out of {x.shape[1]} inputs; give a longer input"
    needed = np.searchsorted(available, np.arange(available[-1]), side="right")
    measured = max(int(n) - k * hop for k, n in enumerate(needed))
    assert latency - slack <= measured, f"declared latency {latency}, measured {measured} (slack {slack})"


def check_impulse(stage: Stage, x: Array, slack: float | Fraction = 0) -> None:
    """The first item that an impulse moves tells the latency: it is the declared one."""
    one = x[:1]
    whole = offline(stage, one)
    measured = []
    for k in sorted({0, 1, whole.shape[1] // 3, whole.shape[1] // 2}):
        allowed = math.ceil(k * stage.hop + stage.latency)  # inputs that item k may have heard
        for at in (allowed - 1, allowed):
            first = _first_moved(stage, one, whole, at)
            if first is not None:
                assert at < math.ceil(first * stage.hop + stage.latency), (
                    f"an impulse at input {at} moves item {first}, which was due before: it looks ahead of "
                    f"its declared latency {stage.latency}"
                )
                measured.append(at + 1 - first * stage.hop)
    assert measured, "no item moves when an impulse enters; give an input that does not saturate the stage"
    assert stage.latency - slack <= max(measured), (
        f"declared latency {stage.latency}, measured with an impulse {max(measured)} (slack {slack})"
    )


def items_available(stage: Stage, x: Array) -> list[int]:
    """Return how many output items are out after 0, 1, 2, ... input items that come one by one."""
    state, available = stage.init(x.shape[0]), [0]
    for block in _blocks(x, [1] * x.shape[1]):
        y, state = stage.step(block, state)
        available.append(available[-1] + y.shape[1])
    return available


def cuttings(items: int, hop: Fraction) -> list[tuple[str, list[int]]]:
    """Yield ways to cut `items` into blocks: a name and the block sizes of each."""
    step = max(1, round(hop))
    ways = [
        (f"blocks of {n}", _equal_sizes(items, n)) for n in sorted({1, 7, max(1, step - 1), step, step + 1})
    ]
    ways.append(("blocks with empty ones between", _sizes_with_empty(items)))
    ways += [(f"random blocks, seed {seed}", _random_sizes(items, 3 * step, seed)) for seed in (0, 1)]
    return ways


def _equal_sizes(items: int, size: int) -> list[int]:
    return [size] * (items // size) + [items % size]


def _sizes_with_empty(items: int) -> list[int]:
    return [size for part in _random_sizes(items, max(2, items // 5), 2) for size in (0, part, 0)]


def _random_sizes(items: int, longest: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    sizes: list[int] = []
    while (left := items - sum(sizes)) > 0:
        sizes.append(min(left, int(rng.integers(0, longest + 1))))
    return sizes


def _blocks(x: Array, sizes: list[int]) -> Iterator[Array]:
    edges = np.cumsum([0, *sizes]).tolist()
    assert edges[-1] == x.shape[1], f"{edges[-1]} of {x.shape[1]} items are in the blocks"
    return (x[:, start:stop].copy() for start, stop in pairwise(edges))


def _in_blocks(stage: Stage, x: Array) -> Array:
    """Run all rows of `x` in one batch, in blocks of differing lengths."""
    outputs, state = [], stage.init(x.shape[0])
    for block in _blocks(x, _sizes_with_empty(x.shape[1])):
        y, state = stage.step(block, state)
        outputs.append(y)
    return np.concatenate([*outputs, stage.flush(state)], axis=1)


def _first_moved(stage: Stage, x: Array, whole: Array, at: int) -> int | None:
    """Return the first output item that changes when an impulse is added to input item `at`."""
    if at >= x.shape[1]:
        return None
    struck = x.copy()
    struck[:, at] += 1.0
    moved = offline(stage, struck)
    assert moved.shape == whole.shape, f"an impulse changes the output's shape {whole.shape} to {moved.shape}"
    items = np.flatnonzero((moved != whole).reshape(1, whole.shape[1], -1).any(axis=(0, 2)))
    return int(items[0]) if len(items) else None


def _poisoned(blocks: list[Array]) -> Ragged:
    """Return blocks as rows, with values behind the shorter ones that would show if they were read."""
    ragged = joined(blocks)
    values = ragged.values.copy()
    for n, count in enumerate(ragged.counts.tolist()):
        values[n, count:] = _poison(values.dtype)
    return ragged._replace(values=values)


def _poison(dtype: np.dtype[Any]) -> Any:
    return np.nan if dtype.kind in "fc" else 7


def _other(x: Array) -> Array:
    """Return another input of the same kind: noise with the mean and spread of `x`."""
    noise = np.random.default_rng(3).standard_normal(x.shape)
    return (noise * x.std() + x.mean()).astype(x.dtype)


def _forms(state: State) -> list[tuple[tuple[int, ...], str]]:
    return [(array.shape, array.dtype.name) for array in state]


def _assert_same(found: Array, expected: Array, atol: float, what: str) -> None:
    """Compare shape and dtype before values; nothing is trimmed."""
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    assert found.dtype == expected.dtype, f"{what}: dtype {found.dtype}, expected {expected.dtype}"
    if atol == 0.0:
        assert np.array_equal(found, expected), f"{what}: values differ by up to {_largest(found, expected)}"
    else:
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=atol, err_msg=what)


def _largest(found: Array, expected: Array) -> float:
    return float(np.max(np.abs(found.astype(np.float64) - expected.astype(np.float64))))
