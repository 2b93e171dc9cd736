"""``python -m train import-yamnet SOURCE``: make a model folder of published weights and check it on real sound."""

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
"""Number of held-out recordings to compare on, evenly spread over the data sets."""
SECONDS = 10
"""Length, in seconds, of the beginning of each recording that is compared on."""


@click.command("import-yamnet")
@click.argument("source")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write.  [default: yamnet among the user's models]",
)
@click.option(
    "--hop-ms", type=float, default=HOP_MS, show_default=True, help="Milliseconds from one score to the next."
)
@click.option("--against", metavar="SOURCE", help="Another SavedModel or tflite file to compare with.")
@click.option(
    "--sound",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Recording to compare on; repeatable.  [default: held-out recordings in $STREAMER_DATA]",
)
def import_yamnet_command(
    source: str, out: Path | None, hop_ms: float, against: str | None, files: tuple[Path, ...]
) -> None:
    """Make a model folder of YAMNet from SOURCE: a TensorFlow Hub handle, a SavedModel, a tflite or an npz file."""
    folder = out or user_folder() / "yamnet"
    given = [Recording("given", path.name, (path,), "sound", "", 1) for path in files]
    chosen = given or _held_out(data_folder(), CACHE)
    for difference in import_yamnet(source, hop_ms, folder, chosen, against):
        click.echo(f"{difference}")
    click.echo(f"{folder}: ready, `streamer listen --model gate={folder if out else folder.name}`")


def import_yamnet(
    source: str, hop_ms: float, folder: Path, chosen: Sequence[Recording], against: str | None = None
) -> list[Difference]:
    """Write a model folder of YAMNet, and return by how much it differs from torch and from the source's own runtime.

    Parameters
    ----------
    source : str
        Handle for ``tensorflow_hub.load``, or a ``.tflite`` or ``.npz`` file.
    hop_ms : float
        Milliseconds from one score to the next; a multiple of 10.
    folder : Path
        Folder to write, created if absent; if the import is refused it is left unchanged.
    chosen : sequence of Recording
        Recordings to compare on.
    against : str, optional
        Another source to compare with; it must be able to run, which an npz file is not.

    Returns
    -------
    list of Difference
        Differences from torch, from the source itself unless it is an npz file, and from `against`.

    Raises
    ------
    ConfigError
        If `hop_ms` is not possible.
    ModelError
        If a source cannot be read or is not YAMNet, or a difference is larger than allowed.
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
    """Return the weights of a source, and the source itself to compare with if it can run."""
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
    """Return some recordings of every kind that the gate is not trained on."""
    found = unambiguous_recordings(data, cache, [5])
    return [found[index] for index in np.linspace(0, len(found) - 1, RECORDINGS).astype(int)]


def _sound(recording: Recording) -> Array:
    """Return the start of a recording, float32."""
    return decode(recording)[: SECONDS * RATE_HZ].astype(np.float32) / np.float32(FULL_SCALE)
