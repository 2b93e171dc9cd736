"""``python -m train background``: compute the statistics of an ear that taught sounds are compared by.

They are written into the ear's folder. Mean, whitening and impostors come from the folds that the ear was trained on.
The scale of the scores and the operating points are chosen on its validation fold, by teaching a few clips of each
class and scoring all others. An ear that learnt from all folds has those of the ear by which it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from streamer.arrays import Array
from streamer.custom_sounds.background import FILE, Background
from streamer.custom_sounds.embedder import Embedder
from streamer.errors import ConfigError
from streamer.inference.manifest_parts import Thresholds
from streamer.inference.model_folders import read_manifest
from streamer.inference.onnx import OnnxModel
from train.custom_sounds.trials import EmbeddedClip, embed_clips, run_trials
from train.data.recordings import FOLDS
from train.evaluate.operating_points import ODDS_RATIOS
from train.export.all_folds import MEASURED_BY
from train.loop.commands.options import ear_option
from train.loop.registry import find_plugin, released_config
from train.loop.run import CACHE, data_folder
from train.tasks.ear.config import EarRunConfig

WINDOW_STEPS = 12
COMPONENTS = 128
RIDGE = 0.3
"""Share of the mean variance of all components that is added to the variance of each component before it is divided by
its deviation, since small variances are mostly noise."""
WINDOWS_PER_CLIP = 4
IMPOSTORS = 600
HYSTERESIS = float(np.log(ODDS_RATIOS[0]))
"""Difference of the log-odds of ``on`` and ``off``."""
SHOTS = (1, 3, 5)
DRAWS = 4
FALSE_ALARMS = {"balanced": 0.005, "precision": 0.001, "recall": 0.02}
"""Share of the clips of other sounds, on the validation fold, in which a taught label may be on by mistake, at each
operating point."""


def make_background(ear: OnnxModel, data: Path, cache: Path, config: EarRunConfig) -> Background:
    """Return the statistics of an ear that taught sounds are compared by: the content of ``background.npz``.

    Mean, whitening and impostors are computed from the folds that the ear was trained on. The scale of the scores and
    the operating points are chosen on its validation fold.

    Parameters
    ----------
    ear : OnnxModel
        Exported ear.
    data, cache : Path
        Folder of the data sets, and folder of all caches.
    config : EarRunConfig
        Configuration of the ear's run, which names the folds that the ear was not trained on.
    """
    embedder = Embedder(ear, WINDOW_STEPS)
    background = compute_whitening(ear, embed_clips(embedder, data, cache, config.learnt_folds))
    return choose_scale(embedder, background, embed_clips(embedder, data, cache, [config.checked_fold]))


def compute_whitening(ear: OnnxModel, clips: Sequence[EmbeddedClip]) -> Background:
    """Return a background with mean, whitening and impostors of some clips, still without a scale of scores.

    The whitening projects embeddings onto their principal components, each divided by its deviation. Impostors are
    windows of the clips, with which taught sounds are compared as examples of other sounds.
    """
    rng = np.random.default_rng(0)
    drawn = [_draw(rng, clip.embeddings.windows, WINDOWS_PER_CLIP) for clip in clips]
    windows = np.concatenate(drawn).astype(np.float64)
    mean = windows.mean(axis=0)
    variance, components = np.linalg.eigh(np.cov(windows - mean, rowvar=False))
    variance, components = variance[::-1][:COMPONENTS], components[:, ::-1][:, :COMPONENTS]
    whitening = components / np.sqrt(variance + RIDGE * variance.mean())
    unscaled = Background(
        ear_sha256=ear.manifest.sha256,
        window_steps=WINDOW_STEPS,
        mean=mean,
        projection=whitening.astype(np.float16),  # the precision of the file, so that impostors match it
        impostors=np.zeros((0, COMPONENTS)),
        slope=1.0,
        offset=0.0,
        operating_points={},
    )
    chosen = rng.permutation(len(clips))[:IMPOSTORS]
    impostors = np.concatenate([_draw(rng, clips[n].embeddings.windows, 1) for n in chosen])
    return replace(unscaled, impostors=unscaled.directions(impostors).astype(np.float16))


def choose_scale(embedder: Embedder, background: Background, clips: Sequence[EmbeddedClip]) -> Background:
    """Return a background with the scale that turns similarities into scores, and with all operating points.

    The scale is a logistic function that is 0.5 at the balanced operating point. It is fitted to trials on `clips`; see
    `train.custom_sounds.trials`.
    """
    found = [trial for shots in SHOTS for trial in run_trials(embedder, background, clips, shots, DRAWS)]
    similarity = np.concatenate([trial.similarity.ravel() for trial in found])
    own = np.concatenate([trial.is_own.ravel() for trial in found])
    same_origin = np.concatenate([np.repeat(t.same_origin, t.similarity.shape[1]) for t in found])
    # Other takes of an example's recording are too easy to choose thresholds by.
    similarity, own = similarity[~same_origin], own[~same_origin]
    fitted = LogisticRegression(class_weight="balanced").fit(similarity[:, None], own)
    slope = float(fitted.coef_[0, 0])
    at = {name: float(np.quantile(similarity[~own], 1 - share)) for name, share in FALSE_ALARMS.items()}
    offset = -slope * at["balanced"]
    points = {name: _point(slope * on + offset) for name, on in at.items()}
    return replace(background, slope=slope, offset=offset, operating_points=points)


def _point(log_odds: float) -> Thresholds:
    return Thresholds(round(float(expit(log_odds)), 4), round(float(expit(log_odds - HYSTERESIS)), 4))


def _draw(rng: np.random.Generator, windows: Array, count: int) -> Array:
    drawn: Array = windows[rng.permutation(len(windows))[:count]]
    return drawn


def folds_of(folder: Path) -> EarRunConfig:
    """Return a configuration with the folds that a released ear was not trained on, as its manifest names them.

    Raises
    ------
    ConfigError
        If the manifest names none.
    """
    if "held out" not in read_manifest(folder).results:
        raise ConfigError(
            f"{folder} does not say which folds its ear held out; expected a folder of `python -m train release ear`"
        )
    found: EarRunConfig = released_config(find_plugin("ear"), folder)
    return found


def measured_background(
    ear: OnnxModel, folder: Path, measured_by: Path, data: Path, cache: Path
) -> Background:
    """Return the background of an ear that learnt from all folds, with the scale of an ear that held out some.

    The background of the other ear is written into its folder as well.

    Parameters
    ----------
    ear : OnnxModel
        Ear that learnt from all folds.
    folder : Path
        Its folder, for the error's text.
    measured_by : Path
        Folder of the ear by which it was measured when it was released.
    data, cache : Path
        Folder of the data sets, and folder of all caches.

    Raises
    ------
    ConfigError
        If it was measured by another one.
    """
    other = OnnxModel(measured_by)
    if other.manifest.sha256 not in ear.manifest.results.get(MEASURED_BY, {}).get("models", ()):
        raise ConfigError(
            f"{folder} was not measured by {measured_by}; expected the release of the run that `release ear` was given "
            "as --measured-by: its thresholds say nothing of another ear"
        )
    scaled = make_background(other, data, cache, folds_of(measured_by))
    scaled.write(measured_by)
    own = compute_whitening(ear, embed_clips(Embedder(ear, WINDOW_STEPS), data, cache, FOLDS))
    return replace(own, slope=scaled.slope, offset=scaled.offset, operating_points=scaled.operating_points)


@click.command("background")
@ear_option
@click.option(
    "--measured-by",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For an ear that learnt from all folds: the release of the ear that it was measured by.",
)
def background_command(model: Path, measured_by: Path | None) -> None:
    """Compute the statistics of an ear that taught sounds are compared by; write them to background.npz in its folder.

    The file holds mean and whitening of embeddings, sounds of other kinds (impostors), the scale of scores, and
    thresholds. They come from ESC-50, music and speech: from the folds that the ear was trained on, and the scale and
    the thresholds from the validation fold. `streamer teach` reads the file.
    """
    ear = OnnxModel(model)
    config = folds_of(model)
    if config.learns_from_all_folds != (measured_by is not None):
        learnt = "learnt from all folds" if config.learns_from_all_folds else "held out folds itself"
        expected = "--measured-by FOLDER" if config.learns_from_all_folds else "no --measured-by"
        raise ConfigError(f"the ear in {model} {learnt}; expected {expected}")
    if measured_by:
        background = measured_background(ear, model, measured_by, data_folder(), CACHE)
    else:
        background = make_background(ear, data_folder(), CACHE, config)
    background.write(model)
    points = ", ".join(
        f"{name} {point.on}/{point.off}" for name, point in background.operating_points.items()
    )
    click.echo(f"{model / FILE}: {len(background.impostors)} impostors; on/off {points}")
