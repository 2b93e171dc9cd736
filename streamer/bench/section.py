"""The result of a measurement: rows of figures, which machines get as they are and people as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class BenchSection:
    """Figures that belong together, in rows.

    Attributes
    ----------
    name : str
        The key of the figures in JSON.
    title : str
        Title of the table, which names the unit of percentiles.
    rows : sequence of mapping
        Rows of the table; each value is text, a number, or percentiles by name.
    """

    name: str
    title: str
    rows: Sequence[Mapping[str, object]]


def table(section: BenchSection) -> Group:
    """Return the title and the table of a section, with a column for each key and for each percentile."""
    rows = [_flat(row) for row in section.rows]
    columns = dict.fromkeys(name for row in rows for name in row)
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in columns:
        is_text = any(isinstance(row.get(name), str) for row in rows)
        made.add_column(name.replace("_", " "), justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        made.add_row(*(_text(row.get(name, "")) for name in columns))
    return Group(Text(section.title, style="bold"), made)


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in row.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    return flat


def _text(value: object) -> str:
    return f"{value:,.3f}" if isinstance(value, float) else str(value)
