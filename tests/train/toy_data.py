"""A tiny copy of the data sets' layouts, made of seeded noise and tones."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

from train.data.rendered import INDEX, RenderedPiece, write_index
from train.data.sets.gtzan.gtzan_snippets import listed

RATE_HZ = 16_000


def write(path: Path, seconds: float = 3.0, rate_hz: int = RATE_HZ, pitch_hz: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(path.name)))
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    sound = 0.3 * np.sin(2 * np.pi * pitch_hz * t) if pitch_hz else 0.1 * rng.standard_normal(len(t))
    soundfile.write(path, sound, rate_hz)


def make_toy_data(root: Path) -> Path:
    """Every loader finds something here for each split."""
    rows = []
    for fold in range(1, 6):
        for category in ("dog", "church_bells"):
            name = f"{fold}-1-A-{category}"
            pitch_hz = 880.0 if category == "church_bells" else 0.0
            write(root / "esc50" / "audio" / f"{name}.flac", seconds=5.0, pitch_hz=pitch_hz)
            row = {"filename": f"{name}.wav", "fold": fold, "category": category, "esc10": category == "dog"}
            rows.append(row)
    with (root / "esc50" / "esc50.csv").open("w", newline="") as out:
        table = csv.DictWriter(out, ["filename", "fold", "category", "esc10"])
        table.writeheader()
        table.writerows(rows)
    for genre in ("blues", "rock"):
        for n in range(5):
            track = root / "gtzan" / "audio" / genre / f"{genre}.0000{n}.wav"
            write(track, seconds=25.0, rate_hz=22_050, pitch_hz=330 + n)
    write_mels(root / "gtzan" / "mels.npz")
    for name in ("a", "b", "c", "d", "d1", "e"):
        write(root / "music_speech" / "music" / f"{name}.wav", pitch_hz=440)
    for name in ("u", "v", "w", "x", "x1", "y"):
        write(root / "music_speech" / "speech" / f"{name}.wav")
    for singer in ("amy", "annar", "ariel"):
        write(root / "mir1k" / "music" / f"{singer}_1_01.wav", pitch_hz=550)
        write(root / "mir1k" / "voice" / f"{singer}_1_01.wav")
    for n in range(6):
        write(root / "speech" / f"FA0{n}_01.wav")
        write(root / "speech" / f"FA0{n}_02.wav")
    return root


def write_mels(path: Path, tracks: int = 12) -> None:
    """GTZAN's mel file, with bands of its own for each genre; the first five tracks of each are those of the sound."""
    rng = np.random.default_rng(0)
    genre = np.repeat([0, 1], tracks)
    mel = rng.integers(-20, 20, (2 * tracks, 128, 130))
    for track, number in zip(mel, genre, strict=True):
        track[60 * number : 60 * number + 40] += 60
    audio = [
        f"gtzan/audio/{name}/{name}.{n:05}.wav" if n < 5 else ""
        for name in ("blues", "rock")
        for n in range(tracks)
    ]
    np.savez(
        path,
        mel=mel.astype(np.int8),
        scale=np.float32(0.03),
        genre=genre,
        genres=np.array(["blues", "rock"]),
        group=np.arange(2 * tracks),
        audio=np.array(audio),
    )


def write_pjs(root: Path, songs: int = 10) -> None:
    """Songs of one singer, each with the reading of its words: two songs in each fold."""
    rows = ["file,kind,singer"]
    for n in range(1, songs + 1):
        for kind, ending, pitch_hz in (("singing", "song", 220), ("speech", "speech", 0)):
            name = f"pjs{n:03}_{ending}.wav"
            write(root / "pjs_singing" / name, pitch_hz=pitch_hz)
            rows.append(f"{name},{kind},pjs")
    (root / "pjs_singing" / "labels.csv").write_text("\n".join(rows) + "\n")


def write_animals(root: Path, takes: int = 5) -> None:
    """Dogs and lions: of both a take of ten clips in each fold; the second clip of a take is longer than an example."""
    rows = ["file,animal,esc50"]
    for animal, named in (("dog", "dog"), ("lion", "")):
        for number in range(10 * takes):
            name = f"{animal}_{number}.wav"
            write(root / "animals" / name, seconds=12.0 if number % 10 == 1 else 2.0, pitch_hz=300.0 + number)
            rows.append(f"{name},{animal},{named}")
    (root / "animals" / "labels.csv").write_text("\n".join(rows) + "\n")


def write_rendered(root: Path) -> None:
    """Two rendered solos in each fold."""
    pieces = []
    for number in range(10):
        file = f"{number}.wav"
        write(root / "rendered" / file, pitch_hz=440 + number)
        played = ("solo", "flute", "73", "font", "own/scale", 90.0, "dry", 1)
        pieces.append(RenderedPiece(file, *played, number, number % 5 + 1, 3.0, "MIT", "MIT"))
    write_index(root / "rendered" / INDEX, pieces)


def write_snippets(folder: Path) -> None:
    """GTZAN's cut-outs, shorter and longer than a clip, and a mel file that numbers its tracks as the real one.

    It replaces the mel file in `folder`, and takes the first tracks of the real order.
    """
    folder.mkdir(exist_ok=True)
    write_mels(folder / "mels.npz")
    with np.load(folder / "mels.npz") as content:
        arrays = dict(content)
    order = listed(("blues", "rock"))
    arrays["group"] = np.concatenate([np.arange(12), 100 + np.arange(12)])
    tracks = [order[group] for group in arrays["group"]]
    arrays["audio"] = np.array(
        [f"gtzan/audio/{name}.wav" if n % 4 == 0 else "" for n, name in enumerate(tracks)]
    )
    np.savez(folder / "mels.npz", **arrays)
    for n, name in enumerate(tracks):
        write(folder / "snippets" / f"{name}.wav", seconds=2.0 + n % 3, pitch_hz=330 + n)
    with (folder / "snippets" / "labels.csv").open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["file", "genre", "gtzan_track"])
        table.writerows([f"{name}.wav", name.split(".")[0], name] for name in tracks)
