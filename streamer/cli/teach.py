"""``streamer teach``: a sound of the user's own from a handful of recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.options import pcm_config
from streamer.config import Config, PcmConfig, StreamConfig
from streamer.errors import ConfigError, StreamerError

if TYPE_CHECKING:
    from streamer.custom_sounds.learner import SoundLearner
    from streamer.custom_sounds.store import SoundStore
    from streamer.sources.source import Source


@click.command()
@click.argument("label", required=False)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, readable=False), metavar="[FILE]...")
@click.option("--device", metavar="DEVICE", help="Record from it, as `listen` names it: mic, -, a URL.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 30, min_open=True),
    default=5.0,
    show_default=True,
    help="How long to record from DEVICE.",
)
@click.option("--pcm", "pcm_format", metavar="RATE:CHANNELS:ENCODING", help="What comes in from --device -.")
@click.option("--list", "listed", is_flag=True, help="Say what was taught.")
@click.option("--remove", "removed", metavar="LABEL", help="Forget a sound, and delete its recordings.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where they are kept.  [default: the user's own]"
)
def teach(
    label: str | None,
    files: tuple[Path, ...],
    device: str | None,
    seconds: float,
    pcm_format: str | None,
    listed: bool,
    removed: str | None,
    folder: Path | None,
) -> None:
    """Teach a sound of your own by name, from one recording or more; `listen` then reports it."""
    from streamer.custom_sounds.learner import LONGEST_S
    from streamer.custom_sounds.store import SoundStore, taught_folder

    store = SoundStore(folder or taught_folder())
    if listed + (removed is not None) + (label is not None) != 1:
        raise ConfigError("expected LABEL and FILES or --device, or --list, or --remove LABEL: one of them")
    if listed:
        _list(store)
    elif removed is not None:
        click.echo(f"{removed}: forgotten, with its recordings: {', '.join(store.remove(removed))}")
    elif label is not None:
        pcm = PcmConfig() if pcm_format is None else pcm_config(pcm_format)
        asked = [_recording(f"file:{path}", LONGEST_S, pcm) for path in files]
        _teach(store, label, asked + ([_recording(device, seconds, pcm)] if device else []))


@dataclass(frozen=True)
class _Asked:
    """What a recording is called, where it comes from, and how much of it is heard."""

    name: str
    source: Source
    longest_s: float


def _recording(device: str, longest_s: float, pcm: PcmConfig) -> _Asked:
    from streamer.sources.open_source import name_for, source_for

    source = source_for(StreamConfig(device), Config(pcm=pcm), realtime=False)
    return _Asked(name_for(device), source, longest_s)


def _teach(store: SoundStore, label: str, asked: Sequence[_Asked]) -> None:
    from streamer.custom_sounds.learner import learner
    from streamer.custom_sounds.report import report
    from streamer.custom_sounds.store import checked_label, taught_folder
    from streamer.inference.model_cache import ModelCache

    label = checked_label(label)
    if not asked:
        raise ConfigError(f"nothing to learn {label!r} from; expected sound files, or --device mic")
    own = learner(ModelCache())
    left_out = sum(not _taken(store, label, one, own) for one in asked)
    if label in store.labels():
        for line in report(label, store, own).lines():
            click.echo(line)
        own_folder = "" if store.folder == taught_folder() else f" --model taught={store.folder}"
        click.echo(
            f"kept in {store.folder_of(label)}; `streamer listen{own_folder}` reports it from its next start on"
        )
    if left_out:
        raise StreamerError(f"{left_out} of {len(asked)} recordings were left out of {label!r}, see above")


def _taken(store: SoundStore, label: str, asked: _Asked, own: SoundLearner) -> bool:
    """Learn one recording, and say so; or say why not."""
    from streamer.custom_sounds.store import as_kept
    from streamer.sources.record import record

    try:
        samples = as_kept(record(asked.source, own.rate_hz, asked.longest_s))
        own.check(samples)
    except StreamerError as error:
        click.echo(f"{asked.name}: left out: {error}", err=True)
        return False
    known = store.holds(label, samples)
    if not known:
        store.add(label, asked.name, samples, own.rate_hz)
    seconds = len(samples) / own.rate_hz
    first = "its first " if seconds >= asked.longest_s else ""
    click.echo(f"{asked.name}: {first}{seconds:.1f} s {'known already' if known else 'heard'}")
    return True


def _list(store: SoundStore) -> None:
    for label, recordings in store.all():
        seconds = sum(one.seconds for one in recordings)
        names = ", ".join(one.name for one in recordings)
        plural = "" if len(recordings) == 1 else "s"
        click.echo(f"{label}  {len(recordings)} recording{plural}, {seconds:.1f} s: {names}")
    if not store.labels():
        click.echo(f"nothing was taught yet, in {store.folder}", err=True)
