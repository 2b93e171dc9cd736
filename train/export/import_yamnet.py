"""``python -m train import-yamnet SOURCE``: published weights to a model folder, checked on real sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.inference.model_folders import user_folder
from streamer.yamnet.folder import HOP_MS, Check, hop_frames_of, write_folder
from streamer.yamnet.parity import EXACT, Difference
from streamer.yamnet.tfhub import HubYAMNet
from streamer.yamnet.weights import Weights
from train.data.decode import FULL_SCALE, RATE_HZ, decode
from train.data.recordings import Recording
from train.data.sets.all_sound import unambiguous_recordings
from train.loop.run import CACHE, data_folder
from train.yamnet.npz import read_npz
from train.yamnet.tflite import TfliteYAMNet
from train.yamnet.torch_reference import TorchYAMNet

RECORDINGS = 24
"""How many of the held-out recordings are compared on, evenly spread over the data sets."""
SECONDS = 10
"""How much of each."""


@click.command("import-yamnet")
@click.argument("source")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder.  [default: the user's models]"
)
@click.option("--hop-ms", type=float, default=HOP_MS, show_default=True, help="From one score to the next.")
@click.option("--against", metavar="SOURCE", help="A SavedModel or tflite file to be compared with besides.")
@click.option(
    "--sound",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What to compare on; repeatable.  [default: held-out recordings in $STREAMER_DATA]",
)
def import_yamnet_command(
    source: str, out: Path | None, hop_ms: float, against: str | None, files: tuple[Path, ...]
) -> None:
    """Make a model folder of YAMNet: a TensorFlow Hub handle, a SavedModel, a tflite or an npz file."""
    folder = out or user_folder() / "yamnet"
    given = [Recording("given", path.name, (path,), "sound", "", 1) for path in files]
    chosen = given or _held_out(data_folder(), CACHE)
    for difference in import_yamnet(source, hop_ms, folder, chosen, against):
        click.echo(f"{difference}")
    click.echo(f"{folder}: ready, `streamer listen --model gate={folder if out else folder.name}`")


def import_yamnet(
    source: str, hop_ms: float, folder: Path, chosen: Sequence[Recording], against: str | None = None
) -> list[Difference]:
    """Write a model folder and compare it with torch and with the source's own program.

    Parameters
    ----------
    source : str
        What ``tensorflow_hub.load`` takes, or a ``.tflite`` or ``.npz`` file.
    hop_ms : float
        From one score to the next, a multiple of 10.
    folder : Path
        Made if absent; left as it is where the import is refused.
    chosen : sequence of Recording
        What they are compared on.
    against : str, optional
        A source that can run by itself (no npz), compared with besides.

    Returns
    -------
    list of Difference
        What was measured: against torch, the source itself unless it is an npz, and `against`.

    Raises
    ------
    ConfigError
        If `hop_ms` cannot be.
    ModelError
        If a source cannot be read or is no YAMNet, or a difference is above what is allowed.
    """
    hop_frames = hop_frames_of(hop_ms)
    weights, checks = _read(source)
    checks.insert(0, Check(TorchYAMNet(weights), EXACT))
    if against:
        _, others = _read(against)
        if not others:
            raise ModelError(
                f"{against} is an npz, which does not run; expected a SavedModel or a tflite file"
            )
        checks += others
    return write_folder(weights, hop_frames, checks, [_sound(one) for one in chosen], folder)


def _read(source: str) -> tuple[Weights, list[Check]]:
    """The weights of a source, and the source itself to compare with if it can run."""
    path = Path(source)
    if "://" not in source and not path.exists():
        raise ModelError(
            f"{source} is not there; expected a TensorFlow Hub handle (https://...), a SavedModel folder, or a .tflite "
            "or .npz file"
        )
    if path.suffix == ".npz":
        return read_npz(path), []
    if path.suffix == ".tflite":
        lite = TfliteYAMNet(path)
        return lite.weights(), [Check(lite, lite.tolerance)]
    hub = HubYAMNet(source)
    return hub.weights(), [Check(hub, EXACT)]


def _held_out(data: Path, cache: Path) -> list[Recording]:
    """Some recordings that the gate is not trained on, of every kind."""
    found = unambiguous_recordings(data, cache, [5])
    return [found[index] for index in np.linspace(0, len(found) - 1, RECORDINGS).astype(int)]


def _sound(recording: Recording) -> Array:
    """The start of a recording, float32."""
    return decode(recording)[: SECONDS * RATE_HZ].astype(np.float32) / np.float32(FULL_SCALE)
