"""Compare the front end with librosa, torchaudio and kaldi-native-fbank, hop by hop and for a whole file.

``python -m benchmarks.frontend --out runs/frontend.json``
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.frontend_peers import Kaldi, Librosa, Peer, Streamer, Torchaudio
from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig


def measure(seconds: float, rounds: int, least_s: float) -> dict[str, Any]:
    """Time all front ends on noise.

    Parameters
    ----------
    seconds : float
        Length of the sound.
    rounds : int
        Number of measurements of each; the figures are their medians.
    least_s : float
        Time after which a measurement of a whole file stops to repeat it.

    Returns
    -------
    dict
        For each peer: ``whole_us_per_frame``; ``hop_us`` with mean and percentiles of single hops; the ratios of both
        to ours (for hops, of the medians); and the distance of its log-mel values from ours.
    """
    config = LogMelConfig()
    peers = {
        "streamer": Streamer(config),
        "librosa": Librosa(config),
        "torchaudio": Torchaudio(config),
        "kaldi-native-fbank": Kaldi(config),
    }
    samples = int(seconds * config.sample_rate_hz) // config.hop_samples * config.hop_samples
    sound = 0.1 * np.random.default_rng(0).standard_normal(samples, np.float32)
    with report.one_thread():
        whole = _whole(peers, sound, rounds, least_s)
        hops = _hop_by_hop(peers, sound.reshape(-1, config.hop_samples), rounds)
        differences = {
            name: _difference(peer, peers["streamer"], sound, config) for name, peer in peers.items()
        }
    packages = {package for peer in peers.values() for package in peer.packages}
    return {
        "machine": report.machine(sorted(packages)),
        "config": asdict(config),
        "seconds": seconds,
        "rounds": rounds,
        "whole_us_per_frame": whole,
        "whole_ratio": {name: round(value / whole["streamer"], 2) for name, value in whole.items()},
        "hop_us": hops,
        "hop_ratio": {name: round(hop["p50"] / hops["streamer"]["p50"], 2) for name, hop in hops.items()},
        "median_difference": differences,
    }


def _whole(peers: dict[str, Peer], sound: Array, rounds: int, least_s: float) -> dict[str, float]:
    given = {name: peer.prepare(sound) for name, peer in peers.items()}
    frames = {name: len(peer.whole(given[name])) for name, peer in peers.items()}
    calls = {name: (lambda peer=peer, x=given[name]: peer.whole(x)) for name, peer in peers.items()}
    timed = report.in_turn(calls, rounds, least_s)
    return {name: round(float(np.median(timed[name])) / frames[name] * 1e6, 3) for name in peers}


def _hop_by_hop(peers: dict[str, Peer], hops: Array, rounds: int) -> dict[str, dict[str, float]]:
    """Return mean and percentiles of single hops in microseconds, each as the median over the rounds."""
    given = {name: [peer.prepare(hop) for hop in hops] for name, peer in peers.items()}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
    for _ in range(rounds + 1):
        for name, peer in peers.items():
            took = report.each(peer.stream(), given[name])
            found[name].append({"mean": float(took.mean()) * 1e6, **report.percentiles(took)})
    warm = {name: rows[1:] for name, rows in found.items()}
    return {
        name: {key: round(float(np.median([row[key] for row in rows])), 3) for key in rows[0]}
        for name, rows in warm.items()
    }


def _difference(peer: Peer, ours: Peer, sound: Array, config: LogMelConfig) -> float:
    """Return the median distance of the log-mel values from ours, over ten frames."""
    short = sound[: config.window_samples + 9 * config.hop_samples]
    margin = (config.fft_samples - config.window_samples) // 2
    expected = ours.whole(ours.prepare(short))
    found = peer.whole(peer.prepare(short))
    if len(found) < len(expected):  # its window lies in the middle of the FFT
        found = peer.whole(peer.prepare(np.pad(short, margin)))
    return round(float(np.median(np.abs(found - expected))), 6)


def main() -> None:
    """Measure, print a table, write JSON."""
    given = report.arguments(__doc__)
    result = measure(1.0, 1, 0.01) if given.smoke else measure(60.0, 7, 0.2)
    print(
        f"{'us a frame':<20}{'whole':>9}{'ratio':>7}{'hop p50':>9}{'ratio':>7}{'p95':>9}{'p99':>9}{'mean':>9}"
    )
    for name, hop in result["hop_us"].items():
        print(
            f"{name:<20}{result['whole_us_per_frame'][name]:9.2f}{result['whole_ratio'][name]:7.2f}"
            f"{hop['p50']:9.2f}{result['hop_ratio'][name]:7.2f}{hop['p95']:9.2f}{hop['p99']:9.2f}{hop['mean']:9.2f}"
        )
    report.write(result, given.out)


if __name__ == "__main__":
    main()
