"""Keep machine code in files whose names say what it was made of, and which tell whether they are whole.

A file is never changed: other sources, versions and processors have files of their own.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from streamer.kernels.kernel import Kernel

logger = logging.getLogger(__name__)

_DIGEST_BYTES = hashlib.sha256().digest_size


def file_name(kernel: Kernel, made_for: Iterable[str]) -> str:
    """Return the name of a kernel's file, with a hash of its source file, of this package, and of `made_for`."""
    source = Path(kernel.function.__code__.co_filename).read_bytes()
    key = hashlib.sha256(source + _own_source() + "\n".join(made_for).encode()).hexdigest()[:16]
    return f"{kernel.name}-{key}"


def read(path: Path) -> bytes | None:
    """Return what was written to a file, or None if there is none, or if it is damaged, which is said."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        logger.warning("%s is damaged, and is left aside", path)
        return None
    return content


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole, so that no other process reads a part of it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(hashlib.sha256(content).digest() + content)
    Path(file.name).replace(path)


@cache
def _own_source() -> bytes:
    return b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
