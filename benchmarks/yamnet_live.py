"""Compare the cost of our classifiers with that of YAMNet, as its live demos call it, and of a voice detector.

python -m benchmarks.yamnet_live [--yamnet FOLDER] [--tflite FILE] [--silero FILE] [--out FILE] [--smoke]

`--yamnet` names a folder made by `models pull yamnet` or `python -m train import-yamnet`. `--tflite` names YAMNet's
file for LiteRT, which needs `ai-edge-litert`. Without `--silero`, Silero's graph is taken from its package. Peers that
are absent are left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.live_peers import (
    Peer,
    core_ms_per_s,
    ours,
    silero_file,
    stepped_silero,
    stepped_yamnet,
    windowed_tflite,
    windowed_yamnet,
)
from benchmarks.report import machine, one_thread, parser, write
from streamer.engine.scheduler import LIVE_CHUNK_S
from streamer.errors import ConfigError, StreamerError

EVERY_S = (0.1, 0.48)
"""Times from one window to the next: a rate that live demos use, and YAMNet's own hop."""
STREAMS = (1, 32, 64)


def compare(
    streams: Sequence[Peer], peers: Sequence[Peer], rounds: int, least_s: float
) -> dict[str, dict[str, Any]]:
    """Measure all peers in turn.

    Parameters
    ----------
    streams : sequence of Peer
        Our peers.
    peers : sequence of Peer
        The others.
    rounds, least_s
        As of `benchmarks.report.in_turn`.

    Returns
    -------
    dict of str to dict
        Figures by name: milliseconds of a core for a second of one stream, streams on a core, and the ratio to ours.
    """
    cost_ms = core_ms_per_s([*streams, *peers], rounds, least_s)
    return {
        name: {
            "core_ms_per_s": round(ms, 3),
            "streams_per_core": round(1_000 / ms, 1),
            "times": {peer.name: round(ms / cost_ms[peer.name], 2) for peer in streams},
        }
        for name, ms in cost_ms.items()
    }


def make_peers(makers: Mapping[str, Callable[[], Sequence[Peer]]]) -> tuple[list[Peer], dict[str, str]]:
    """Make the peers that can be made, and return the reasons why others cannot."""
    peers: list[Peer] = []
    left_out: dict[str, str] = {}
    for name, make in makers.items():
        try:
            peers += make()
        except StreamerError as error:
            left_out[name] = str(error)
    return peers, left_out


def yamnet(folder: Path | None) -> list[Peer]:
    if folder is None:
        raise ConfigError(
            "no folder; make one by python -m train import-yamnet, and name it by --yamnet FOLDER"
        )
    return [*windowed_yamnet(folder, EVERY_S), stepped_yamnet(folder)]


def tflite(file: Path | None) -> list[Peer]:
    if file is None:
        raise ConfigError("no file; name YAMNet as tflite by --tflite FILE")
    return windowed_tflite(file, EVERY_S)


def silero(file: Path | None) -> list[Peer]:
    return [stepped_silero(file or silero_file())]


def main() -> None:
    asking = parser(__doc__ or "")
    asking.add_argument("--yamnet", type=Path, metavar="FOLDER", help="YAMNet for ONNX Runtime")
    asking.add_argument("--tflite", type=Path, metavar="FILE", help="YAMNet for LiteRT")
    asking.add_argument("--silero", type=Path, metavar="FILE", help="silero_vad.onnx")
    asked = asking.parse_args()
    counts, rounds, least_s = ((1, 2), 1, 0.0) if asked.smoke else (STREAMS, 7, 0.5)
    with one_thread():
        peers, left_out = make_peers(
            {
                "YAMNet, ONNX Runtime": partial(yamnet, asked.yamnet),
                "YAMNet, LiteRT": partial(tflite, asked.tflite),
                "Silero VAD": partial(silero, asked.silero),
            }
        )
        streams = [ours(count, LIVE_CHUNK_S) for count in counts]
        measured = compare(streams, peers, rounds, least_s)
    packages = {package for peer in peers for package in peer.packages}
    result = {
        "machine": machine(["numba", "numpy", "onnxruntime", *packages]),
        "rounds": rounds,
        "compared": measured,
        "left_out": left_out,
    }
    _print_table(measured, left_out)
    write(result, asked.out)


def _print_table(measured: Mapping[str, dict[str, Any]], left_out: Mapping[str, str]) -> None:
    first = next(iter(measured.values()))
    heads = [f"times {name.removeprefix('streamer, ')}" for name in first["times"]]
    print(f"{'':<48}{'core ms a s':>12}{'streams a core':>16}" + "".join(f"{head:>19}" for head in heads))
    for name, row in measured.items():
        ratios = "".join(f"{ratio:>19}" for ratio in row["times"].values())
        print(f"{name:<48}{row['core_ms_per_s']:>12}{row['streams_per_core']:>16}{ratios}")
    for name, why in left_out.items():
        print(f"left out: {name}: {why}")


if __name__ == "__main__":
    main()
