"""Fetch packages into folders: those of sound become labelled pieces."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from platformdirs import user_cache_path

from streamer.errors import StreamError
from train.data.debian.cut import cut
from train.data.debian.download import PackageError, check_tools, download
from train.data.debian.games import GAMES
from train.data.debian.labels import LabelledPiece, label_all
from train.data.debian.packages import PACKAGES, Package
from train.data.debian.unpack import unpack
from train.data.recordings import is_sound

SPACE_FACTOR = 3
"""Disk space that a package takes while it is fetched, as a multiple of its download: archive, files, pieces."""
COPYRIGHT = "copyright"
_log = logging.getLogger(__name__)


def default_folder(data_set: str = "debian") -> Path:
    """Return the folder in the user's cache where the packages of a data set are kept; it need not exist."""
    return user_cache_path("streamer", appauthor=False) / data_set


def fetched_folder(root: Path, data_set: str) -> Path:
    """Return the folder of a data set in `root` or, if it is not there, in the user's cache."""
    folder = root / data_set
    return folder if folder.is_dir() else default_folder(data_set)


class Archive(Protocol):
    """Name and size of a Debian package (a ``.deb`` archive) that `fetch_packages` may download; it holds no data.

    Attributes
    ----------
    name : str
        Name of the package in Debian's archive, which becomes the name of its folder.
    megabytes : int
        Size of the download in MB, from which the disk space is estimated.
    """

    @property
    def name(self) -> str: ...

    @property
    def megabytes(self) -> int: ...


@dataclass(frozen=True)
class Content:
    """The files of packages that are wanted, and what is made of them.

    Attributes
    ----------
    name : str
        Name of the wanted files, such as ``sound``, for messages.
    is_wanted : callable
        ``is_wanted(path)`` returns whether the file with a path in the package is wanted.
    keep : callable
        ``keep(name, files, folder)`` makes the folder of the package with a name. `files` are the unpacked files by
        their path in the package; they are removed afterwards. It returns a text that says what the folder holds.
    """

    name: str
    is_wanted: Callable[[Path], bool]
    keep: Callable[[str, Mapping[str, Path], Path], str]


def fetch(folder: Path, packages: Sequence[Package]) -> list[LabelledPiece]:
    """Download Debian packages, cut their sound to pieces, and label all pieces in the folder.

    A package that is there already is not downloaded again. If a package fails, the next ones are fetched all the same.

    Parameters
    ----------
    folder : Path
        Folder for ``labels.csv`` and for a subfolder of each package, which holds the package's pieces and its
        ``copyright`` file.
    packages : sequence of Package
        Packages to fetch.

    Returns
    -------
    list of LabelledPiece
        All pieces in the folder, including those of earlier fetches.

    Raises
    ------
    ConfigError
        If a required program is not installed.
    StreamError
        If packages are missing after all have been tried.
    """
    failed = fetch_packages(folder, packages, SOUND)
    rows = label_all(folder, (*PACKAGES, *GAMES))
    check_complete(folder, packages, failed)
    return rows


def fetch_packages(folder: Path, packages: Sequence[Archive], content: Content) -> list[str]:
    """Download the Debian packages that have no subfolder yet, and make their subfolders.

    Parameters
    ----------
    folder : Path
        Folder for a subfolder of each package.
    packages : sequence of Archive
        Packages to fetch. If one fails, the reason is logged, and the next ones are fetched all the same.
    content : Content
        What is wanted of the packages.

    Returns
    -------
    list of str
        Names of the packages that failed.

    Raises
    ------
    ConfigError
        If a required program is not installed.
    """
    missing = [package for package in packages if not (folder / package.name).is_dir()]
    if missing:
        check_tools()
        folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for place, package in enumerate(missing, start=1):
        _log.info("package %d of %d, %s, %d MB", place, len(missing), package.name, package.megabytes)
        try:
            _fetch_one(package, folder, content)
        except PackageError as error:
            _log.warning("%s", error)
            failed.append(package.name)
    return failed


def check_complete(folder: Path, packages: Sequence[Archive], failed: Sequence[str]) -> None:
    """Refuse to go on if packages failed.

    Raises
    ------
    StreamError
        If `failed` names any package.
    """
    if failed:
        raise StreamError(
            f"{len(failed)} of {len(packages)} packages are missing, {', '.join(failed)}, for the reasons above; "
            f"the others are in {folder}: run the same command again"
        )


def _fetch_one(package: Archive, folder: Path, content: Content) -> None:
    """Download and unpack one package, and make its folder."""
    _check_space(package, folder)
    archive = download(package.name, folder / "archives")
    # Written under another name and then renamed, so that a killed fetch leaves no incomplete folder.
    partial = folder / f"{package.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    raw = partial / "raw"
    raw.mkdir(parents=True)
    files = unpack(archive, raw, partial / COPYRIGHT, content.is_wanted, content.name)
    kept = content.keep(package.name, files, partial)
    shutil.rmtree(raw)
    partial.replace(folder / package.name)
    archive.unlink()
    _log.info("%s: %s", package.name, kept)


def _cut_to_pieces(name: str, files: Mapping[str, Path], folder: Path) -> str:
    pieces, dropped = cut(name, files, folder)
    if not pieces:
        raise PackageError(f"{name} holds no sound that decodes: {dropped[0].reason}")
    hours = sum(piece.seconds for piece in pieces) / 3600
    return f"{len(pieces)} pieces, {hours:.2f} h; skipped {len(dropped)} files"


SOUND = Content("sound", is_sound, _cut_to_pieces)


def _check_space(package: Archive, folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 10**6
    needed = SPACE_FACTOR * package.megabytes
    if free < needed:
        raise PackageError(
            f"{folder} has {free} MB free; {package.name} needs {needed} MB: make room, or choose a folder on another "
            "disk by --into"
        )
