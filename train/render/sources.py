"""Fetch soundfonts and MIDI files, and list the scores with their folds."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ConfigError
from train.data.debian.cut import SKIPPED, Dropped, read_skipped, write_table
from train.data.debian.download import PackageError
from train.data.debian.fetch import Content, check_complete, fetch_packages
from train.data.sets.own_sounds import fold_by_hash
from train.render.packages import ScorePackage, Soundfont
from train.render.score import Score, ScoreError, is_note, read_score

CATALOGUE = "scores.csv"
_WAD_HEADER, _WAD_LUMP = struct.Struct("<4sii"), struct.Struct("<ii8s")


@dataclass(frozen=True)
class ScoreFile:
    """A MIDI file of a package: a row of ``scores.csv``.

    Attributes
    ----------
    file : str
        Name of the file in the package's folder.
    source : str
        Path in the package that it came from.
    seconds : float
        Length in seconds.
    notes : str
        Hash of its notes: scores with equal hashes are the same music.
    """

    file: str
    source: str
    seconds: float
    notes: str


@dataclass(frozen=True)
class PlacedScore:
    """A score in its fold.

    Attributes
    ----------
    path : Path
        MIDI file.
    name : str
        Package, and path in the package.
    licence : str
        Licence of the package's scores.
    fold : int
        Fold, 1 to 5.
    seconds : float
        Length in seconds.
    """

    path: Path
    name: str
    licence: str
    fold: int
    seconds: float


def fetch_sources(folder: Path, soundfonts: Sequence[Soundfont], packages: Sequence[ScorePackage]) -> None:
    """Download the packages that are not there yet into ``soundfonts`` and ``scores``, two subfolders of `folder`.

    Raises
    ------
    ConfigError
        If a required program is not installed.
    StreamError
        If packages are missing after all have been tried.
    """
    wanted = ((soundfonts, "soundfonts", SOUNDFONT_FILES), (packages, "scores", MIDI_FILES))
    failed = [(s, folder / name, fetch_packages(folder / name, s, content)) for s, name, content in wanted]
    for sources, place, names in failed:
        check_complete(place, sources, names)


def soundfont_file(folder: Path, soundfont: Soundfont) -> Path:
    """Return the soundfont, or the configuration of patches, in the folder of a fetched package.

    Raises
    ------
    ConfigError
        If the folder has neither.
    """
    place = folder / "soundfonts" / soundfont.name
    found = sorted(path for path in place.glob("*") if path.suffix in (".sf2", ".sf3", ".cfg"))
    if not found:
        raise ConfigError(f"{place} holds no soundfont; remove the folder, and render again")
    return found[0]


def placed_scores(folder: Path, packages: Iterable[ScorePackage]) -> tuple[list[PlacedScore], list[Dropped]]:
    """Return the scores of fetched packages with their folds, and those that are left out.

    The fold of a score that has one of its own is a hash of its name, without directories and numbers before the name.
    So it does not depend on what else was fetched, and arrangements of one tune share it.

    Parameters
    ----------
    folder : Path
        Folder that `fetch_sources` filled.
    packages : iterable of ScorePackage
        Packages to list.

    Returns
    -------
    placed : list of PlacedScore
        Scores with their folds.
    dropped : list of Dropped
        Scores that repeat another one, and MIDI files that were found to be useless when they were fetched.
    """
    placed: list[PlacedScore] = []
    dropped: list[Dropped] = []
    seen: dict[str, str] = {}
    for package in packages:
        place = folder / "scores" / package.name
        skipped = read_skipped(place / SKIPPED)
        dropped += [Dropped(f"{package.name}/{row.source}", row.reason) for row in skipped]
        for row in _read_catalogue(place / CATALOGUE):
            name = f"{package.name}/{row.source}"
            if row.notes in seen:
                dropped.append(Dropped(name, f"it has the same notes as {seen[row.notes]}"))
                continue
            seen[row.notes] = name
            fold = package.fold or fold_by_hash(_title(row.source))
            placed.append(PlacedScore(place / row.file, name, package.licence, fold, row.seconds))
    return placed, dropped


def local_patches(config: str, files: Mapping[str, Path]) -> str:
    """Return a configuration of GUS patches with the paths of unpacked patches, without any directory.

    Parameters
    ----------
    config : str
        Configuration in TiMidity's form.
    files : mapping
        Path on disk of each patch, by its path in the package.
    """
    by_end = {"/".join(Path(name).parts[-2:]): path for name, path in files.items()}
    lines = [line for line in config.splitlines() if not line.startswith("dir ")]
    return "\n".join(re.sub(r"\S+\.pat\b", lambda found: str(by_end[found.group()]), line) for line in lines)


def _keep_soundfont(name: str, files: Mapping[str, Path], folder: Path) -> str:
    fonts = {source: path for source, path in files.items() if path.suffix in (".sf2", ".sf3")}
    if fonts:
        source, path = next(iter(sorted(fonts.items())))
        path.replace(folder / Path(source).name)
        return Path(source).name
    configs = [path for source, path in files.items() if source.startswith("etc/") and path.suffix == ".cfg"]
    if not configs:
        raise PackageError(f"{name} holds neither a soundfont nor a configuration of patches")
    kept = {}
    for source, path in files.items():
        if path.suffix == ".pat":
            path.replace(folder / path.name)
            # The folder is renamed when it is complete.
            kept[source] = folder.resolve().with_suffix("") / path.name
    config = local_patches(configs[0].read_text(encoding="utf-8", errors="replace"), kept)
    (folder / f"{name}.cfg").write_text(config, encoding="utf-8")
    return f"{len(kept)} patches"


def _keep_scores(name: str, files: Mapping[str, Path], folder: Path) -> str:
    kept: list[ScoreFile] = []
    dropped: list[Dropped] = []
    for source, path in sorted(files.items()):
        try:
            found = list(_midi_files(source, path))
        except (OSError, EOFError, zlib.error, struct.error) as error:
            dropped.append(Dropped(source, f"it is damaged: {error}"))
            continue
        for inside, content in found:
            try:
                score = read_score(content)
            except ScoreError as error:
                dropped.append(Dropped(inside, str(error)))
                continue
            file = f"{len(kept):05}.mid"
            (folder / file).write_bytes(content)
            kept.append(ScoreFile(file, inside, round(score.seconds, 3), _hash_of_notes(score)))
    if not kept:
        raise PackageError(
            f"{name} holds no score: {dropped[0].reason if dropped else 'no MIDI in its files'}"
        )
    write_table(folder / CATALOGUE, ScoreFile, kept)
    write_table(folder / SKIPPED, Dropped, dropped)
    return f"{len(kept)} scores; skipped {len(dropped)}"


def _is_soundfont(path: Path) -> bool:
    return path.suffix.lower() in (".sf2", ".sf3", ".pat") or (
        path.suffix == ".cfg" and path.parts[:2] == ("etc", "timidity")
    )


def _is_score(path: Path) -> bool:
    return path.name.lower().endswith((".mid", ".midi", ".mid.gz", ".wad"))


SOUNDFONT_FILES = Content("soundfont", _is_soundfont, _keep_soundfont)
MIDI_FILES = Content("MIDI", _is_score, _keep_scores)


def _midi_files(source: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path in the package, and the content, of each MIDI file in a file; Doom's archives hold many."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        yield source, gzip.decompress(content)
    elif path.suffix == ".wad":
        yield from ((f"{source}/{name}.mid", lump) for name, lump in _wad_lumps(content))
    else:
        yield source, content


def _wad_lumps(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the MIDI files in a WAD: a header, lumps, and a directory of their places and names."""
    _, count, directory = _WAD_HEADER.unpack_from(content)
    for number in range(count):
        first, size, name = _WAD_LUMP.unpack_from(content, directory + number * _WAD_LUMP.size)
        if content[first : first + 4] == b"MThd":
            yield name.rstrip(b"\0").decode("latin-1"), content[first : first + size]


def _hash_of_notes(score: Score) -> str:
    notes = [(round(m.time, 2), m.channel, m.note) for m in score.messages if is_note(m)]
    return hashlib.sha256(repr(sorted(notes)).encode()).hexdigest()


def _title(source: str) -> str:
    """Return the name of a score without directories, suffix and numbers before it."""
    return re.sub(r"^[\d\W_]+(?=[a-z])", "", Path(source).name.lower().split(".")[0])


def _read_catalogue(path: Path) -> Iterator[ScoreFile]:
    with path.open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            yield ScoreFile(row["file"], row["source"], float(row["seconds"]), row["notes"])
