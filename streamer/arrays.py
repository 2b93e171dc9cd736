"""Define the types of arrays and of stage states."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""Any NumPy array; its shape and dtype are in the docstring of what takes or returns it."""

State: TypeAlias = tuple[Array, ...]
"""State of a stage: arrays of constant shape and dtype, the batch first."""
