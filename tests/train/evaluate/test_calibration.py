import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from streamer.errors import ConfigError
from train.evaluate import calibration

rng = np.random.default_rng(0)
TRUE_LOGITS = rng.normal(0.0, 2.0, (4_000, 5))
TRUTH = np.array([rng.choice(5, p=p) for p in softmax(TRUE_LOGITS, axis=1)])
GATE_LOGITS = rng.normal(0.0, 2.0, 4_000)
GATE_TRUTH = rng.random(4_000) < expit(GATE_LOGITS)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoilt_the_logits_is_found(temperature):
    assert calibration.fit_softmax_temperature(temperature * TRUE_LOGITS, TRUTH) == pytest.approx(
        temperature, rel=0.08
    )
    assert calibration.fit_sigmoid_temperature(temperature * GATE_LOGITS, GATE_TRUTH) == pytest.approx(
        temperature, rel=0.08
    )


def test_log_probabilities_do_as_well_as_logits():
    logs = log_softmax(2 * TRUE_LOGITS, axis=1)
    found = calibration.fit_softmax_temperature(logs, TRUTH)
    assert found == pytest.approx(calibration.fit_softmax_temperature(2 * TRUE_LOGITS, TRUTH), rel=1e-4)


def test_a_few_clips_that_are_all_said_rightly_make_nothing_certain():
    logits, truth = 3 * np.eye(4), np.arange(4)
    found = calibration.fit_softmax_temperature(logits, truth, doubt=0.2)
    assert softmax(logits / found, axis=1).max(axis=1) == pytest.approx(0.85)  # 0.8, and a fourth of 0.2


def test_a_temperature_that_cannot_be_told_is_refused():
    with pytest.raises(ConfigError, match="no validation scores to fit a temperature on"):
        calibration.fit_softmax_temperature(np.zeros((0, 3)), np.zeros(0, int))
    with pytest.raises(ConfigError, match=r"the likeliest temperature is at 0\.05, the edge"):
        calibration.fit_sigmoid_temperature(
            np.array([1.0, -1.0]), np.array([1, 0])
        )  # always right: never sure enough


def test_calibration_makes_the_expected_error_small():
    def error(logits):
        p = softmax(logits, axis=1)
        return calibration.compute_reliability(p.max(axis=1), p.argmax(axis=1) == TRUTH).expected_error

    spoilt = 3 * TRUE_LOGITS
    assert error(spoilt) > 0.1
    assert error(spoilt / calibration.fit_softmax_temperature(spoilt, TRUTH)) < 0.03


def test_reliability_by_hand():
    found = calibration.compute_reliability(
        np.array([0.1, 0.3, 0.9, 1.0]), np.array([False, True, True, True]), bins=2
    )
    assert found.counts.tolist() == [2, 2]
    assert found.confidence == pytest.approx([0.2, 0.95])
    assert found.share == pytest.approx([0.5, 1.0])
    assert found.expected_error == pytest.approx(0.5 * 0.3 + 0.5 * 0.05)
    assert np.isnan(calibration.compute_reliability(np.array([0.1]), np.array([True]), bins=2).share[1])
    with pytest.raises(ConfigError, match="no scores to hold against"):
        calibration.compute_reliability(np.zeros(0), np.zeros(0))


def test_a_bias_and_a_temperature_are_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 4.0, 40_000)
    truth = rng.random(40_000) < expit(logits / 2.5 - 1.5)
    temperature, bias = calibration.fit_platt(logits, truth.astype(int))
    assert temperature == pytest.approx(2.5, rel=0.05)
    assert bias == pytest.approx(-1.5, abs=0.1)


def test_nothing_can_be_calibrated_on_what_never_sounds():
    with pytest.raises(
        ConfigError, match="0 of 3 validation scores are of what sounds; expected some of each"
    ):
        calibration.fit_platt(np.zeros(3), np.zeros(3, int))
