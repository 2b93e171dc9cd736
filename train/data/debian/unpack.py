"""Unpack the wanted files of a Debian archive, and the licence that comes with them."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from train.data.debian.download import PackageError

ZIPPED = (".pk3",)
"""Suffixes of zip archives within a package, which games with Quake's engine have."""


def unpack(
    archive: Path, folder: Path, copyright_file: Path, is_wanted: Callable[[Path], bool], content: str
) -> dict[str, Path]:
    """Write the wanted files of a Debian archive into a folder, and return where each one is.

    Links are left out, since they repeat a file of the archive.

    Parameters
    ----------
    archive : Path
        Archive, ``.deb``.
    folder : Path
        Folder for the files. They are named by numbers, so that no name in an archive can lead out of the folder.
    copyright_file : Path
        Path to which the package's ``copyright`` file is written.
    is_wanted : callable
        ``is_wanted(path)`` returns whether the file with a path in the package is wanted.
    content : str
        Name of what is wanted, such as ``sound``, for messages.

    Returns
    -------
    dict
        Path on disk of each file, by its path in the package. A file in an archive within the package has the archive's
        path before its own.

    Raises
    ------
    PackageError
        If the archive is damaged, or holds no wanted file or no copyright.
    """
    found: dict[str, Path] = {}
    with tempfile.TemporaryFile() as said:
        command = ["dpkg", "--fsys-tarfile", str(archive)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as dpkg:
            assert dpkg.stdout is not None
            try:
                for name, member in _members(dpkg.stdout, folder):
                    if name.startswith("usr/share/doc/") and name.endswith("/copyright"):
                        _copy(member, copyright_file)
                    elif is_wanted(Path(name)):
                        found[name] = folder / f"{len(found)}{Path(name).suffix.lower()}"
                        _copy(member, found[name])
                dpkg.stdout.read()  # up to the end, since dpkg fails if its reader stops early
            except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
                raise _damaged(archive, str(error)) from error
        if dpkg.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise _damaged(archive, lines[-1] if lines else f"dpkg ended with status {dpkg.returncode}")
    if not found or not copyright_file.is_file():
        missing = "copyright" if found else content
        raise PackageError(
            f"{archive.name} holds no {missing} file; expected the package as Debian 12 has it"
        )
    return found


def _members(stream: IO[bytes], folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield every plain file with its path, including those of archives within the archive."""
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            name = member.name.removeprefix("./")
            if Path(name).suffix.lower() in ZIPPED:
                yield from _zipped(name, content, folder)
            else:
                yield name, content


def _zipped(name: str, content: IO[bytes], folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tempfile.TemporaryFile(dir=folder) as whole:  # a zip is read from its end, a stream is not
        shutil.copyfileobj(content, whole)
        with zipfile.ZipFile(whole) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as member:
                        yield f"{name}/{entry.filename}", member


def _copy(content: IO[bytes], path: Path) -> None:
    with path.open("wb") as out:
        shutil.copyfileobj(content, out)


def _damaged(archive: Path, reason: str) -> PackageError:
    """Remove a damaged archive, so that the next fetch downloads it again, and return the error to raise."""
    archive.unlink()
    return PackageError(
        f"{archive.name} is damaged: {reason}; expected a whole archive: it was removed, fetch again"
    )
