"""Checkpoints of a run: whole or not there at all, and refused where they do not fit."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from streamer.dsp.log_mel import LogMelConfig
from streamer.dsp.stft import StftConfig
from streamer.errors import ModelError

CHECKPOINT_SCHEMA = 1
"""Raised whenever the content of a checkpoint changes its meaning."""


@dataclass(frozen=True)
class Identity:
    """What a checkpoint is of.

    Attributes
    ----------
    task : str
    front_end : LogMelConfig, StftConfig or None
        What the model hears; none where it hears neither log-mel frames nor spectra.
    """

    task: str
    front_end: LogMelConfig | StftConfig | None

    @property
    def fingerprint(self) -> str:
        """Of the front end; empty where there is none."""
        return self.front_end.fingerprint if self.front_end else ""


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    step : int
        Updates done.
    scores : list of float
        Of all validations; the state of schedules and of early stopping.
    seconds : float
        That training took so far, pauses between two starts not counted.
    """

    step: int = 0
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0


def save(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint so that a reader sees the old one or the new one, never a part.

    The bytes are on the disk before the name changes: a power cut leaves the old one too.
    """
    partial = path.with_suffix(".partial")
    with partial.open("wb") as out:
        torch.save(dict(content), out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)


def described(identity: Identity, config: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """What every checkpoint says of itself, beside the weights.

    Torch's generators are not in it: they are seeded anew for each step out of the seed and the step, which are.
    """
    return {
        "schema": CHECKPOINT_SCHEMA,
        "task": identity.task,
        "front_end": identity.fingerprint,
        "config": dict(config),
        "step": progress.step,
        "scores": list(progress.scores),
        "seconds": progress.seconds,
    }


def load(path: Path, identity: Identity) -> dict[str, Any]:
    """Read a checkpoint, on the CPU: tensors and plain values alone, no code.

    Parameters
    ----------
    path : Path
        ``best.pt``, whose ``weights`` are to be released, or ``last.pt``, whose ``states`` resume the run.
    identity : Identity
        What it must be of.

    Raises
    ------
    ModelError
        If it is absent, damaged, of another schema, of another task or made for another front end.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}; the run has not come to its first validation") from error
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, ValueError) as error:
        raise ModelError(f"{path} is no whole checkpoint ({type(error).__name__}); train anew") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != CHECKPOINT_SCHEMA:
        raise ModelError(
            f"{path} has schema {found!r}; expected {CHECKPOINT_SCHEMA}: train anew, or check out the commit that "
            "environment.json beside it names"
        )
    if content["task"] != identity.task:
        raise ModelError(
            f"{path} is a checkpoint of task {content['task']!r}; expected one of {identity.task!r}: "
            "`python -m train list` shows the runs of each task"
        )
    if content["front_end"] != identity.fingerprint:
        raise ModelError(
            f"{path} was trained on front end {content['front_end'][:12] or 'none'}; this program computes "
            f"{identity.fingerprint[:12] or 'none'}: train anew, or check out the commit that environment.json "
            "beside it names"
        )
    return content  # type: ignore[no-any-return]


def load_weights(model: nn.Module, path: Path, identity: Identity, prefix: str = "") -> None:
    """Give a model the weights to release of ``best.pt``.

    Parameters
    ----------
    model : Module
    path : Path
    identity : Identity
        What the checkpoint must be of.
    prefix : str
        Of the weights' names; those without it are left out.

    Raises
    ------
    ModelError
        As `load`, or if they are not this model's.
    """
    weights = load(path, identity)["weights"]
    own = {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
    try:
        model.load_state_dict(own)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise ModelError(
            f"{path} does not fit this program's {type(model).__name__} ({first}); expected weights of the same "
            "layers: train anew, or check out the commit that environment.json beside it names"
        ) from error
