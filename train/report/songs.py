"""Sections about separated songs: figures, and some songs with spectrograms and players."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import soundfile
from markupsafe import Markup
from scipy.signal import ShortTimeFFT

from streamer.arrays import Array
from streamer.errors import ConfigError, ModelError, StreamError
from streamer.inference.onnx import OnnxModel
from streamer.separation.separator import Separator
from train.data.sets.songs.song_catalogue import find_songs
from train.data.songs import Song, read_stems
from train.report import plots
from train.report.measured import evaluate_command
from train.report.page import PageSection, absent, figure, heading, note, player, stems, table, tiles
from train.report.runs import Run

STEMS: Mapping[str, str] = MappingProxyType({"voice": "voice", "music": "accompaniment"})
"""Names of the stems on the page."""
LONGEST_S = 10.0
"""Length, in seconds, of the beginning of a song that is shown."""
CHOSEN: Mapping[str, float] = MappingProxyType(
    {"worst": 0.0, "lower quarter": 0.25, "median": 0.5, "upper quarter": 0.75, "best": 1.0}
)
"""Songs that are always shown, by the quantile of the voice's NSDR."""
WINDOW_S, TOP_HZ, RANGE_DB = 0.04, 8_000.0, 70.0
"""Window in seconds, highest frequency in hertz, and range in decibels of the spectrograms."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Shown:
    """Song on the page: its figures, and the reason why it is shown."""

    figures: Mapping[str, Any]
    why: str


def summary(runs: Sequence[Run]) -> list[PageSection]:
    """Return a section for each data set with the figures of its measured songs.

    Data sets are kept apart because they are measured differently.
    """
    songs = _measured_songs(runs)
    if not songs:
        return [absent("Songs", "predictions/*.json", evaluate_command(runs))]
    sources = sorted({song["source"] for song in songs})
    return [
        _source_section(source, [song for song in songs if song["source"] == source]) for source in sources
    ]


def players(runs: Sequence[Run], data: Path | None, names: Sequence[str]) -> list[PageSection]:
    """Return a section for each run that measured songs: some songs with spectrograms and players.

    Parameters
    ----------
    runs : sequence of Run
        Runs whose models step through a stream.
    data : Path or None
        Folder of the data sets; with None no songs are shown.
    names : sequence of str
        Names of songs to show besides those of `CHOSEN`.

    Raises
    ------
    ConfigError
        If a name is not that of a measured song.
    """
    known = {song["name"] for song in _measured_songs(runs)}
    if known and (unknown := [name for name in names if name not in known]):
        raise ConfigError(
            f"no song {unknown[0]!r} was measured; expected one of {', '.join(sorted(known)[:8])}, ..."
        )
    return [_run_section(run, data, names) for run in runs if run.songs]


def _measured_songs(runs: Sequence[Run]) -> list[Mapping[str, Any]]:
    return [song for run in runs if run.songs for song in run.songs["songs"]]


def _source_section(source: str, songs: Sequence[Mapping[str, Any]]) -> PageSection:
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
    about = "Means over songs, weighted by their length. NSDR is the SDR minus that of the mixture."
    return PageSection(
        f"Songs of {source}",
        body
        + note(about)
        + figure(drawing.svg("songs by NSDR"))
        + table(
            ["artist", "measured", *heads], [*rows, ("all", len(songs), *(_mean(songs, k) for k in keys))]
        ),
    )


def _run_section(run: Run, data: Path | None, names: Sequence[str]) -> PageSection:
    title = f"Songs to listen to, {run.name}"
    try:
        model = OnnxModel(run.folder / "exported")
    except ModelError:
        return absent(title, "exported/", evaluate_command([run]))
    if data is None:
        return PageSection(title, note("The songs are absent."))
    try:
        found = {song.name: song for song in find_songs(run.config["data"], data)}
    except ConfigError as error:
        return PageSection(title, note(f"The songs are absent: {error}"))
    parts = [
        _song(shown, found[name], model)
        if (name := shown.figures["name"]) in found
        else note(f"{name} is absent.")
        for shown in _chosen(run.songs["songs"], names)
    ]
    about = (
        f"The first {LONGEST_S:g} s of each song; spectrograms show {RANGE_DB:g} dB from black to white. The true "
        "stems are below the estimated ones."
    )
    return PageSection(title, note(about) + Markup().join(parts))


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


def _song(shown: _Shown, song: Song, model: OnnxModel) -> Markup:
    decibels = shown.figures["decibels"]
    rows = [
        (name, *(decibels[f"{stem}/{figure}"] for figure in ("nsdr", "sdr", "sir", "sar", "si_sdr")))
        for stem, name in STEMS.items()
    ]
    head = heading(shown.figures["name"], shown.why)
    figures = table(["dB", "NSDR", "SDR", "SIR", "SAR", "SI-SDR"], rows)
    try:
        sounds, rate_hz = _sounds(song, model)
    except StreamError as error:
        _log.warning("%s is not shown: %s", song.name, error)
        return head + figures + note(str(error))
    decibels_of = {name: spectrogram_db(sound, rate_hz) for name, sound in sounds.items()}
    loudest = max(float(found.max()) for found in decibels_of.values())
    parts: list[Markup | None] = []
    for name, sound in sounds.items():
        picture = plots.picture(decibels_of[name], len(sound) / rate_hz, loudest - RANGE_DB, loudest)
        parts.append(figure(picture + _player(f"{song.name}: {name}", sound, rate_hz), name))
    parts.insert(3, None)  # below the mixture, so that the true stems are below the estimated ones
    return head + figures + stems(parts)


def _sounds(song: Song, model: OnnxModel) -> tuple[dict[str, Array], int]:
    """Return the sounds of a song by name, float32, shape (samples, channels), and the sample rate in hertz."""
    truth = read_stems(song)
    longest = round(LONGEST_S * truth.rate_hz)
    voice, music = truth.voice[:longest], truth.music[:longest]
    estimated = Separator(model, truth.rate_hz, voice.shape[1]).whole((voice + music)[None])
    sounds = {
        "mixture": voice + music,
        "voice, estimated": estimated.voice[0],
        "accompaniment, estimated": estimated.music[0],
        "voice, true": voice,
        "accompaniment, true": music,
    }
    return sounds, truth.rate_hz


def _player(label: str, sound: Array, rate_hz: int) -> Markup:
    peak = max(float(np.abs(sound).max()), 1.0)  # Vorbis clips samples beyond full scale
    file = io.BytesIO()
    soundfile.write(file, sound / peak, rate_hz, format="OGG", subtype="VORBIS")
    content = base64.b64encode(file.getvalue()).decode()
    return player(label, f"data:audio/ogg;base64,{content}")


def spectrogram_db(sound: Array, rate_hz: int) -> Array:
    """Return the spectrogram of the channels' mean up to `TOP_HZ`, in dB, shape (frames, bins)."""
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
