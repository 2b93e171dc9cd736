"""Optimisers: AdamW for all weights, or Muon for matrices and AdamW for the rest."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from streamer.errors import ConfigError
from train.loop.task import LoopConfig


def make_optimisers(model: nn.Module, config: LoopConfig) -> dict[str, Optimizer]:
    """Return the optimisers of all weights of a model, by the names that their states have in checkpoints.

    Muon (Jordan et al. 2024) makes the update of a matrix orthogonal, so that no direction is learnt before the others.
    The update is scaled as by Liu et al. (2025, "Muon is scalable for LLM training", section 2.2), so that AdamW's
    learning rate and weight decay suit it.

    Parameters
    ----------
    model : Module
        Model whose weights are trained.
    config : LoopConfig
        Settings, of which `optimiser`, `learning_rate` and `weight_decay` are used.

    Raises
    ------
    ConfigError
        If Muon is asked for and the model has no matrices.
    """
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "adamw":
        return {"optimiser": AdamW(model.parameters(), lr=rate, weight_decay=decay)}
    matrices = [weight for weight in model.parameters() if _is_matrix(weight)]
    if not matrices:
        raise ConfigError("loop.optimiser is 'muon', and the model has no matrices; expected adamw")
    others = [weight for weight in model.parameters() if not _is_matrix(weight)]
    return {
        "optimiser": AdamW(others, lr=rate, weight_decay=decay),
        "optimiser of matrices": Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
    }


def _is_matrix(weight: Tensor) -> bool:
    """Return whether a weight is a matrix with more than one row and column."""
    return weight.ndim == 2 and min(weight.shape) > 1
