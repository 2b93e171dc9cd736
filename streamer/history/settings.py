"""Settings of the history: which file it is kept in, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.errors import ConfigError
from streamer.setting_types import check_types

SECTION = "history"
"""Name of the section of the configuration file."""


@dataclass(frozen=True)
class HistoryConfig:
    """Settings of the history: ``[history]``.

    Attributes
    ----------
    file : str
        File of the database; an empty text keeps no history.
    keep_days, keep_mb : float
        Age in days and size in megabytes beyond which the oldest is removed; 0 keeps everything.

    Raises
    ------
    ConfigError
        If a limit is negative.
    """

    file: str = ""
    keep_days: float = 0.0
    keep_mb: float = 0.0

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("keep_days", "keep_mb"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"{name} is {getattr(self, name):g}; expected more than 0, or 0 to keep everything"
                )
