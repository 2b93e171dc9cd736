"""The types of arrays and of stage states."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


State: TypeAlias = tuple[Array, ...]
