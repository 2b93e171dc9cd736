"""Write a folder of computed arrays as a whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Provide an empty folder to write into, which becomes `folder` once the block has ended without an error.

    So a build that is killed or fails leaves no incomplete `folder`. What it left is removed by the next one.

    Parameters
    ----------
    folder : Path
        Folder that does not exist yet; its parents are made.
    """
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    partial.replace(folder)
