"""Export the genre network that learnt from a tagger of music, and compare it with the teacher."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from models.genre import Genre
from streamer.inference.manifest import Manifest
from streamer.inference.onnx import OnnxModel
from train.data.sets import debian
from train.export.release import MeasuredRelease, held_out
from train.export.to_onnx import describe
from train.loop.checkpoint import Identity, load_weights
from train.loop.config import read_config
from train.loop.registry import Evaluation, Plugin
from train.mixing.clip_variations import FRAMES
from train.mixing.tagged_music import load_tagged_music, spread_over_groups
from train.tasks.music_tags.config import MusicTagsRunConfig
from train.tasks.music_tags.task import MusicTagsTask
from train.tasks.music_tags.warm_start import TAGGER
from train.teachers import musicnn

COMMAND = "python -m train evaluate music_tags"
ABOUT = """
The model gives 50 tags of the Million Song Dataset to music every 93 ms, by the mean logits of the last 15 s. It is the
genre network, with {parameters:,} parameters. It was trained from random weights to answer like musicnn {version}
({licence}, Pons and Serra 2019) on excerpts of {pieces} pieces of Debian's music. The genre network can begin with its
weights.
"""
LIMITS = """
- It has no thresholds, and decides nothing: it is where the training of the genre network begins.
- Games have little jazz, blues, hip-hop, reggae and country.
"""


class MusicTagsRelease(MeasuredRelease):
    """Makes the model folder of a run of ``music_tags``; `MeasuredRelease` says what is written.

    The arguments are those of `train.loop.registry.Plugin.release`.
    """

    limits = LIMITS

    def __init__(self, run: Path, data: Path, cache: Path) -> None:
        self._config, self._data, self._cache = (
            read_config(MusicTagsRunConfig, run / "config.json"),
            data,
            cache,
        )
        tagger = Genre(self._config.model, musicnn.TAGS)
        front_end = tagger.config.front_end
        load_weights(tagger, run / "best.pt", Identity("music_tags", front_end), prefix=TAGGER)
        manifest = dataclasses.replace(
            describe(tagger, "music_tags", musicnn.TAGS, front_end, FRAMES),
            results=held_out(self._config),
            trained_on=({"name": "Debian's packages", "licence": debian.LICENCE},),
        )
        super().__init__(tagger.eval(), manifest)

    def figures(self, folder: Path) -> dict[str, Any]:
        asked = Evaluation(folder, self._config, "test", self._data, self._cache)
        return {"command": COMMAND, **evaluate(asked)}

    def about(self, manifest: Manifest) -> str:
        del manifest
        return ABOUT.format(
            parameters=self.model.parameter_count,
            version=musicnn.WHEEL.version,
            licence=musicnn.LICENCE,
            pieces=self._config.pieces,
        )


def evaluate(evaluation: Evaluation) -> dict[str, Any]:
    """Return how far an exported model agrees with the teacher on the fold that `evaluation.split` names.

    Returns
    -------
    dict
        ``teacher``: ``excerpts``, their number; ``explained``, the share of the variance of the teacher's logits over
        the excerpts that the model's logits after 3 s explain.
    """
    config = evaluation.config
    pieces = [r for r in debian.recordings(evaluation.data) if r.category == "music"]
    music = load_tagged_music(spread_over_groups(pieces, config.pieces), Path(config.wheel), evaluation.cache)
    rows = np.flatnonzero(music.fold == config.fold_of(evaluation.split))
    model = OnnxModel(evaluation.model)
    scores, _ = model.step(music.frames[rows].astype(np.float32), model.init(len(rows)))
    last = np.clip(scores[:, -1].astype(np.float64), 1e-9, 1 - 1e-9)
    logits, wanted = np.log(last / (1 - last)), music.logits[rows]
    left = np.square(logits - wanted).sum() / np.square(wanted - wanted.mean(0)).sum()
    return {"teacher": {"excerpts": len(rows), "explained": round(1 - float(left), 4)}}


PLUGIN = Plugin(
    name="music_tags",
    config=MusicTagsRunConfig,
    task=MusicTagsTask,
    release=MusicTagsRelease,
    evaluate=evaluate,
)
