"""``streamer models``: list models, check them, and fetch those that others published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streamer.inference.manifest import Manifest


@click.group()
def models() -> None:
    """List, verify and fetch models."""


@models.command("list")
def list_models() -> None:
    """List the models that come with this program, and the user's."""
    from streamer.inference.model_folders import known_folders, read_manifest

    for folder in known_folders():  # one by one, so that those before a damaged one are listed
        click.echo(_described(read_manifest(folder)))


@models.command(short_help="Check that models are intact, fit and run.")
@click.argument("names", nargs=-1, metavar="[NAME|FOLDER]...")
def verify(names: tuple[str, ...]) -> None:
    """Check that models are intact, fit this version and the embedding model that they name, and run."""
    from streamer.inference.model_folders import find_model, known_folders
    from streamer.pipeline.build_heads import verify_model

    for folder in [find_model(name) for name in names] or known_folders():
        manifest = verify_model(folder)
        on_ear = f" on {_ear(manifest)}" if manifest.ear else ""
        click.echo(f"{manifest.name}: whole, fits, runs{on_ear} ({folder})")


@models.command(short_help="Fetch a model that others published.")
@click.argument("name", type=click.Choice(["yamnet"]))
@click.option(
    "--from",
    "source",
    metavar="FOLDER|HANDLE",
    help="Folder of a SavedModel, or handle for tensorflow_hub.  [default: Google's on TensorFlow Hub]",
)
@click.option(
    "--hop-ms",
    type=float,
    help="Milliseconds between two scores, a multiple of 10.  [default: 100]",
)
def pull(name: str, source: str | None, hop_ms: float | None) -> None:
    """Fetch a model that others published, for `listen --model SLOT=NAME`; a handle needs streamer[tfhub]."""
    from streamer.inference.model_folders import user_folder
    from streamer.yamnet.folder import HOP_MS
    from streamer.yamnet.pull import pull_yamnet
    from streamer.yamnet.tfhub import HANDLE
    from streamer.yamnet.weights import LICENCE

    folder = user_folder() / name
    for difference in pull_yamnet(source or HANDLE, HOP_MS if hop_ms is None else hop_ms, folder):
        click.echo(f"{difference}")
    click.echo(
        f"{folder}: ready, `streamer listen --model sounds={name}`, or gate={name}; weights: {LICENCE}"
    )


def _described(manifest: Manifest) -> str:
    every_ms = manifest.hop_frames * manifest.frame_ms
    gives = f"{manifest.embedding_size} numbers" if manifest.is_ear else ", ".join(manifest.labels[:4])
    more = ", ..." if len(manifest.labels) > 4 else ""
    hears = f"  on {_ear(manifest)}" if manifest.ear else ""
    short = "" if manifest.precision == "float32" else f"  {manifest.precision}"
    digest = manifest.sha256[:12]
    slots = ", ".join([manifest.task, *manifest.other_slots])
    return f"{manifest.name}  {slots}  every {every_ms:.0f} ms  {digest}{short}{hears}  {gives}{more}"


def _ear(manifest: Manifest) -> str:
    """Return the name and digest of a model's embedding model, as ``status`` messages have them."""
    assert manifest.ear is not None  # called for models that have one
    return f"{manifest.ear.name}@{manifest.ear.sha256[:12]}"
