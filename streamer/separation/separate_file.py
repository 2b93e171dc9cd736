"""Separate whole files, with the steps of live sound but without their latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import soundfile

from streamer.audio.sndfile_path import sndfile_path
from streamer.audio.wav import as_wav
from streamer.config_sections import STEM_ENCODINGS, STEMS
from streamer.dsp.model_calls import run_alone
from streamer.errors import ConfigError, StreamError, reason_of
from streamer.inference.model import Model
from streamer.separation.separator import Separator, Stems, mute_invalid
from streamer.sinks.stem_writer import FULL, is_full
from streamer.sources.read_blocks import read_blocks
from streamer.sources.source import Source

BLOCK_FRAMES = 16_384
"""Number of frames that are read and separated at a time."""


class SeparatedPiece(NamedTuple):
    """The stems of a piece of sound.

    Attributes
    ----------
    stems : Stems
        Voice and music, in a batch of one.
    stop : int
        Number of samples of the sound that were read so far.
    muted_samples : int
        Number of samples of the piece that were NaN, infinite or absurdly large, and were muted.
    """

    stems: Stems
    stop: int
    muted_samples: int


def separated(source: Source, model: Model) -> Iterator[SeparatedPiece]:
    """Yield the stems of a source to its end, aligned to the sound: the latency of live stems is taken out.

    Parameters
    ----------
    source : Source
        An open source; the caller closes it.
    model : Model
        A separation model.

    Raises
    ------
    StreamError
        If the source fails.
    """
    separator = Separator(model, source.rate_hz, source.channels)
    state, stop = separator.init(), 0
    for block in read_blocks(source, BLOCK_FRAMES):
        sound, muted = mute_invalid(block.samples)
        stems, state = run_alone(separator.step(sound[None], state))
        stop = block.stop
        yield SeparatedPiece(stems, stop, muted)
    yield SeparatedPiece(separator.flush(state), stop, 0)


def separate_file(
    source: Source, path: Path, folder: Path, model: Model, progress: Callable[[float, float | None], None]
) -> int:
    """Write the stems of a file as ``voice.wav`` and ``music.wav``, with the rate, channels and length of the file.

    Parameters
    ----------
    source : Source
        The sound of the file, or of one of its channels or tracks, not yet opened; it is closed.
    path : Path
        The file.
    folder : Path
        Folder for the two files, made if absent. Files of these names are replaced once the stems are complete.
    model : Model
        A separation model.
    progress : callable
        Called now and then with the seconds that were read so far, and the length of the file in seconds or None.

    Returns
    -------
    int
        Number of samples that were NaN, infinite or absurdly large, and were muted.

    Raises
    ------
    ConfigError
        If the file itself has the path of a stem.
    StreamError
        If the file cannot be read, or the stems cannot be written.
    """
    check_folders({path: folder})
    targets = _targets(folder)
    source.open()
    with ExitStack() as opened:
        opened.callback(source.close)
        try:
            if not folder.exists():
                opened.callback(_remove_empty, folder)
            folder.mkdir(parents=True, exist_ok=True)
            partial = {stem: target.with_name(f"{target.name}.partial") for stem, target in targets.items()}
            opened.callback(_remove, tuple(partial.values()))
            files = {stem: opened.enter_context(_writer(path, source)) for stem, path in partial.items()}
            muted = 0
            for piece in separated(source, model):
                for stem, file in files.items():
                    file.write(getattr(piece.stems, stem)[0])
                muted += piece.muted_samples
                progress(piece.stop / source.rate_hz, source.total_s)
            for stem, file in files.items():
                file.close()
                as_wav(partial[stem])
                partial[stem].replace(targets[stem])
        except (OSError, soundfile.LibsndfileError) as error:
            full = isinstance(error, soundfile.LibsndfileError) and is_full(folder)  # it says "System error."
            reason = FULL if full else reason_of(error)
            raise StreamError(
                f"the stems of {path} cannot be written into {folder} ({reason}); make room there, or name a "
                "folder with --out that may be written to"
            ) from error
    return muted


def check_folders(folders: Mapping[Path, Path]) -> None:
    """Raise an error if stems would be written over a file that is to be read, or over other stems.

    Parameters
    ----------
    folders : mapping of Path to Path
        Folder for the stems of each file, by the file.

    Raises
    ------
    ConfigError
        If two files have the same folder, or a file has the path of a stem.
    """
    twice = [folder for folder, count in Counter(folders.values()).items() if count > 1]
    if twice:
        names = " and ".join(str(path) for path, folder in folders.items() if folder == twice[0])
        raise ConfigError(
            f"the stems of {names} would both be in {twice[0]}; expected a name of its own for each file: give them in "
            "turns, each with an --out of its own"
        )
    files = {path.resolve(): path for path in folders}
    for path, folder in folders.items():
        for target in _targets(folder).values():
            if over := files.get(target.resolve()):
                raise ConfigError(
                    f"{over} would be written over by a stem of {path}; name another folder with --out"
                )


def _targets(folder: Path) -> dict[str, Path]:
    return {stem: folder / f"{stem}.wav" for stem in STEMS}


def _writer(path: Path, source: Source) -> soundfile.SoundFile:
    return soundfile.SoundFile(
        sndfile_path(path), "w", source.rate_hz, source.channels, STEM_ENCODINGS["wav"], format="RF64"
    )


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # a folder that is not empty stays
        folder.rmdir()


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
