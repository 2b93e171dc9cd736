"""Download the archives of packages by apt-get, without installing anything."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from streamer.errors import ConfigError, StreamError

RETRIES = 3
"""Number of times that apt-get retries a file that a mirror did not deliver completely."""


class PackageError(StreamError):
    """Raised for a Debian package that cannot be downloaded or unpacked."""


def check_tools() -> None:
    """Check that apt-get and dpkg, which download and unpack packages, are installed.

    Raises
    ------
    ConfigError
        If one of the programs is not installed.
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise ConfigError(
                f"{tool} is not installed; expected Debian or a system made from it: fetch the packages there, and "
                "copy the folder"
            )


def download(name: str, folder: Path) -> Path:
    """Download the archive of a Debian package, unless it is in the folder already, and return its path.

    Parameters
    ----------
    name : str
        Name of the package.
    folder : Path
        Folder for the archive, created if absent.

    Returns
    -------
    Path
        Path of the archive, ``NAME_VERSION.deb``.

    Raises
    ------
    PackageError
        If apt-get does not know the package, or its SHA-256 is wrong after the download.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(folder.glob(f"{name}_*.deb"))
    if there:
        return there[-1]
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}.") as partial:
        command = ["apt-get", "-q", "-o", f"Acquire::Retries={RETRIES}", "download", name]
        done = subprocess.run(command, cwd=partial, capture_output=True, text=True, check=False)
        found = sorted(Path(partial).glob(f"{name}_*.deb"))
        if done.returncode or not found:
            raise PackageError(f"{name} was not downloaded: {_reason(done)}")
        return found[0].replace(folder / found[0].name)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
    reason = errors[0][2:].strip() if errors else f"apt-get ended with status {done.returncode}"
    if "Unable to locate" in reason or "no installation candidate" in reason:
        return f"{reason}; expected it in the lists of Debian 12: run `apt-get update`, or add that release"
    return f"{reason}; expected a whole archive: fetch again, and what is done is kept"
