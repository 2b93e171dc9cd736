"""Fetch packages into a folder of labelled sound."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from streamer.errors import StreamError
from train.data.debian.cut import cut
from train.data.debian.download import PackageError, check_tools, download
from train.data.debian.games import GAMES
from train.data.debian.labels import LabelledPiece, label_all
from train.data.debian.packages import PACKAGES, Package
from train.data.debian.unpack import unpack

SPACE_FACTOR = 3
"""Disk space that a package takes while it is fetched, as a multiple of its download: archive, files, pieces."""
COPYRIGHT = "copyright"
_log = logging.getLogger(__name__)


def default_folder(data_set: str = "debian") -> Path:
    """Return the folder in the user's cache where the packages of a data set are kept; it need not exist."""
    return user_cache_path("streamer", appauthor=False) / data_set


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
    missing = [package for package in packages if not (folder / package.name).is_dir()]
    if missing:
        check_tools()
        folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for place, package in enumerate(missing, start=1):
        _log.info("package %d of %d, %s, %d MB", place, len(missing), package.name, package.megabytes)
        try:
            _fetch_one(package, folder)
        except PackageError as error:
            _log.warning("%s", error)
            failed.append(package.name)
    rows = label_all(folder, (*PACKAGES, *GAMES))
    if failed:
        raise StreamError(
            f"{len(failed)} of {len(packages)} packages are missing, {', '.join(failed)}, for the reasons above; "
            f"the others are in {folder}: run the same command again"
        )
    return rows


def _fetch_one(package: Package, folder: Path) -> None:
    """Download, unpack and cut one package."""
    _check_space(package, folder)
    archive = download(package.name, folder / "archives")
    # Written under another name and then renamed, so that a killed fetch leaves no incomplete folder.
    partial = folder / f"{package.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    raw = partial / "raw"
    raw.mkdir(parents=True)
    files = unpack(archive, raw, partial / COPYRIGHT)
    pieces, dropped = cut(package.name, files, partial)
    if not pieces:
        raise PackageError(f"{archive.name} holds no sound that decodes: {dropped[0].reason}")
    shutil.rmtree(raw)
    partial.replace(folder / package.name)
    archive.unlink()
    hours = sum(piece.seconds for piece in pieces) / 3600
    _log.info("%s: %d pieces, %.2f h; skipped %d files", package.name, len(pieces), hours, len(dropped))


def _check_space(package: Package, folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 10**6
    needed = SPACE_FACTOR * package.megabytes
    if free < needed:
        raise PackageError(
            f"{folder} has {free} MB free; {package.name} needs {needed} MB: make room, or choose a folder on another "
            "disk by --into"
        )
