"""Self-attention over the steps of a clip, whose weights can be looked at."""

from __future__ import annotations

from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Scaled dot-product attention (Vaswani et al. 2017) of each step to all steps.

    Torch's own layer computes the weights in a kernel that does not give them away, and pictures need them.

    Parameters
    ----------
    features : int
        Numbers of a step.
    heads, key : int
        Attention heads, and numbers of a query, a key or a value in each.
    dropout : float
        Dropout of the weights, in training.
    """

    def __init__(self, features: int, heads: int, key: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(features, heads * key) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(heads * key, features)

    def forward(self, steps: Tensor) -> Tensor:
        """Return what each step gathers from all, in the shape of `steps`, (clips, steps, features)."""
        mixed = self.dropout(self.weights(steps)) @ self._by_head(self.value(steps))
        gathered: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return gathered

    def weights(self, steps: Tensor) -> Tensor:
        """Return how strongly each step attends to each.

        Parameters
        ----------
        steps : Tensor, shape (clips, steps, features)
            Steps of clips.

        Returns
        -------
        Tensor, shape (clips, heads, steps, steps)
            Weights, whose sum over the last axis is 1.
        """
        queries, keys = self._by_head(self.query(steps)), self._by_head(self.key(steps))
        shares: Tensor = (queries @ keys.transpose(2, 3) * queries.shape[3] ** -0.5).softmax(dim=3)
        return shares

    def _by_head(self, x: Tensor) -> Tensor:
        by_head: Tensor = x.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return by_head
