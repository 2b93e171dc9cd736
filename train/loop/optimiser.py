"""What moves weights against their gradients: AdamW, or Muon for matrices and AdamW for the rest."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from streamer.errors import ConfigError
from train.loop.task import LoopConfig


def optimisers(model: nn.Module, config: LoopConfig) -> dict[str, Optimizer]:
    """Optimisers that move all of a model's weights, by their names in checkpoints.

    Muon (Jordan et al. 2024) makes a matrix's update orthogonal, so that no direction of it is learnt before the
    others; scaled as by Liu et al. (2025, "Muon is scalable for LLM training", section 2.2), it takes AdamW's learning
    rate and weight decay.

    Parameters
    ----------
    model : Module
    config : LoopConfig
        Its `optimiser`, `learning_rate` and `weight_decay` count.

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
    """Whether it has directions to be made orthogonal."""
    return weight.ndim == 2 and min(weight.shape) > 1
