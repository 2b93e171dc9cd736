"""Download of a package's archive by apt-get; nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from streamer.errors import ConfigError, StreamError

RETRIES = 3
"""How often apt-get tries a file that a mirror does not deliver whole."""


class PackageError(StreamError):
    """A package that cannot be downloaded or unpacked."""


def check_tools() -> None:
    """Refuse to begin without the programs that download and unpack.

    Raises
    ------
    ConfigError
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise ConfigError(
                f"{tool} is not installed; expected Debian or a system made from it: fetch the packages there, and "
                "copy the folder"
            )


def download(name: str, folder: Path) -> Path:
    """Download a package, unless its archive is there.

    Parameters
    ----------
    name : str
        Of the package.
    folder : Path
        Takes the archive; made if absent.

    Returns
    -------
    Path
        Of the archive, ``NAME_VERSION.deb``.

    Raises
    ------
    PackageError
        If apt-get does not know the package, or does not get it whole. apt-get compares its SHA-256.
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
    said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
    reason = said[0][2:].strip() if said else f"apt-get ended with status {done.returncode}"
    if "Unable to locate" in reason or "no installation candidate" in reason:
        return f"{reason}; expected it in the lists of Debian 12: run `apt-get update`, or add that release"
    return f"{reason}; expected a whole archive: fetch again, and what is done is kept"
