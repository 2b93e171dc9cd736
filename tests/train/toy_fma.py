"""A small folder in FMA's layout: its tables, and clips as mp3 files, some broken as FMA has them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

GENRES = [
    (12, 0, "Rock"),
    (25, 12, "Punk"),
    (10, 0, "Pop"),
    (15, 0, "Electronic"),
    (42, 15, "Ambient Electronic"),
]
HEADER = [
    ["", "album", "artist", "set", "set", "track", "track", "track"],
    ["", "comments", "id", "split", "subset", "genre_top", "genres", "genres_all"],
    ["track_id", "", "", "", "", "", "", ""],
]
PITCH_HZ = {"Rock": 300.0, "Pop": 3_000.0, "Electronic": 12_000.0}
"""Tone of each genre in `make_toy_fma`; the highest is lost at 16 kHz."""
RATE_HZ = 44_100


def row(
    number: int,
    artist: int,
    split: str,
    subset: str = "small",
    top: str = "Rock",
    genres: str = "[25]",
    genres_all: str = "[25, 12]",
) -> list[str]:
    """A line of tracks.csv."""
    return [str(number), "0", str(artist), split, subset, top, genres, genres_all]


def write_tables(root: Path, rows: Sequence[list[str]], header: Sequence[list[str]] = HEADER) -> None:
    folder = root / "fma" / "fma_metadata"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tracks.csv").open("w", newline="") as out:
        csv.writer(out).writerows([*header, *rows])
    with (folder / "genres.csv").open("w", newline="") as out:
        csv.writer(out).writerows(
            [
                ("genre_id", "#tracks", "parent", "title", "top_level"),
                *[(n, 1, up, t, 12) for n, up, t in GENRES],
            ]
        )


def clip_path(root: Path, number: int, subset: str = "small") -> Path:
    path = root / "fma" / f"fma_{subset}" / f"{number:06}"[:3] / f"{number:06}.mp3"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_clip(root: Path, number: int, seconds: float = 30.0, subset: str = "small") -> None:
    t = np.arange(int(seconds * 16_000)) / 16_000
    soundfile.write(clip_path(root, number, subset), 0.3 * np.sin(2 * np.pi * (300 + number) * t), 16_000)


def make_toy_fma(root: Path, seconds: float = 1.3) -> Path:
    """Clips of three genres in every fold, in stereo at 44.1 kHz, and broken ones.

    The clip 000016 is silent after 0.5 s; 000090 is empty, 000091 no mp3 file, 000092 short, 000093 absent.
    """
    rows = []
    splits = ("training", "training", "training", "validation", "test")
    genres = {"Rock": ("[25]", "[25, 12]"), "Pop": ("[10]", "[10]"), "Electronic": ("[42]", "[42, 15]")}
    for place in range(30):
        top = list(genres)[place % 3]
        split = splits[place // 3 % 5]
        artist = 100 + 50 * (place % 3) + place // 3  # in this order, each genre is dealt to each fold
        rows.append(row(place + 10, artist, split, "small", top, *genres[top]))
        _write_tone(
            clip_path(root, place + 10), PITCH_HZ[top], seconds, stops_s=0.5 if place == 6 else seconds
        )
    rows += [row(number, 800 + number, "training") for number in range(90, 94)]
    clip_path(root, 90).write_bytes(b"")
    clip_path(root, 91).write_bytes(b"ID3 and nothing that is sound" * 20)
    _write_tone(clip_path(root, 92), 300.0, 0.4)
    write_tables(root, rows)
    return root


def _write_tone(path: Path, pitch_hz: float, seconds: float, stops_s: float = np.inf) -> None:
    rng = np.random.default_rng(int(path.stem))
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * pitch_hz * rng.uniform(0.97, 1.03) * t)
    tone[t >= stops_s] = 0.0
    sound = np.stack([tone, 0.8 * tone], 1)
    soundfile.write(path, sound, RATE_HZ, format="MP3")
