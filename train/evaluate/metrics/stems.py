"""Figures of estimated stems against the true ones: BSS Eval, SI-SDR, and bins that are given to the right stem."""

from __future__ import annotations

import museval.metrics
import numpy as np
from scipy.signal import ShortTimeFFT

from streamer.arrays import Array

WHOLE_CLIPS = ("mir1k", "speech", "over_free_music")
"""Sources that are measured like in the literature, clip by clip by BSS Eval v3. Others are measured by v4, second by
second."""
BIN_WINDOW_S = 0.064
"""Window, in seconds, of the spectrum whose bins are counted; the hop is a quarter of it."""
BIN_RANGE_DB = 40.0
"""Bins that are further below the loudest one of the mixture are not counted, since nobody hears whose they are."""


def bss_eval(true: Array, estimated: Array, source: str, rate_hz: int) -> dict[str, Array]:
    """Return SDR, SIR and SAR in dB of estimated stems, computed by museval.

    Songs of the data sets `WHOLE_CLIPS` are measured as a whole by BSS Eval v3. All others are measured second by
    second by v4, and the median over the seconds is returned.

    Parameters
    ----------
    true, estimated : float32 array, shape (stems, samples, channels)
        True stems, and estimated stems in the same order.
    source : str
        Data set of the song, which decides the version.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Returns
    -------
    dict
        Arrays ``sdr``, ``sir`` and ``sar``, each of shape (stems,).
    """
    whole = source in WHOLE_CLIPS
    window = np.inf if whole else rate_hz
    sdr, _, sir, sar, _ = museval.metrics.bss_eval(
        true.astype(np.float64),
        estimated.astype(np.float64),
        window=window,
        hop=window,
        bsseval_sources_version=whole,
    )
    return {
        "sdr": np.nanmedian(sdr, axis=1),
        "sir": np.nanmedian(sir, axis=1),
        "sar": np.nanmedian(sar, axis=1),
    }


def si_sdr_db(estimate: Array, true: Array) -> float:
    """Return the scale-invariant SDR in dB (Le Roux et al. 2019, equation 5), over all channels together.

    Parameters
    ----------
    estimate, true : Array, shape (samples, channels)
        Estimated stem and true stem.
    """
    estimate, true = estimate.astype(np.float64).ravel(), true.astype(np.float64).ravel()
    target = true * float(estimate @ true) / max(float(true @ true), 1e-12)
    error = estimate - target
    return float(10 * np.log10(max(float(target @ target), 1e-12) / max(float(error @ error), 1e-12)))


def count_bins(true: Array, estimated: Array, rate_hz: int) -> Array:
    """Return how many bins of the spectrum each stem truly has, by the stem that an estimate gives them to.

    A bin belongs to the stem that is the louder one there, as in an ideal binary mask (Wang 2005).

    Parameters
    ----------
    true, estimated : float32 array, shape (2, samples, channels)
        True stems, and estimated stems in the same order.
    rate_hz : int
        Sample rate of the sound, in hertz.

    Returns
    -------
    int array, shape (2, 2)
        Numbers of bins, of which the first axis is the true stem, and the second the estimated one.
    """
    wanted, found, mixture = (
        _powers(stems, rate_hz) for stems in (true, estimated, true.sum(0, keepdims=True))
    )
    heard = mixture[0] > mixture.max() * 10 ** (-BIN_RANGE_DB / 10)
    counts = np.zeros((2, 2), np.int64)
    np.add.at(counts, (wanted.argmax(0)[heard], found.argmax(0)[heard]), 1)
    return counts


def precision_and_recall(counts: Array) -> list[tuple[float | None, float | None]]:
    """Return precision and recall of each stem from the counts of `count_bins`; None where nothing is counted."""
    return [
        (_share(counts[stem, stem], counts[:, stem].sum()), _share(counts[stem, stem], counts[stem].sum()))
        for stem in range(len(counts))
    ]


def _powers(stems: Array, rate_hz: int) -> Array:
    """Return the power in each bin, over all channels together, shape (stems, bins, frames)."""
    window = round(BIN_WINDOW_S * rate_hz)
    transform = ShortTimeFFT(np.hanning(window), window // 4, rate_hz)
    powers: Array = transform.spectrogram(stems.astype(np.float64), axis=1).sum(axis=2)
    return powers


def _share(part: int, whole: int) -> float | None:
    return round(float(part / whole), 4) if whole else None
