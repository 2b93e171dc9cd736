"""Test folding the batch norms of variables with the published names."""

from __future__ import annotations

import numpy as np

from streamer.yamnet.batch_norms import fold_batch_norms
from streamer.yamnet.weights import SHAPES
from tests.yamnet.published_variables import EPSILON, published_variables
from tests.yamnet.toy_weights import toy_weights


def test_batch_norms_are_folded_as_published() -> None:
    arrays = dict(toy_weights().arrays)
    found = fold_batch_norms(published_variables(arrays))
    assert set(found) == set(SHAPES)
    for name, array in arrays.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def test_gamma_and_biases_are_folded_too() -> None:
    kernel = np.ones((3, 3, 1, 2))
    found = fold_batch_norms(
        {
            "layer1/conv/kernel": kernel,
            "layer1/conv/bias": np.array([1.0, 2.0]),
            "layer1/conv/bn/gamma": np.array([2.0, 3.0]),
            "layer1/conv/bn/beta": np.array([0.5, 0.25]),
            "layer1/conv/bn/moving_mean": np.array([4.0, 5.0]),
            "layer1/conv/bn/moving_variance": np.full(2, 1.0 - EPSILON),
            "step": np.array(7),
        }
    )
    assert list(found) == ["layer01/conv/kernel", "layer01/conv/bias"]
    np.testing.assert_allclose(found["layer01/conv/kernel"][:, 0, 0, 0], [2.0, 3.0])
    np.testing.assert_allclose(found["layer01/conv/bias"], [2.0 * (1 - 4) + 0.5, 3.0 * (2 - 5) + 0.25])
