"""Checkpoints of a run: written whole or not at all, and refused where they do not fit."""

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
"""Version of the format of checkpoints; it grows whenever an entry of a checkpoint changes its meaning."""


@dataclass(frozen=True)
class Identity:
    """Task and front end that a checkpoint belongs to; a checkpoint of another task or front end is refused.

    Attributes
    ----------
    task : str
        Name of the task.
    front_end : LogMelConfig, StftConfig or None
        Front end of the model; None if its input is neither log-mel frames nor spectra.
    """

    task: str
    front_end: LogMelConfig | StftConfig | None

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the front end, hexadecimal; an empty text if there is none."""
        return self.front_end.fingerprint if self.front_end else ""


@dataclass
class Progress:
    """Progress of a run: what a resumed run needs besides the weights.

    Attributes
    ----------
    step : int
        Number of updates done so far.
    scores : list of float
        Score of each validation so far, the oldest first; the schedule of the learning rate and early stopping depend
        on them.
    seconds : float
        Seconds of training so far, without the pauses between two starts.
    """

    step: int = 0
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0


def save(content: Mapping[str, Any], path: Path) -> None:
    """Write `content` as a checkpoint to `path`, so that a reader sees the old file or the new one, never a part."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as out:
        torch.save(dict(content), out)
        out.flush()
        os.fsync(out.fileno())  # the bytes are on the disk before the name changes, in case of a power cut
    partial.replace(path)


def describe_checkpoint(identity: Identity, config: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the entries, by name, that every checkpoint has beside the weights: schema, task, settings and progress.

    The states of torch's random generators are not among them: these are seeded for each step from the seed and the
    step.
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
    """Return the content of a checkpoint by name, with tensors on the CPU; only tensors and plain values are read.

    Parameters
    ----------
    path : Path
        Either ``best.pt``, whose ``weights`` are released, or ``last.pt``, whose ``states`` resume the run.
    identity : Identity
        Task and front end that the checkpoint must have.

    Raises
    ------
    ModelError
        If the file is absent or damaged, or has another schema, task or front end.
    """
    try:
        # Onto the CPU, because the device that it was saved from may not exist here.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}; the run has not reached its first validation") from error
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, ValueError) as error:
        raise ModelError(
            f"{path} is not a complete checkpoint ({type(error).__name__}); train again"
        ) from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != CHECKPOINT_SCHEMA:
        raise ModelError(
            f"{path} has schema {found!r}; expected {CHECKPOINT_SCHEMA}: train again, or check out the commit that "
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
            f"{identity.fingerprint[:12] or 'none'}: train again, or check out the commit that environment.json "
            "beside it names"
        )
    checked: dict[str, Any] = content
    return checked


def load_weights(model: nn.Module, path: Path, identity: Identity, prefix: str = "") -> None:
    """Load the weights of ``best.pt`` into `model`, in place.

    Parameters
    ----------
    model : Module
        Model that gets the weights.
    path : Path
        Path of ``best.pt``.
    identity : Identity
        Task and front end that the checkpoint must have.
    prefix : str
        Prefix of the names of the weights to load. Weights without it are left out, and the others lose it.

    Raises
    ------
    ModelError
        If `load` fails, or the weights do not fit this model.
    """
    weights = load(path, identity)["weights"]
    own = {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
    try:
        model.load_state_dict(own)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise ModelError(
            f"{path} does not fit this program's {type(model).__name__} ({first}); expected weights of the same "
            "layers: train again, or check out the commit that environment.json beside it names"
        ) from error
