"""``python -m train yamnet-labels FOLDER``: measure YAMNet's own labels on ESC-50, music, speech and singing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from streamer.arrays import Array
from streamer.inference.manifest import Manifest
from streamer.inference.model_folders import read_manifest
from train.data.recordings import FOLDS
from train.loop.run import CACHE, data_folder
from train.transfer.audioset_labels import ESC50_LABELS, naming_labels
from train.transfer.classifiers import over_folds
from train.transfer.tagger import TaggedClips, clips_of_folds, tag

MEASURED_ON = 5
"""Fold on which decisions are measured: thresholds were chosen on the others."""


@click.command("yamnet-labels")
@click.argument("folder", type=click.Path(path_type=Path))
def yamnet_labels_command(folder: Path) -> None:
    """Measure how well the labels of the YAMNet in FOLDER name clips of known classes; print JSON."""
    data = data_folder()
    clips = tag(folder, clips_of_folds(data, CACHE, FOLDS), CACHE)
    click.echo(json.dumps(figures(clips, read_manifest(folder)), indent=2))


def figures(clips: TaggedClips, manifest: Manifest) -> dict[str, Any]:
    """Return figures of YAMNet's labels.

    Parameters
    ----------
    clips : TaggedClips
        Clips of all folds.
    manifest : Manifest
        Manifest of the model, for its thresholds.

    Returns
    -------
    dict
        ``clips``, the number of clips of ESC-50; ``all classes`` and ``classes with a label``, the accuracy of the
        likeliest class over folds as `over_folds` gives it; ``decisions``, shares by preference and kind.
    """
    is_esc50 = np.array([one.source == "esc50" for one in clips.recordings])
    classes = list(ESC50_LABELS)
    truth = clips.groups[is_esc50]
    fold = np.array([one.fold for one in clips.recordings])
    right = likeliest_classes(clips.labels, clips.mean[is_esc50], classes) == truth
    named = np.array([bool(ESC50_LABELS[name]) for name in truth])
    return {
        "clips": int(is_esc50.sum()),
        "all classes": over_folds(right, fold[is_esc50]),
        "classes with a label": over_folds(right[named], fold[is_esc50][named]),
        "decisions": _decisions(clips, manifest, is_esc50, fold == MEASURED_ON),
    }


def likeliest_classes(labels: tuple[str, ...], scores: Array, classes: list[str]) -> Array:
    """Return for each clip the class of ESC-50 of which a label has the highest score.

    Parameters
    ----------
    labels : tuple of str
        Labels of the scores.
    scores : array, shape (clips, labels)
    classes : list of str
        Classes to choose from; those without a label are never chosen.
    """
    columns = {name: [labels.index(label) for label in ESC50_LABELS[name]] for name in classes}
    named = [name for name in classes if columns[name]]
    best = np.stack([scores[:, columns[name]].max(axis=1) for name in named], axis=1)
    likeliest: Array = np.array(named)[best.argmax(axis=1)]
    return likeliest


def _decisions(
    clips: TaggedClips, manifest: Manifest, is_esc50: Array, is_measured: Array
) -> dict[str, dict[str, float]]:
    """Return, by preference, how often the label that names a recording's class or kind is on at any time in it."""
    names = naming_labels()
    columns = [clips.labels.index(label) for label in names.values()]
    places = [manifest.labels.index(label) for label in names.values()]
    own = clips.groups[:, None] == np.array(list(names))
    found = {}
    for preference in manifest.operating_points:
        on = np.array([manifest.thresholds(preference)[n].on for n in places])
        is_on = clips.highest[:, columns] >= on
        sounds = is_measured & is_esc50 & own.any(axis=1)
        found[preference] = {
            "clips, own": _share(is_on[sounds][own[sounds]]),
            "clips, others": round(float((is_on & ~own)[sounds].sum(axis=1).mean()), 4),
            **{
                kind: _share(is_on[is_measured & (clips.groups == kind), list(names).index(kind)])
                for kind in ("music", "speech", "singing")
            },
            "speech in music": _share(
                is_on[is_measured & (clips.groups == "music"), list(names).index("speech")]
            ),
            "music in speech": _share(
                is_on[is_measured & (clips.groups == "speech"), list(names).index("music")]
            ),
        }
    return found


def _share(is_on: Array) -> float:
    return round(float(is_on.mean()), 4)
