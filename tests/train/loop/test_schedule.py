import math

import pytest

from streamer.errors import ConfigError
from train.loop.schedule import Cosine, OneCycle, Plateau, ScheduleConfig, StepDecay, validations_since_best


def factors(schedule, steps, scores=()):
    return [schedule.factor(step, steps, scores) for step in range(steps)]


def test_cosine_rises_then_falls_to_its_end():
    rates = factors(Cosine(warm_up_steps=100, final=0.01), 1_000)
    assert rates[0] == 0.01
    assert rates[99] == rates[100] == 1.0
    assert rates == sorted(rates[:100]) + sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, abs=1e-4)
    assert math.isclose(rates[550], 0.505, abs_tol=1e-3)


def test_step_decay_falls_at_regular_distances():
    rates = factors(StepDecay(warm_up_steps=4, every=10, decay=0.5), 30)
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert (rates[9], rates[10], rates[19], rates[20]) == (1.0, 0.5, 0.5, 0.25)


def test_plateau_falls_when_the_score_stands_and_counts_anew():
    plateau = Plateau(warm_up_steps=0, patience=2, decay=0.1, final=0.0)
    scores = [1.0, 2.0, 2.0, 1.5, 1.0, 1.0, 3.0, 2.0]
    rates = [plateau.factor(0, 1, scores[:count]) for count in range(len(scores) + 1)]
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01])


def test_plateau_falls_no_lower_than_its_end():
    assert Plateau(warm_up_steps=0, patience=1, decay=0.1, final=0.05).factor(0, 1, [1.0] * 9) == 0.05


def test_one_cycle_goes_up_and_down():
    rates = factors(OneCycle(rise=0.25, first=0.04, final=0.001), 1_000)
    assert rates[0] == pytest.approx(0.04)
    assert rates.index(max(rates)) == 250
    assert max(rates) == 1.0
    assert rates == sorted(rates[:250]) + sorted(rates[250:], reverse=True)
    assert rates[-1] == pytest.approx(0.001, abs=1e-4)


@pytest.mark.parametrize("rise", [0.0, 1.0])
def test_one_cycle_may_only_fall_or_only_rise(rise):
    assert all(0 < rate <= 1 for rate in factors(OneCycle(rise=rise), 10))


def test_no_warm_up_starts_at_the_top():
    assert Cosine(warm_up_steps=0).factor(0, 10, []) == 1.0


def test_the_named_schedule_is_followed():
    config = ScheduleConfig(name="step_decay", step_decay=StepDecay(every=7))
    assert config.chosen == StepDecay(every=7)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"name": "cosin"},
            "schedule name is 'cosin'; expected one of cosine, step_decay, plateau, one_cycle",
        ),
        ({"step_decay": StepDecay(every=0)}, r"step_decay\.every is 0 .* expected 1 or more"),
        ({"plateau": Plateau(patience=0)}, r"plateau\.patience is 0; expected 1 or more"),
        ({"one_cycle": OneCycle(rise=30.0)}, r"one_cycle\.rise is 30\.0; expected 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused(values, said):
    with pytest.raises(ConfigError, match=said):
        ScheduleConfig(**values)


def test_validations_since_the_first_that_was_best():
    assert [validations_since_best(scores) for scores in ([], [1.0], [1.0, 2.0], [2.0, 2.0, 1.0])] == [
        0,
        0,
        0,
        2,
    ]
