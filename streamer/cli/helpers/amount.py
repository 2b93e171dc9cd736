"""The type of options that are an amount of something, such as seconds."""

from __future__ import annotations

import math

import click

from streamer.errors import ConfigError


class Amount(click.ParamType[float]):
    """Takes a finite number above 0.

    Parameters
    ----------
    unit : str
        Unit in words, such as "seconds".
    most : float
        Largest number that is taken.
    """

    def __init__(self, unit: str, most: float = math.inf) -> None:
        self.name = unit
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ARG002
        """Return the number.

        Raises
        ------
        ConfigError
            If it is none, or not in its bounds.
        """
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not (0 < number <= self._most and math.isfinite(number)):
            most = f", {self._most:g} at most" if math.isfinite(self._most) else ""
            option = param.opts[0] if param else "the amount"
            raise ConfigError(f"{option} is {value}; expected {self.name} above 0{most}, such as 2.5")
        return number


SECONDS = Amount("seconds")
