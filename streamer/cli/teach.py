"""``streamer teach``: learn a sound of the user's own from a handful of recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.helpers.amount import Amount
from streamer.cli.helpers.options import SOUND_FILE, channel_option, pcm_config, track_option
from streamer.cli.helpers.terminal import tell
from streamer.config import Config, StreamConfig
from streamer.config_sections import PcmConfig
from streamer.errors import ConfigError, StreamerError

if TYPE_CHECKING:
    from streamer.api.teach import Teacher
    from streamer.custom_sounds.store import SoundStore
    from streamer.sources.source import Source


@click.command(short_help="Teach a sound of your own, from recordings.")
@click.argument("label", required=False)
@click.argument("files", nargs=-1, type=SOUND_FILE, metavar="[FILE]...")
@click.option(
    "--device", metavar="DEVICE", help="Input to record from, named as for `listen`: mic, -, a URL."
)
@click.option(
    "--seconds",
    type=Amount("seconds", 30),
    default=5.0,
    show_default=True,
    help="Seconds to record from DEVICE, 30 at most.",
)
@click.option(
    "--pcm", "pcm_format", metavar="RATE:CHANNELS:ENCODING", help="Format of raw PCM for --device -."
)
@click.option("--list", "listed", is_flag=True, help="List the sounds that were taught.")
@click.option("--remove", "removed", metavar="LABEL", help="Forget a sound and delete its recordings.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Folder of the recordings.  [default: the user's own]"
)
@channel_option
@track_option
def teach(
    label: str | None,
    files: tuple[Path, ...],
    device: str | None,
    seconds: float,
    pcm_format: str | None,
    listed: bool,
    removed: str | None,
    folder: Path | None,
    channel: int | None,
    track: str | None,
) -> None:
    """Teach a sound of your own by name, from one or more recordings; `listen` reports it from then on."""
    from streamer.api.teach import forget, store_in

    if listed + (removed is not None) + (label is not None) != 1:
        raise ConfigError("expected LABEL and FILES or --device, or --list, or --remove LABEL: one of them")
    if listed:
        _list(store_in(folder))
    elif removed is not None:
        click.echo(f"{removed}: forgotten, with its recordings: {', '.join(forget(removed, folder))}")
    elif label is not None:
        if {".", "/"} & set(label) and Path(label).is_file():
            raise ConfigError(
                f"LABEL is {label!r}, which is a file; expected the name of the sound before the files: `streamer "
                f"teach kettle {label}`"
            )
        pcm = PcmConfig() if pcm_format is None else pcm_config(pcm_format)
        entry = StreamConfig(channel=channel or 0, track=track or "")
        recordings = [_recording(replace(entry, device=f"file:{path}"), None, pcm) for path in files]
        own = [_recording(replace(entry, device=device), seconds, pcm)] if device else []
        _teach(label, recordings + own, folder)


@dataclass(frozen=True)
class _Recording:
    """A recording that is to be learnt.

    Attributes
    ----------
    name : str
    source : Source
        Not yet opened.
    longest_s : float
        Seconds of it that are heard at most.
    """

    name: str
    source: Source
    longest_s: float


def _recording(entry: StreamConfig, longest_s: float | None, pcm: PcmConfig) -> _Recording:
    from streamer.custom_sounds.learner import LONGEST_S
    from streamer.sources.open_source import name_for, source_for

    source = source_for(entry, Config(pcm=pcm), realtime=False)
    return _Recording(name_for(entry.device), source, LONGEST_S if longest_s is None else longest_s)


def _teach(label: str, recordings: Sequence[_Recording], folder: Path | None) -> None:
    """Learn a label from all recordings that can be learnt from, and print how it stands."""
    from streamer.api.teach import Teacher, store_in
    from streamer.custom_sounds.store import checked_label, taught_folder

    label = checked_label(label)
    if not recordings:
        raise ConfigError(f"nothing to learn {label!r} from; expected sound files, or --device mic")
    store = store_in(folder)
    teacher = Teacher(label, store)
    left_out = sum(not _learn(recording, teacher) for recording in recordings)
    if label in store.labels():
        for line in teacher.report().lines():
            tell(line)
        own_folder = "" if store.folder == taught_folder() else f" --model taught={store.folder}"
        tell(
            f"kept in {store.folder_of(label)}; `streamer listen{own_folder}` reports it from its next start on"
        )
    if left_out:
        raise StreamerError(
            f"{left_out} of {len(recordings)} recordings could not be learnt for {label!r}, see above"
        )


def _learn(recording: _Recording, teacher: Teacher) -> bool:
    """Learn one recording and print that, or print why it was left out; return whether it was learnt."""
    try:
        samples = teacher.read(recording.source, recording.longest_s)
    except StreamerError as error:
        tell(f"{recording.name}: left out: {error}", err=True)
        return False
    is_new = teacher.add(recording.name, samples)
    seconds = len(samples) / teacher.rate_hz
    first = "its first " if seconds >= recording.longest_s else ""
    tell(f"{recording.name}: {first}{seconds:.1f} s {'heard' if is_new else 'known already'}")
    return True


def _list(store: SoundStore) -> None:
    for label, recordings in store.all():
        seconds = sum(one.seconds for one in recordings)
        names = ", ".join(one.name for one in recordings)
        plural = "" if len(recordings) == 1 else "s"
        click.echo(f"{label}  {len(recordings)} recording{plural}, {seconds:.1f} s: {names}")
    if not store.labels():
        click.echo(f"nothing was taught yet, in {store.folder}", err=True)
