"""Labels in doubt: what YAMNet hears in recordings contradicts the folder that gave them their label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import logit

from train.data.cache import SoundCache
from train.data.recordings import Recording
from train.mixing.patch_embeddings import TRAININGS, embed_recordings

LABELLED_BY_FOLDER = frozenset({"debian"})
"""Data sets that nobody has labelled by ear: a folder of effects may hold a jingle, one of acted lines a scream."""
HEARD = 0.3
"""Score of YAMNet's classes Music and Speech, 0 to 1, from which a patch of 0.975 s is taken for one of them."""


def labels_in_doubt(sounds: SoundCache, data: Path, cache: Path) -> dict[int, tuple[str, ...]]:
    """Return the labels that recordings of effects and speech should teach nothing about, by the recordings' indices.

    Music is in doubt where YAMNet hears it in any patch; speech and singing where it hears speech in effects, or none
    in acted lines. Only the data sets in `LABELLED_BY_FOLDER` are asked about. Recordings shorter than a patch are
    trusted.

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
    if not asked:
        return {}
    part = SoundCache([sounds.recordings[index] for index in asked], cache)
    heard = embed_recordings(part, data / TRAININGS["hub"], cache)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for number in np.unique(heard.recording).tolist():
        own = heard.recording == number
        music, speech = (bool(logits[own].max() >= logit(HEARD)) for logits in (heard.music, heard.speech))
        recording = part.recordings[number]
        found[_key(recording)] = _in_doubt(recording, music, speech)
    in_doubt = {index: found.get(_key(sounds.recordings[index]), ()) for index in asked}
    return {index: labels for index, labels in in_doubt.items() if labels}


def _in_doubt(recording: Recording, music: bool, speech: bool) -> tuple[str, ...]:
    """Return the labels of a recording that contradict what is heard in it."""
    voices = ("speech", "singing") if speech != (recording.kind == "speech") else ()
    return (("music",) if music else ()) + voices


def _key(recording: Recording) -> tuple[str, str]:
    return recording.source, recording.name
