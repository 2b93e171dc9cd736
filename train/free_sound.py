"""Sound that comes with free software, from Debian's packages: fetched, and sorted by what YAMNet says of it."""

from __future__ import annotations

import logging
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import soundfile
import torch
from tqdm import tqdm

from models.yamnet import YAMNet
from streamer.errors import ConfigError
from streamer.frontend import FrontEnd
from streamer.stage import Array, offline
from streamer.yamnet.weights import PATCH_FRAMES
from train.data.decode import FULL_SCALE, RATE_HZ, ClipError, decode
from train.data.recordings import Recording, is_sound
from train.free_sound_packages import PACKAGES
from train.run import data_folder
from train.yamnet.npz import read_npz

ARCHIVES = (".pk3", ".zip")
TEACHER = Path("yamnet") / "lite" / "yamnet_weights.npz"
LONGEST_S = 120.0
"""Of a file: more of one piece of music teaches little."""
MOST_FILES = 1_000
"""Of a package, evenly spread over its names."""
SURE, NAMED, OVER = 0.7, 0.2, 0.3
"""Means of scores: of music from which a file is music, and from which it is if its name says so; of speech over it, up
to which it is."""
SPOKEN, UNHEARD = 0.5, 0.2
"""Mean score of speech from which a file is speech; highest score of a patch up to which a kind is not heard."""
LIKELY_MUSIC = ("music", "songs", "moh", "tracks")
"""In the names of packages and folders."""
_log = logging.getLogger(__name__)


class Sorter:
    """Tells music, speech and other sound apart as YAMNet does, and says nothing where it is in doubt.

    Parameters
    ----------
    weights : Path
        An npz file of the teacher.
    """

    def __init__(self, weights: Path) -> None:
        published = read_npz(weights)
        self._teacher = YAMNet.from_weights(published)
        self._front_end = FrontEnd()
        names = published.class_names
        self._music, self._speech, self._singing = (names.index(n) for n in ("Music", "Speech", "Singing"))

    def kind(self, sound: Array, named_music: bool) -> str | None:
        """``music``, ``speech`` or ``sound``; None where it is neither surely.

        Parameters
        ----------
        sound : float32 array, shape (samples,)
            At `RATE_HZ`.
        named_music : bool
            Whether its name says that it is music: then the teacher need not be sure.
        """
        scores = self._scores(sound)
        music, speech = scores[:, self._music], scores[:, self._speech]
        if music.mean() >= (NAMED if named_music else SURE) and speech.mean() < OVER:
            return "music"
        if speech.mean() >= SPOKEN and music.max() < UNHEARD:
            return "speech"
        others = max(music.max(), speech.max(), scores[:, self._singing].max())
        return "sound" if others < UNHEARD and not named_music else None

    def _scores(self, sound: Array) -> Array:
        """Of every patch, shape (patches, classes); the last is filled up with silence."""
        config = self._front_end.config
        patch = PATCH_FRAMES * config.hop_samples
        whole = -(-len(sound) // patch) * patch + config.window_samples - config.hop_samples
        frames = offline(self._front_end, np.pad(sound, (0, whole - len(sound)))[None])[0]
        patches = frames[: len(frames) // PATCH_FRAMES * PATCH_FRAMES].reshape(
            -1, PATCH_FRAMES, frames.shape[1]
        )
        with torch.inference_mode():
            logits, _ = self._teacher(torch.from_numpy(patches))
        return torch.sigmoid(logits).numpy()


def fetch(package: str, folder: Path) -> None:
    """Download a package and take its sound out.

    Parameters
    ----------
    package : str
    folder : Path
        Takes the files, each below its place in the package.

    Raises
    ------
    ConfigError
        If it cannot be had.
    """
    with TemporaryDirectory() as place:
        command = ["apt-get", "download", "-qq", package]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        archive = next(Path(place).glob("*.deb"), None)
        if archive is None:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ConfigError(
                f"{package} cannot be downloaded ({reason}); expected Debian 12 and its lists: apt-get update"
            )
        unpack(archive, folder)


def unpack(package: Path, folder: Path) -> None:
    """Take the sound out of a package's file, and out of archives in it."""
    with TemporaryDirectory() as place:
        subprocess.run(["dpkg-deb", "-x", package.resolve(), "."], cwd=place, check=True)
        files = [path for path in Path(place).rglob("*") if path.is_file() and not path.is_symlink()]
        for path in files:
            there = folder / path.relative_to(place)
            if is_sound(path):
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, there)
            elif path.suffix in ARCHIVES:
                with zipfile.ZipFile(path) as content:
                    sounds = [name for name in content.namelist() if is_sound(Path(name))]
                    content.extractall(there.with_suffix(""), sounds)


def sort(folder: Path, package: str, sorter: Sorter, out: Path) -> Counter[str]:
    """Sort the start of each sound file below a folder, 16 kHz, one channel.

    Parameters
    ----------
    folder : Path
    package : str
        That they are of; it may say that they are music.
    sorter : Sorter
    out : Path
        Takes them, as ``KIND/PACKAGE/*.flac``, all at once at the end.

    Returns
    -------
    Counter
        How many of each kind, and how many ``left out``.
    """
    files = [path for path in sorted(folder.rglob("*")) if is_sound(path)]
    kept = [files[n] for n in np.linspace(0, len(files) - 1, min(len(files), MOST_FILES)).astype(int)]
    counted: Counter[str] = Counter()
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out) as partial:
        for path, sound in tqdm(_heard(kept), total=len(kept), desc=package, disable=None):
            place = path.relative_to(folder)
            named = any(word in f"{package}/{place.parent}".lower() for word in LIKELY_MUSIC)
            kind = sorter.kind(sound, named)
            counted[kind or "left out"] += 1
            if kind:
                there = Path(partial) / kind / "_".join(place.with_suffix(".flac").parts[-4:])
                there.parent.mkdir(exist_ok=True)
                soundfile.write(there, sound, RATE_HZ, "PCM_16")
        for done in Path(partial).iterdir():
            (out / done.name).mkdir(exist_ok=True)
            done.rename(out / done.name / package)
    return counted


def _heard(paths: list[Path]) -> Iterator[tuple[Path, Array]]:
    """What can be read, the start of each, float32."""
    for path in paths:
        try:
            sound = decode(Recording("free", path.name, (path,), "sound", "", 0))
        except ClipError as error:
            _log.info("%s", error)
            continue
        yield path, sound[: round(LONGEST_S * RATE_HZ)].astype(np.float32) / np.float32(FULL_SCALE)


@click.command()
@click.option("--package", "packages", multiple=True, help="Only this one; repeatable.  [default: all known]")
def main(packages: tuple[str, ...]) -> None:
    """Fetch sound of free software into $STREAMER_DATA/free_sound; needs apt-get, dpkg-deb, and YAMNet's weights.

    What is there already is left as it is.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    data = data_folder()
    sorter, out = Sorter(data / TEACHER), data / "free_sound"
    for package in packages or PACKAGES:
        if any(out.glob(f"*/{package}")):
            continue
        with TemporaryDirectory() as place:
            fetch(package, Path(place))
            _log.info("%s: %s", package, dict(sort(Path(place), package, sorter, out)))


if __name__ == "__main__":
    main()
