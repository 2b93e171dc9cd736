"""Sound as callers of the Python interface give it: the path of a file, or an array and its sample rate."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from streamer.api.configure import channel_number
from streamer.arrays import Array
from streamer.config import StreamConfig
from streamer.dsp.downmix import SAMPLE_LIMIT
from streamer.errors import ConfigError, StreamError
from streamer.setting_types import is_finite
from streamer.sources.array import ArraySource
from streamer.sources.file import FileSource
from streamer.sources.source import Source, format_fault
from streamer.sources.wrappers.one_channel import OneChannel

Sound: TypeAlias = str | os.PathLike[str] | Array
"""The path of a file, or samples, shape (samples,) or (samples, channels)."""

INTEGERS = {"uint8": (128.0, 128.0), "int8": (0.0, 2.0**7), "int16": (0.0, 2.0**15), "int32": (0.0, 2.0**31)}
"""Integers that samples may have: the value of silence, and what is divided by for a full scale of 1."""


def source_of(
    sound: Sound, rate_hz: float | None, channel: int | None = None, track: int | str = ""
) -> Source:
    """Return a source, not yet opened, of a file or an array.

    Parameters
    ----------
    sound : path or array
    rate_hz : float or None
        Sample rate of an array; None for a file, which has its own.
    channel : int or None
        Number, from 1, of the one channel that is heard; None hears all of them.
    track : int or str
        Number, from 1, or language of the sound track of a file; empty for the first.

    Raises
    ------
    StreamError
        If the array or its rate cannot be used, or `rate_hz` is given for a file.
    ConfigError
        If `channel` is no number from 1 on, or `track` no sound track, or is given for an array.
    """
    source = _source_of_all(sound, rate_hz, track)
    return source if channel is None else OneChannel(source, channel_number(channel))


def _source_of_all(sound: Sound, rate_hz: float | None, track: int | str) -> Source:
    """Return a source of a sound with all its channels."""
    path = path_of(sound)
    track = StreamConfig(track=track).track  # refuses what is none
    if path is None:
        if track:
            raise ConfigError(f"track is {track!r} for an array; expected none: only files have sound tracks")
        samples = checked_samples(sound)
        return ArraySource(samples, checked_rate(rate_hz, samples.shape[1]))
    if rate_hz is not None:
        raise StreamError(
            f"rate_hz is {rate_hz!r} for the file {path}; expected none: a file has its own rate"
        )
    return FileSource(path, track=track)


def path_of(sound: Sound) -> Path | None:
    """Return `sound` as a Path if it names a file; None if it is an array.

    Raises
    ------
    StreamError
        If it is empty, or a URL, which is not shown since it may have a password.
    """
    if isinstance(sound, str) and "://" in sound:
        raise StreamError(
            "the sound is a URL; expected the path of a file, or an array: hear a URL with streamer.listen"
        )
    if isinstance(sound, str) and not sound:
        raise StreamError("the sound is an empty text; expected the path of a file, or an array")
    if isinstance(sound, str | os.PathLike) and isinstance(os.fspath(sound), str):
        return Path(sound)
    return None


def checked_samples(given: Any) -> Array:
    """Return samples as float32, shape (samples, channels), in memory of their own.

    Parameters
    ----------
    given : array-like, shape (samples,) or (samples, channels)
        Floats with a full scale of -1 to 1, or integers of 8, 16 or 32 bits with the full scale of their type.

    Raises
    ------
    StreamError
        If the type or the shape is another one, there is no sample, or one is not finite or absurdly large.
    """
    samples = _as_array(given)
    if samples.ndim not in (1, 2):
        raise StreamError(
            f"samples has shape {samples.shape}; expected (samples,) or (samples, channels): one sound at a time"
        )
    columns = samples[:, None] if samples.ndim == 1 else samples
    if 0 in columns.shape:
        raise StreamError(f"samples has shape {samples.shape}; expected at least 1 sample of 1 channel")
    if columns.shape[1] > columns.shape[0]:
        raise StreamError(
            f"samples has shape {samples.shape}, more channels than samples; expected (samples, channels): "
            "turn it round, as in samples.T"
        )
    scaled = _scaled(columns)
    _check_finite(scaled)
    return scaled


def checked_rate(rate_hz: object, channels: int = 1) -> int:
    """Return a sample rate as an int, if sound of this rate and number of channels can be processed.

    Raises
    ------
    StreamError
        If `rate_hz` is None or no whole number, or if `rate_hz` or `channels` is out of range.
    """
    if rate_hz is None:
        raise StreamError("rate_hz is missing; expected the samples' rate in Hz, as in rate_hz=48000")
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, Real) or not is_finite(rate_hz) or rate_hz % 1:
        raise StreamError(f"rate_hz is {rate_hz!r}; expected a whole number of Hz, as in rate_hz=48000")
    whole_hz = int(float(rate_hz))
    if fault := format_fault(whole_hz, channels):
        raise StreamError(f"samples {fault}")
    return whole_hz


def _as_array(given: Any) -> Array:
    if np.ma.is_masked(given):
        raise StreamError(
            "samples has masked values, which are no sound; expected an "
            "array without a mask: hear silence there with samples.filled(0)"
        )
    try:
        samples = np.asarray(given)
    except Exception as error:
        raise StreamError(
            f"samples is of type {type(given).__name__} and makes no array ({error}); expected a path or an array"
        ) from error
    if samples.dtype.kind != "f" and samples.dtype.name not in INTEGERS:
        raise StreamError(
            f"samples is {_described(given, samples)}; expected a path, or an array of floats with a full scale of "
            f"-1 to 1, or of {', '.join(INTEGERS)} with the full scale of their type: convert it with samples.astype"
        )
    return samples


def _described(given: Any, samples: Array) -> str:
    kind = type(given).__name__
    if kind == "ndarray":
        return f"an array of {samples.dtype}"
    return f"of type {kind}, with values of {samples.dtype}" if samples.ndim else f"of type {kind}"


def _scaled(samples: Array) -> Array:
    """Return a contiguous float32 copy with a full scale of -1 to 1: the caller may write to the original."""
    with np.errstate(over="ignore"):  # a float64 that float32 cannot hold is refused as infinite
        if samples.dtype.kind == "f":
            return np.array(samples, np.float32, order="C")
    silence, full_scale = INTEGERS[samples.dtype.name]
    wide: Array = np.array(samples, np.float64, order="C")
    return ((wide - silence) / full_scale).astype(np.float32)


def _check_finite(samples: Array) -> None:
    bad = ~(np.abs(samples) <= SAMPLE_LIMIT)  # true for NaN
    if count := int(np.count_nonzero(bad)):
        first = int(np.argmax(bad.any(axis=1)))
        value = samples[first][bad[first]][0]
        raise StreamError(
            f"samples has {count} values that are no sound, the first {value} at sample {first}; expected finite "
            "values with a full scale of -1 to 1: find where they come from, or mute them with np.nan_to_num"
        )
