"""Texts of a gate's card about its training and its limits, by the data sets that it learnt from."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from types import MappingProxyType

from train.data.sets.catalogue import DATA_SETS
from train.mixing.scenes import PARTS, SONG
from train.tasks.gate.config import GateRunConfig
from train.tasks.gate.scene_scores import FALSE_SHARES, SETTLED_S

ABOUT = """
The gate decides every 93 ms whether there is music, speech and singing, each by itself; `docs/labels.md` has the rules
of the labels. It is a causal network with {parameters:,} parameters: three time-frequency convolutions, then eight
residual blocks of depthwise dilated convolutions over time that remember about {memory_s:.1f} s. It was trained from
random weights on {scenes:,} scenes of {seconds:g} s: music, solo instruments, speech, singing,{songs} everyday and
synthetic sound one after the other and mixed at random levels, filtered, reverberated, noisy, at -62 to 0 dBFS. A label
counts from -10 dB re the other sound.{mels} Steps within 0.3 s of a change were not learnt from.

{left_out}

Fold {fold} was not used in training; fold {validation_fold} chose weights, temperature and thresholds. {origins}The
temperature is {temperature:.2f}. The threshold `on` of a label is the lowest at which at most {balanced:g} % of the
settled time without it is called by it (balanced), {precision:g} % (precision) or {recall:g} % (recall). Time is
settled from {settled:g} s after a change on. The odds of `off` are a third of those of `on`. Of single recordings,
steps are counted within 300 ms of sound that is less than 40 dB below the recording's loudest 100 ms, so that padding
and pauses do not improve any figure.
"""
MELS = """ The first 3 s of {tracks} tracks of GTZAN were mixed into some scenes; most of these tracks exist only as
features, not as sound."""
LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "esc50": "Church bells (ESC-50) were left out as ambiguous: AudioSet files them under musical instruments.",
        "music_speech": "The clip `chant` (GTZAN music/speech) was left out as ambiguous: AudioSet files it under "
        "singing.",
        "debian": "Effects and acted lines of Debian's packages taught nothing about the labels in which YAMNet "
        "contradicts the folder that they come from.",
    }
)
"""What was not learnt of a data set, by its name."""
SUNG_BY = """
Where somebody sings in songs of which nobody else has said it, {detector} did, a detector of others. Nothing was learnt
about singing where it was unsure, nor from rap. So the thresholds of singing, and its figures on scenes, are partly by
its word.
"""
ORIGINS: Mapping[str, str] = MappingProxyType(
    {
        "gtzan": "duplicates in GTZAN",
        "mir1k": "singers of MIR-1K",
        "speech": "speakers of TSP speech",
        "esc50": "clips of one original in ESC-50",
        "esc10": "clips of one original in ESC-10",
        "debian": "packages of Debian",
        "rendered": "soundfonts and scores of rendered music",
        "pjs": "takes of one song of PJS",
        "animals": "animal sounds with neighbouring numbers",
        "babies": "crying babies with neighbouring numbers",
    }
)
"""What of a data set is in one fold, by its name."""
ONE_VOICE = """
All of PJS is one man's voice, and he is in every fold. So figures on PJS, and of scenes with him, are of a voice that
the gate has learnt from; figures of unheard singers are those on MIR-1K. The thresholds of singing were chosen on
scenes of the validation fold, in which he sings {others}.
"""


def about(
    config: GateRunConfig, parameters: int, memory_s: float, temperature: float, mel_tracks: int
) -> str:
    """Return what the card says of a gate and its training.

    Parameters
    ----------
    config : GateRunConfig
        Configuration of the run.
    parameters : int
        Number of parameters of the network.
    memory_s : float
        Time that the network remembers, in seconds.
    temperature : float
        Temperature of the released model.
    mel_tracks : int
        Number of tracks of GTZAN's mel file that were mixed into scenes.
    """
    data = config.learnt_data
    weights = dict(zip(PARTS, config.scenes.scene.weights, strict=False))
    songs = any(weight for part, weight in weights.items() if SONG in part.split("+"))
    text = ABOUT.format(
        parameters=parameters,
        memory_s=memory_s,
        scenes=config.scenes.count * len(config.learnt_folds),
        seconds=config.scenes.scene.seconds,
        songs=" songs," if songs else "",
        mels=MELS.format(tracks=mel_tracks) if mel_tracks else "",
        left_out=" ".join(text for name, text in LEFT_OUT.items() if name in data),
        origins=_origins(data),
        fold=config.fold,
        validation_fold=config.validation_fold,
        temperature=temperature,
        settled=SETTLED_S,
        **{name: 100 * share for name, share in FALSE_SHARES.items()},
    )
    if config.sung_by:
        text += SUNG_BY.format(detector=config.sung_by)
    if "pjs" in data:
        text += ONE_VOICE.format(others="beside the singers of MIR-1K" if "mir1k" in data else "alone")
    paragraphs = (textwrap.fill(paragraph.strip(), width=120) for paragraph in text.split("\n\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def limits(data: Collection[str], sung_by: str) -> str:
    """Return the limits of a gate, a list in Markdown.

    Parameters
    ----------
    data : collection of str
        Names of the data sets that it learnt from.
    sung_by : str
        Detector that said where somebody sings in songs; empty if none did.
    """
    unfree = [DATA_SETS[name].title for name in data if not DATA_SETS[name].is_free]
    lines = [
        "The music of both GTZAN sets in the fold that is measured is 19 clips of 30 s: figures on it are coarse.",
        *_unsure_origins(data),
        "Tonal sounds of animals, bells, horns and machines are the likeliest false alarms; see the worst classes.",
        "Music, speech or a voice far below other sound is not detected.",
        _singing(data, sung_by),
    ]
    if unfree:
        lines.append(
            f"Not every use is allowed, or none is said to be, by the licences of {', '.join(unfree)}."
        )
    return "\n".join(
        textwrap.fill(line, width=120, initial_indent="- ", subsequent_indent="  ") for line in lines
    )


def _origins(data: Collection[str]) -> str:
    found = [text for name, text in ORIGINS.items() if name in data]
    return f"What belongs together is in one fold: {', '.join(found)}. " if found else ""


def _unsure_origins(data: Collection[str]) -> list[str]:
    doubts = []
    if {"gtzan", "music_speech"} <= set(data):
        doubts.append("that a recording is in both GTZAN sets")
    if "mir1k" in data:
        doubts.append("that two singers of MIR-1K sang one karaoke track")
    return [f"It cannot be ruled out {', or '.join(doubts)}."] if doubts else []


def _singing(data: Collection[str], sung_by: str) -> str:
    if sung_by:
        return f"Singing within a song was learnt by the word of {sung_by}, and has its mistakes."
    if "mir1k" in data:
        return "Singing within a song is found where the voice can be heard well, and was learnt from karaoke alone."
    voices = "one man who sings Japanese songs without accompaniment" if "pjs" in data else "voices alone"
    return (
        f"Singing was learnt from {voices}, laid over other sound, and not from songs as they are recorded."
    )
