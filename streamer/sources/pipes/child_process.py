"""Reach the pipes of a child process, and end it."""

from __future__ import annotations

import subprocess
from typing import IO


def pipes_of(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return the descriptors of a process's standard output and standard error."""

    def descriptor(pipe: IO[bytes] | None) -> int:
        assert pipe is not None  # requested when the process was started
        return pipe.fileno()

    return descriptor(process.stdout), descriptor(process.stderr)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process at once, whatever it waits for, and close its pipes."""
    process.kill()  # on SIGTERM, ffmpeg ends only after the next packet, which may never come
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
