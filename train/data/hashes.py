"""SHA-256 of files, remembered by path, size and time of modification."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


class FileHashes:
    """Hashes the contents of files, and remembers the hashes: a file that has not changed since is not read again.

    Parameters
    ----------
    table : Path
        JSON file of known hashes, written by `save`. Deleting it costs nothing but reading the files again.
    """

    def __init__(self, table: Path) -> None:
        self._table = table
        self._known: dict[str, list[int | str]] = _load(table)
        self._read_any = False

    def sha256(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, hexadecimal.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        stat = path.stat()
        name = os.path.abspath(path)  # noqa: PTH100  (a link stays a name of its own)
        size, changed, digest = self._known.get(name, (-1, -1, ""))
        if (size, changed) != (stat.st_size, stat.st_mtime_ns):
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            self._read_any = True
            self._known[name] = [stat.st_size, stat.st_mtime_ns, digest]
        return str(digest)

    def save(self) -> None:
        """Write the known hashes to the table, if any file was read since the table was loaded."""
        if not self._read_any:
            return
        merged = {**_load(self._table), **self._known}  # other processes may have added entries meanwhile
        partial = self._table.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(merged), encoding="utf-8")
        partial.replace(self._table)


def _load(table: Path) -> dict[str, list[int | str]]:
    known: dict[str, list[int | str]] = (
        json.loads(table.read_text(encoding="utf-8")) if table.is_file() else {}
    )
    return known
