"""Recordings whose label is in doubt: YAMNet hears music in them though their data set says that there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import logit

from train.data.cache import SoundCache
from train.mixing.patch_embeddings import TRAININGS, embed_recordings

LABELLED_BY_FOLDER = frozenset({"debian"})
"""Data sets that nobody has labelled by ear: a folder of effects or of acted lines may hold a jingle."""
MUSIC_SCORE = 0.3
"""Score of YAMNet's class Music, 0 to 1, from which a patch of 0.975 s is taken for music."""


def doubtful_recordings(sounds: SoundCache, data: Path, cache: Path) -> frozenset[int]:
    """Return the indices of the recordings of effects and speech in which YAMNet hears music.

    Only the data sets in `LABELLED_BY_FOLDER` are asked about. Recordings shorter than a patch are not in doubt.

    Parameters
    ----------
    sounds : SoundCache
        Sound of the recordings.
    data, cache : Path
        Folder of the data sets, which holds YAMNet's weights, and folder of all caches.

    Raises
    ------
    ModelError
        If the weights are not YAMNet's.
    """
    asked = sounds.where(lambda r: r.source in LABELLED_BY_FOLDER and r.kind in ("sound", "speech"))
    if not len(asked):
        return frozenset()
    part = SoundCache([sounds.recordings[index] for index in asked], cache)
    heard = embed_recordings(part, data / TRAININGS["hub"], cache)
    musical = {
        (part.recordings[place].source, part.recordings[place].name)
        for place in np.unique(heard.recording[heard.music >= logit(MUSIC_SCORE)])
    }
    return frozenset(
        int(index)
        for index in asked
        if (sounds.recordings[index].source, sounds.recordings[index].name) in musical
    )
