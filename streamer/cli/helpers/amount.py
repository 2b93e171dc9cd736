"""The type of options that are an amount of something, such as seconds."""

from __future__ import annotations

import math

import click


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

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not (0 < number <= self._most and math.isfinite(number)):
            most = f", {self._most:g} at most" if math.isfinite(self._most) else ""
            self.fail(
                f"{value!r} is no such number; expected {self.name} above 0{most}, such as 2.5", param, ctx
            )
        return number


SECONDS = Amount("seconds")
