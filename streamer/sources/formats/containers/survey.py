"""Survey containers of plain PCM: where their sound lies, and where their headers say that it ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from streamer.sources.formats.containers.aiff import walk_aiff
from streamer.sources.formats.containers.au import walk_au
from streamer.sources.formats.containers.caf import walk_caf
from streamer.sources.formats.containers.kind import MAGIC_BYTES, container_kind
from streamer.sources.formats.containers.w64 import walk_w64
from streamer.sources.formats.containers.walk import (
    LONGEST_FILL,
    FileSteps,
    Pass,
    Steps,
    Take,
    Walk,
    is_placeholder,
    take,
)
from streamer.sources.formats.containers.wav import walk_wav
from streamer.sources.formats.pcm_encoding import PcmEncoding

PIECE_BYTES = 1 << 16
"""Length of the pieces in which a file is looked through."""

WALKS: dict[str, Callable[[Walk], FileSteps]] = {
    "wav": walk_wav,
    "w64": walk_w64,
    "aiff": walk_aiff,
    "au": walk_au,
    "caf": walk_caf,
}
"""Walks through one file, by the kind of container."""


def steps_through(walk: Walk) -> Steps:
    """Return a walk through one file, or through several joined end to end.

    Parameters
    ----------
    walk : Walk
        Its findings, which the walk writes.
    """
    goes_on = True
    while goes_on and not walk.other:
        kind = container_kind((yield from take(MAGIC_BYTES, peek=True)))
        walk.found = None
        if kind is None:
            return
        goes_on = yield from WALKS[kind](walk)


def survey(path: Path) -> tuple[Walk, list[tuple[int, int]]]:
    """Return the findings of a walk through a file, and the places of its sound, without reading the sound.

    Returns
    -------
    Walk
    list of tuple of int
        Offset and length of each piece of sound, in bytes.
    """
    walk = Walk()
    spans: list[tuple[int, int]] = []
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        steps = steps_through(walk)
        answer: bytes | int | None = None
        while True:
            try:
                step = next(steps) if answer is None else steps.send(answer)
            except StopIteration:
                return walk, spans
            at = file.tell()
            if isinstance(step, Take):
                answer = file.read(step.length)
                if step.peek:
                    file.seek(at)
            else:
                answer = size - at if step.length is None else min(step.length, size - at)
                if step.unless_zeros and _only_zeros(file, answer):
                    answer = 0
                file.seek(at + answer)
                if step.is_sound and answer:
                    spans.append((at, answer))


def _only_zeros(file: IO[bytes], length: int) -> bool:
    """Return whether the next `length` bytes of a file, its last, are zeros that only fill it up."""
    if length > LONGEST_FILL:
        return False
    return not any(piece.strip(b"\0") for piece in iter(partial(file.read, PIECE_BYTES), b""))


def may_hold_pcm(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a container that holds plain PCM, as far as can be seen.

    Parameters
    ----------
    head : bytes
        Beginning of a file, a few thousand bytes long.
    """
    if container_kind(head) is None:
        return False
    walk = Walk()
    ended = _walk_head(walk, head)[1]
    return walk.format is not None or not ended


def pcm_encoding_of(head: bytes) -> PcmEncoding | None:
    """Return the encoding of the first sound of a container that begins with `head`; None if it is not in there."""
    walk = Walk()
    _walk_head(walk, head)
    return None if walk.format is None else walk.format.encoding


def announced_end(head: bytes) -> int | None:
    """Return the byte offset at which, by the header, the first sound ends; None if `head` does not say it.

    Parameters
    ----------
    head : bytes
        Beginning of a container.
    """
    return _walk_head(Walk(), head)[0]


def ends_openly(head: bytes) -> bool:
    """Return whether a header leaves open how long the sound is, as that of a live stream does.

    Parameters
    ----------
    head : bytes
        Beginning of a container.
    """
    walk = Walk()
    end = _walk_head(walk, head)[0]
    if end is None or walk.announced is None:
        return True
    return is_placeholder(walk.announced) or (walk.announced == 0 and head[:4] == b"RIFF")


def _walk_head(walk: Walk, head: bytes) -> tuple[int | None, bool]:
    """Walk through the beginning of a file, up to the first sound.

    Returns
    -------
    int or None
        Where that sound ends according to the header; None if it does not say, or if there is no sound.
    bool
        Whether the walk ended.
    """
    steps, at = steps_through(walk), 0
    step = next(steps)
    while at < len(head):
        if isinstance(step, Pass) and step.is_sound:
            walk.announced = step.length
            return (None if step.length is None else at + step.length), False
        length = step.length or 0
        answer: bytes | int = head[at : at + length] if isinstance(step, Take) else length
        if not (isinstance(step, Take) and step.peek):
            at += length
        try:
            step = steps.send(answer)
        except StopIteration:
            return None, True
    return None, False
