"""Measure what a GPU carries by `--backend torch`: equality with ONNX Runtime, calls, transfer, launches, and streams.

python -m benchmarks.gpu [--device cuda] [--models gate ...] [--rows 1 8 ...] [--out FILE] [--smoke]

The programs of the released models are made anew in a temporary folder. A call is one step of so many streams: frames
go to the device and outputs come back, states stay there. `streams` is the largest number of which all models step
within a hop of the gate, 93 ms, in 99 of 100 turns, if all are due at once, which is the worst case. Front ends and all
that the engine does run on the CPU and are not counted. `--device cpu` tries the script where there is no GPU.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import machine, parser, percentiles, write
from streamer.arrays import Array
from streamer.bench.measure import Stepped, each
from streamer.inference.model_folders import released_folder
from streamer.inference.onnx import OnnxModel
from streamer.inference.torch_model import TorchModel, import_torch
from train.export.torch_program import write_program

MODELS = ("gate", "genre", "ear", "sounds", "separation")
LISTENING = ("gate", "genre", "ear", "sounds")
"""Models that every stream has, whose turns are measured together."""
ROWS = (1, 8, 64, 256, 512)
CALLS, TURNS, STEPS = 200, 100, 20
MOST_STREAMS = 1 << 17


def programs(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Copy released models into a folder, write the program of each, and return their folders by name."""
    found = {}
    for name in names:
        found[name] = folder / name
        shutil.copytree(released_folder() / name, found[name])
        write_program(found[name])
    return found


def noise(model: OnnxModel | TorchModel, streams: int, seed: int = 0) -> Array:
    """Return noise for one step of so many streams, shape (streams, hop_frames, input_size)."""
    shape = streams, model.manifest.hop_frames, model.manifest.input_size
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def difference(ours: TorchModel, other: OnnxModel) -> float:
    """Return the largest absolute difference of the outputs of two models over some steps of three streams."""
    stepped = Stepped(ours, 3), Stepped(other, 3)
    steps = (noise(other, 3, seed) for seed in range(STEPS))
    return max(float(np.abs(np.subtract(*(one.step(x) for one in stepped))).max()) for x in steps)


def transfer(torch: Any, device: str, x: Array, y: Array) -> Callable[[object], object]:
    """Return a function that takes frames to the device and outputs of the shape of `y` back."""
    made = torch.zeros(y.shape, device=device)

    def there_and_back(_: object) -> object:
        torch.from_numpy(x).to(device)
        return made.cpu().numpy()

    return there_and_back


def launch(torch: Any, device: str) -> Callable[[object], object]:
    """Return a function that launches one small operation and waits for it."""
    one = torch.zeros(1, device=device)

    def launched(_: object) -> object:
        one.add_(1.0)
        return one.item()

    return launched


def calls_of(torch: Any, model: TorchModel, device: str, rows: Sequence[int], calls: int) -> dict[str, Any]:
    """Return microseconds of a call and of its transfer alone, by the number of rows."""
    found = {}
    for count in rows:
        stepped, x = Stepped(model, count), noise(model, count)
        y = stepped.step(x)  # on a GPU the graph is recorded
        moved = transfer(torch, device, x, y)
        found[str(count)] = {
            "us": percentiles(each(stepped.step, [x] * calls)),
            "transfer_us": percentiles(each(moved, [None] * calls)),
        }
    return found


def turn_ms(models: Sequence[TorchModel], streams: int, turns: int) -> dict[str, float]:
    """Return milliseconds of a turn in which all models step once for so many streams."""
    groups = []
    for model in models:
        for first in range(0, streams, model.max_batch):
            count = min(model.max_batch, streams - first)
            groups.append((Stepped(model, count), noise(model, count)))

    def turn(_: object) -> None:
        for stepped, x in groups:
            stepped.step(x)

    turn(None)
    return percentiles(each(turn, [None] * turns), 1e-3)


def most_streams(models: Sequence[TorchModel], turns: int, most: int) -> dict[str, Any]:
    """Return the largest power of two of streams whose turns keep to a hop, and the turns of each number tried."""
    manifest = models[0].manifest
    hop_ms = manifest.hop_frames * manifest.frame_ms
    tried: dict[str, dict[str, float]] = {}
    carried, streams = 0, 64
    while streams <= most:
        tried[str(streams)] = turn_ms(models, streams, turns)
        if tried[str(streams)]["p99"] > hop_ms:
            break
        carried, streams = streams, 2 * streams
    return {"hop_ms": hop_ms, "streams": carried, "turn_ms": tried}


def main() -> None:
    made = parser(__doc__ or "")
    made.add_argument(
        "--device", default="cuda", help="torch's name of the device: cuda, or cpu to try the script"
    )
    made.add_argument("--models", nargs="+", default=list(MODELS), help="names of released models")
    made.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="numbers of streams in a call")
    asked = made.parse_args()
    calls, turns, most = (3, 3, 64) if asked.smoke else (CALLS, TURNS, MOST_STREAMS)
    torch = import_torch(asked.device)
    result: dict[str, Any] = {
        "machine": machine(["numpy", "onnxruntime", "torch"]),
        "device": torch.cuda.get_device_name() if asked.device == "cuda" else asked.device,
        "launch_us": percentiles(each(launch(torch, asked.device), [None] * calls)),
        "models": {},
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folders = programs(asked.models, Path(folder))
        opened = {name: TorchModel(path, asked.device) for name, path in folders.items()}
        for name, model in opened.items():
            found = {
                "difference": difference(model, OnnxModel(folders[name])),
                "rows": calls_of(torch, model, asked.device, asked.rows, calls),
            }
            result["models"][name] = found
            times = ", ".join(f"{rows}: {row['us']['p50']:g}" for rows, row in found["rows"].items())
            print(f"{name}: differs by {found['difference']:.1e} at most; us of a call by rows: {times}")
        together = [opened[name] for name in LISTENING if name in opened]
        if together:
            result["together"] = most_streams(together, turns, most)
            print(f"{result['together']['streams']} streams keep to a hop")
    result["took_s"] = round(time.monotonic() - began, 1)
    write(result, asked.out)


if __name__ == "__main__":
    main()
