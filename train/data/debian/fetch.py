"""From the names of packages to a folder of labelled sound."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from streamer.errors import StreamError
from train.data.debian.cut import cut
from train.data.debian.download import PackageError, check_tools, download
from train.data.debian.labels import LabelledPiece, label_all
from train.data.debian.packages import PACKAGES, Package
from train.data.debian.unpack import unpack

SPACE_FACTOR = 3
"""Disk that a package needs while it is made, as a multiple of its download: archive, unpacked files, pieces."""
COPYRIGHT = "copyright"
_log = logging.getLogger(__name__)


def default_folder() -> Path:
    """Return the folder that packages are fetched into, and looked for in; it need not exist."""
    return user_cache_path("streamer", appauthor=False) / "debian"


def fetch(folder: Path, packages: Sequence[Package]) -> list[LabelledPiece]:
    """Fetch packages, one after the other, and label all that is there.

    A package that is there is not fetched again. One that fails does not keep the others from being fetched.

    Parameters
    ----------
    folder : Path
        Takes a folder for each package, with its pieces and its ``copyright``, and ``labels.csv``.
    packages : sequence of Package

    Returns
    -------
    list of LabelledPiece
        All pieces in the folder, of other fetches too.

    Raises
    ------
    ConfigError
        If a program that is needed is not installed.
    StreamError
        At the end, if packages are missing.
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
    rows = label_all(folder, PACKAGES)
    if failed:
        raise StreamError(
            f"{len(failed)} of {len(packages)} packages are missing, {', '.join(failed)}, for the reasons above; "
            f"the others are in {folder}: run the same command again"
        )
    return rows


def _fetch_one(package: Package, folder: Path) -> None:
    """Make a package's folder under another name first, so that a killed fetch leaves no half one."""
    _check_space(package, folder)
    archive = download(package.name, folder / "archives")
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
