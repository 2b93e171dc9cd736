"""`streamer.teach`: sounds of the user's own, from a handful of recordings."""

from __future__ import annotations

import os

from streamer.api.configure import path_from
from streamer.api.sound import Sound, path_of, source_of
from streamer.arrays import Array
from streamer.custom_sounds.learner import LONGEST_S, load_learner
from streamer.custom_sounds.report import TeachingReport, report
from streamer.custom_sounds.store import (
    SoundStore,
    TaughtRecording,
    as_kept,
    checked_label,
    taught_folder,
)
from streamer.errors import ConfigError, StreamerError
from streamer.inference.model_cache import ModelCache
from streamer.sources.open_source import name_for
from streamer.sources.record import record
from streamer.sources.source import Source


def teach(
    label: str,
    recordings: Sound | list[Sound] | tuple[Sound, ...],
    rate_hz: float | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    channel: int | None = None,
    track: int | str = "",
) -> TeachingReport:
    """Teach a sound of one's own by name, and return a report; `listen` and `analyze` know it when next called.

    The new recordings are added to those that the label has already. If nothing can be learnt from one of the new
    recordings, none of them is kept.

    Parameters
    ----------
    label : str
        1 to 40 letters, digits, spaces, ``-``, ``_`` or ``'``.
    recordings : path, array, or list of them
        At least one recording of the sound, each as in `streamer.analyze`; its first 30 s count.
    rate_hz : float, optional
        Sample rate of the arrays.
    folder : path, optional
        Folder that keeps the taught sounds, for ``models={"taught": folder}``; the user's own by default.
    channel : int, optional
        Number, from 1, of the one channel of each recording that is learnt from; by default all are.
    track : int or str, optional
        Sound track of the files, if they have several: its number, from 1, or its language; by default the first.

    Returns
    -------
    TeachingReport
        How well the label will be recognised, and what it may be taken for.

    Raises
    ------
    ConfigError
        If the label cannot be used, differs from one that is taught in capital and small letters alone, or there is no
        recording.
    StreamError
        If nothing can be learnt from a recording, since it is too short, silent or like all other sounds, or it cannot
        be read. The text names the recording.

    Examples
    --------
    >>> import soundfile, streamer
    >>> samples, rate_hz = soundfile.read(streamer.DEMO_PATH)
    >>> strings = samples[4 * rate_hz : 8 * rate_hz]
    >>> report = streamer.teach("strings", strings, rate_hz)
    >>> report.label, report.recordings
    ('strings', 1)
    >>> sorted(streamer.taught_sounds())
    ['strings']
    >>> streamer.forget("strings")
    ['recording-1']
    """
    label = _checked_label(label)
    given: list[Sound] = list(recordings) if isinstance(recordings, list | tuple) else [recordings]
    if not given:
        raise ConfigError(f"nothing to learn {label!r} from; expected at least one recording")
    if rate_hz is not None and all(map(path_of, given)):
        raise ConfigError(f"rate_hz is {rate_hz!r} for files alone; expected none: a file has its own rate")
    if track and not any(map(path_of, given)):
        raise ConfigError(f"track is {track!r} for arrays alone; expected none: only files have sound tracks")
    teacher = Teacher(label, store_in(folder))
    # All are read before any is kept, so that an error leaves nothing behind.
    read = [
        _read_recording(teacher, number, sound, rate_hz, channel, track)
        for number, sound in enumerate(given, 1)
    ]
    for name, samples in read:
        teacher.add(name, samples)
    return teacher.report()


def taught_sounds(folder: str | os.PathLike[str] | None = None) -> dict[str, list[TaughtRecording]]:
    """Return the recordings of every taught label, by label.

    Parameters
    ----------
    folder : path, optional
        As in `streamer.teach`.
    """
    return dict(store_in(folder).all())


def forget(label: str, folder: str | os.PathLike[str] | None = None) -> list[str]:
    """Forget a taught sound and delete its recordings.

    Parameters
    ----------
    label : str
    folder : path, optional
        As in `streamer.teach`.

    Returns
    -------
    list of str
        Names of the recordings that were deleted.

    Raises
    ------
    ConfigError
        If no such sound was taught.
    """
    return store_in(folder).remove(label)


def store_in(folder: str | os.PathLike[str] | None) -> SoundStore:
    """Return the store of taught sounds in `folder`, or in the user's own folder if that is None."""
    return SoundStore(taught_folder() if folder is None else path_from("folder", folder))


class Teacher:
    """Adds recordings to a label step by step: `read` each, `add` each, then `report`.

    Parameters
    ----------
    label : str
    store : SoundStore
        Store to which the recordings are added.

    Raises
    ------
    ConfigError
        If the label cannot be used, or differs from one that is taught in capital and small letters alone.
    ModelError
        If the released embedding model is absent or damaged.
    """

    def __init__(self, label: str, store: SoundStore) -> None:
        self.label = _checked_label(label)
        store.check_spelling(self.label)
        self.store = store
        self._learner = load_learner(ModelCache())

    @property
    def rate_hz(self) -> int:
        """Sample rate, in Hz, of the samples that `read` returns."""
        return self._learner.rate_hz

    def read(self, source: Source, longest_s: float = LONGEST_S) -> Array:
        """Return the sound of a recording, if the label can be learnt from it.

        Parameters
        ----------
        source : Source
            Not yet opened.
        longest_s : float
            Most seconds of the recording that are read.

        Returns
        -------
        float32 array, shape (samples,)

        Raises
        ------
        StreamerError
            If the recording cannot be read, or nothing can be learnt from it.
        """
        samples = as_kept(record(source, self.rate_hz, longest_s))
        self._learner.check(samples)
        return samples

    def add(self, name: str, samples: Array) -> bool:
        """Add a recording to the store and return True; False if the label has exactly these samples already."""
        if self.store.holds(self.label, samples):
            return False
        self.store.add(self.label, name, samples, self.rate_hz)
        return True

    def report(self) -> TeachingReport:
        """Return a report on how well the label will be recognised by all its recordings in the store."""
        return report(self.label, self.store, self._learner)


def _read_recording(
    teacher: Teacher, number: int, sound: Sound, rate_hz: float | None, channel: int | None, track: int | str
) -> tuple[str, Array]:
    """Return the name and the samples of a recording; errors name it."""
    path = path_of(sound)
    name = name_for(f"file:{path}") if path else f"recording-{number}"
    try:
        return name, teacher.read(source_of(sound, None if path else rate_hz, channel, track if path else ""))
    except StreamerError as error:
        raise type(error)(f"{name}: {error}; no recording was kept") from error


def _checked_label(label: object) -> str:
    if not isinstance(label, str):
        raise ConfigError(f"label is {label!r}; expected text, as in 'door bell'")
    return checked_label(label)
