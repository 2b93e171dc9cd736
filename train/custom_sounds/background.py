"""``python -m train background``: what an ear makes of all kinds of sound, for teaching.

It is written into the ear's folder.

Mean, whitening and impostors come from the folds that the ear learnt from. The scale of the scores and the operating
points are chosen on its validation fold, by teaching a few clips of each class there and asking about the others.
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
from streamer.inference.manifest import Thresholds
from streamer.inference.onnx import OnnxModel
from train.custom_sounds.trials import Clip, clips_of, trials
from train.evaluate.calibration import ODDS_RATIOS
from train.loop.run import CACHE, data_folder
from train.tasks.ear.task import EarRunConfig

WINDOW_STEPS = 12
COMPONENTS = 128
RIDGE = 0.3
"""Of the mean variance of the components, added to each: small ones are mostly noise."""
WINDOWS_A_CLIP = 4
IMPOSTORS = 600
HYSTERESIS = float(np.log(ODDS_RATIOS[0]))
"""Log-odds from ``on`` down to ``off``."""
SHOTS = (1, 3, 5)
DRAWS = 4
FALSE_ALARMS = {"balanced": 0.005, "precision": 0.001, "recall": 0.02}
"""Share of clips of other sounds in which a label is said, each chosen on the validation fold."""


def make_background(ear: OnnxModel, data: Path, cache: Path, config: EarRunConfig) -> Background:
    """The background of an ear.

    Parameters
    ----------
    ear : OnnxModel
    data, cache : Path
        Folders of the data sets and of what is made of them.
    config : EarRunConfig
        Of the ear's run: says which folds it learnt from, and which chose its weights.
    """
    hearer = Embedder(ear, WINDOW_STEPS)
    background = compute_whitening(ear, clips_of(hearer, data, cache, config.learnt_folds))
    checked = config.checked_fold
    return choose_scale(hearer, background, clips_of(hearer, data, cache, [checked]))


def compute_whitening(ear: OnnxModel, clips: Sequence[Clip]) -> Background:
    """Mean, whitening (principal components over their deviations) and impostors; scores without a scale yet."""
    rng = np.random.default_rng(0)
    windows = np.concatenate([_some(rng, clip.heard.windows, WINDOWS_A_CLIP) for clip in clips]).astype(
        np.float64
    )
    mean = windows.mean(axis=0)
    variance, components = np.linalg.eigh(np.cov(windows - mean, rowvar=False))
    variance, components = variance[::-1][:COMPONENTS], components[:, ::-1][:, :COMPONENTS]
    whitening = components / np.sqrt(variance + RIDGE * variance.mean())
    unscaled = Background(
        ear_sha256=ear.manifest.sha256,
        window_steps=WINDOW_STEPS,
        mean=mean,
        projection=whitening.astype(np.float16),  # as it is kept
        impostors=np.zeros((0, COMPONENTS)),
        slope=1.0,
        offset=0.0,
        operating_points={},
    )
    chosen = rng.permutation(len(clips))[:IMPOSTORS]
    impostors = np.concatenate([_some(rng, clips[n].heard.windows, 1) for n in chosen])
    return replace(unscaled, impostors=unscaled.directions(impostors).astype(np.float16))


def choose_scale(hearer: Embedder, background: Background, clips: Sequence[Clip]) -> Background:
    """The same with a logistic function that is 0.5 at the balanced point, and all operating points."""
    found = [trial for shots in SHOTS for trial in trials(hearer, background, clips, shots, DRAWS)]
    similar = np.concatenate([trial.similar.ravel() for trial in found])
    own = np.concatenate([trial.is_own.ravel() for trial in found])
    akin = np.concatenate([np.repeat(trial.akin, trial.similar.shape[1]) for trial in found])
    similar, own = similar[~akin], own[~akin]
    fitted = LogisticRegression(class_weight="balanced").fit(similar[:, None], own)
    slope = float(fitted.coef_[0, 0])
    at = {name: float(np.quantile(similar[~own], 1 - share)) for name, share in FALSE_ALARMS.items()}
    offset = -slope * at["balanced"]
    points = {name: _point(slope * on + offset) for name, on in at.items()}
    return replace(background, slope=slope, offset=offset, operating_points=points)


def _point(log_odds: float) -> Thresholds:
    return Thresholds(round(float(expit(log_odds)), 4), round(float(expit(log_odds - HYSTERESIS)), 4))


def _some(rng: np.random.Generator, windows: Array, count: int) -> Array:
    return windows[rng.permutation(len(windows))[:count]]


@click.command("background")
@click.option(
    "--model", type=click.Path(path_type=Path), default=Path("models/released/ear"), show_default=True
)
@click.option("--fold", type=int, default=5, show_default=True, help="That the ear never heard.")
@click.option("--validation-fold", type=int, default=4, show_default=True, help="That chose its weights.")
def background_command(model: Path, fold: int, validation_fold: int) -> None:
    """Write background.npz into the folder of an ear."""
    config = EarRunConfig(fold=fold, validation_fold=validation_fold)
    background = make_background(OnnxModel(model), data_folder(), CACHE, config)
    background.write(model)
    points = ", ".join(
        f"{name} {point.on}/{point.off}" for name, point in background.operating_points.items()
    )
    click.echo(f"{model / FILE}: {len(background.impostors)} impostors; on/off {points}")
