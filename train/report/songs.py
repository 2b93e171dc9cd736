"""Sections on separated songs: figures, and some of them to look at and to listen to."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import soundfile
from scipy.signal import ShortTimeFFT

from streamer.arrays import Array
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator
from train.data.sets.song_catalogue import find_songs
from train.data.songs import Song, read_stems
from train.report import plots
from train.report.measured import evaluate_command
from train.report.page import PageSection, absent, figure, note, table, tiles
from train.report.runs import Run

STEMS: Mapping[str, str] = MappingProxyType({"voice": "voice", "music": "accompaniment"})
"""What a stem is called on the page."""
LONGEST_S = 10.0
"""Of a song that is shown."""
CHOSEN: Mapping[str, float] = MappingProxyType(
    {"worst": 0.0, "lower quarter": 0.25, "median": 0.5, "upper quarter": 0.75, "best": 1.0}
)
"""Songs that are shown unless others are named, by the quantile of the voice's NSDR."""
WINDOW_S, TOP_HZ, RANGE_DB = 0.04, 8_000.0, 70.0
"""Of the spectrograms."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Shown:
    """A song that is on the page: what was measured of it, and why it is there."""

    figures: Mapping[str, Any]
    why: str


def summary(runs: Sequence[Run]) -> list[PageSection]:
    """Figures of all songs that were measured, each data set by itself: they are not measured alike."""
    songs = _measured(runs)
    if not songs:
        return [absent("Songs", "predictions/*.json", evaluate_command(runs))]
    sources = sorted({song["source"] for song in songs})
    return [_summary(source, [song for song in songs if song["source"] == source]) for source in sources]


def to_hear(runs: Sequence[Run], data: Path | None, names: Sequence[str]) -> list[PageSection]:
    """Songs to look at and to listen to, of each run that measured any.

    Parameters
    ----------
    runs : sequence of Run
        Whose models step.
    data : Path or None
        Folder of the data sets; None shows and plays nothing.
    names : sequence of str
        Songs to be shown besides those of `CHOSEN`.

    Raises
    ------
    ConfigError
        If a name is no song that was measured.
    """
    known = {song["name"] for song in _measured(runs)}
    if known and (unknown := [name for name in names if name not in known]):
        raise ConfigError(
            f"no song {unknown[0]!r} was measured; expected one of {', '.join(sorted(known)[:8])}, ..."
        )
    return [_to_hear(run, data, names) for run in runs if run.songs]


def _measured(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    return [song for run in runs if run.songs for song in run.songs["songs"]]


def _summary(source: str, songs: Sequence[Mapping[str, Any]]) -> PageSection:
    keys = ("voice/nsdr", "voice/sir", "voice/sar", "music/nsdr")
    heads = ("voice NSDR", "voice SIR", "voice SAR", "accompaniment NSDR")
    artists = sorted({song["artist"] for song in songs})
    by_artist = {artist: [song for song in songs if song["artist"] == artist] for artist in artists}
    rows = [(artist, len(found), *(_mean(found, key) for key in keys)) for artist, found in by_artist.items()]
    with plots.Drawing(columns=2, width=8.4) as drawing:
        for axes, stem in zip(drawing.axes, STEMS, strict=True):
            axes.hist(_known(songs, f"{stem}/nsdr"), bins=30, color=plots.SERIES[0])
            axes.set(xlabel=f"NSDR of the {STEMS[stem]}, dB", ylabel="songs")
    body = tiles((f"{_mean(songs, key):.2f} dB", head) for key, head in zip(keys, heads, strict=True))
    told = "Means over songs, weighted by their length. NSDR is SDR less the mixture's."
    return PageSection(
        f"Songs of {source}",
        body
        + note(told)
        + figure(drawing.svg("songs by NSDR"))
        + table(
            ["artist", "measured", *heads], [*rows, ("all", len(songs), *(_mean(songs, k) for k in keys))]
        ),
    )


def _to_hear(run: Run, data: Path | None, names: Sequence[str]) -> PageSection:
    title = f"To look at and to listen to, {run.name}"
    try:
        model = OnnxModel(run.folder / "exported")
    except ModelError:
        return absent(title, "exported/", evaluate_command([run]))
    if data is None:
        return PageSection(title, note("The songs are not at hand."))
    try:
        found = {song.name: song for song in find_songs(run.config["data"], data)}
    except ConfigError as error:
        return PageSection(title, note(f"The songs are not at hand: {error}"))
    parts = [
        _song(shown, found[name], model)
        if (name := shown.figures["name"]) in found
        else note(f"{name} is not at hand.")
        for shown in _chosen(run.songs["songs"], names)
    ]
    about = (
        f"The first {LONGEST_S:g} s of each, {RANGE_DB:g} dB from black to white. What is true stands below "
        "what was estimated."
    )
    return PageSection(title, note(about) + "".join(parts))


def _chosen(songs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[_Shown]:
    known = {song["name"]: song for song in songs}
    ordered = sorted(
        (song for song in songs if song["decibels"]["voice/nsdr"] is not None),
        key=lambda song: song["decibels"]["voice/nsdr"],
    )
    wanted = dict.fromkeys((name for name in names if name in known), "asked for")
    for why, quantile in CHOSEN.items() if ordered else ():
        wanted.setdefault(ordered[round(quantile * (len(ordered) - 1))]["name"], why)
    return [_Shown(known[name], why) for name, why in wanted.items()]


def _song(shown: _Shown, song: Song, model: OnnxModel) -> str:
    decibels = shown.figures["decibels"]
    rows = [
        (told, *(decibels[f"{stem}/{name}"] for name in ("nsdr", "sdr", "sir", "sar", "si_sdr")))
        for stem, told in STEMS.items()
    ]
    head = f"<h3>{escape(shown.figures['name'])} <small>{escape(shown.why)}</small></h3>"
    figures = table(["dB", "NSDR", "SDR", "SIR", "SAR", "SI-SDR"], rows)
    try:
        sounds, rate_hz = _sounds(song, model)
    except StreamError as error:
        _log.warning("%s is not shown: %s", song.name, error)
        return head + figures + note(str(error))
    decibels_of = {name: _decibels(sound, rate_hz) for name, sound in sounds.items()}
    loudest = max(float(found.max()) for found in decibels_of.values())
    players = []
    for name, sound in sounds.items():
        picture = plots.picture(decibels_of[name], len(sound) / rate_hz, loudest - RANGE_DB, loudest)
        players.append(figure(picture + _player(f"{song.name}: {name}", sound, rate_hz), name))
    players.insert(3, "<div></div>")  # below the mixture: what is true stands below what is estimated
    return f'{head}{figures}<div class="stems">{"".join(players)}</div>'


def _sounds(song: Song, model: OnnxModel) -> tuple[dict[str, Array], int]:
    """What is shown of a song by name, float32, shape (samples, channels), and the sample rate in hertz."""
    truth = read_stems(song)
    longest = round(LONGEST_S * truth.rate_hz)
    voice, music = truth.voice[:longest], truth.music[:longest]
    stems = Separator(model, truth.rate_hz, voice.shape[1]).whole((voice + music)[None])
    sounds = {
        "mixture": voice + music,
        "voice, estimated": stems.voice[0],
        "accompaniment, estimated": stems.music[0],
        "voice, true": voice,
        "accompaniment, true": music,
    }
    return sounds, truth.rate_hz


def _player(label: str, sound: Array, rate_hz: int) -> str:
    peak = max(float(np.abs(sound).max()), 1.0)  # Vorbis cuts off what is beyond full scale
    file = io.BytesIO()
    soundfile.write(file, sound / peak, rate_hz, format="OGG", subtype="VORBIS")
    content = base64.b64encode(file.getvalue()).decode()
    told = escape(label, quote=True)
    return (
        f'<audio controls preload="none" aria-label="{told}" src="data:audio/ogg;base64,{content}"></audio>'
    )


def _decibels(sound: Array, rate_hz: int) -> Array:
    """Spectrogram of the mean of the channels up to `TOP_HZ`, shape (frames, bins)."""
    window = round(WINDOW_S * rate_hz)
    transform = ShortTimeFFT(np.hanning(window), window // 2, rate_hz)
    power = transform.spectrogram(sound.mean(axis=1).astype(np.float64))
    decibels: Array = 10 * np.log10(power[transform.f <= TOP_HZ].T + 1e-10)
    return decibels


def _known(songs: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [song["decibels"][key] for song in songs if song["decibels"][key] is not None]


def _mean(songs: Sequence[Mapping[str, Any]], key: str) -> float:
    known = [song for song in songs if song["decibels"][key] is not None]
    if not known:
        return float("nan")
    return float(np.average(_known(known, key), weights=[song["seconds"] for song in known]))
