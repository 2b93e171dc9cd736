"""Begin the genre network with the weights of a network that learnt from the tagger of music."""

from __future__ import annotations

from pathlib import Path

from models.genre import Genre
from streamer.errors import ConfigError
from train.loop.checkpoint import Identity, load
from train.loop.config import read_config
from train.tasks.music_tags.config import MusicTagsRunConfig

TAGGER = "tagger."
"""Prefix of the names of the network's weights in a run's checkpoint, which holds the teacher's layer too."""


def begin_from(genre: Genre, run: Path) -> None:
    """Give a genre network the weights of a run of ``music_tags``, except those of the last layer.

    Parameters
    ----------
    genre : Genre
        Network, whose weights are replaced in place.
    run : Path
        Folder of the run, with ``best.pt``.

    Raises
    ------
    ConfigError
        If the folder has no configuration, or the run's network has other sizes.
    ModelError
        If the run has no weights, or another front end.
    """
    if not (run / "config.json").is_file():
        raise ConfigError(
            f"begin is {str(run)!r}, which has no config.json; expected the folder of a run: make one by python -m "
            "train music_tags, or begin at random, by begin=''"
        )
    config = read_config(MusicTagsRunConfig, run / "config.json")
    if config.model.channels != genre.config.channels or config.model.mel_bands != genre.config.mel_bands:
        raise ConfigError(
            f"begin is {str(run)!r}, with {config.model.mel_bands} bands and channels {config.model.channels}; "
            f"expected {genre.config.mel_bands} and {genre.config.channels}: give both runs the same sizes under model"
        )
    weights = load(run / "best.pt", Identity("music_tags", config.model.front_end))["weights"]
    own = {name.removeprefix(TAGGER): value for name, value in weights.items() if name.startswith(TAGGER)}
    genre.load_state_dict({name: own[name] for name in own if not name.startswith("head.")}, strict=False)
