"""HTML of a report: one self-contained file, for dark and light screens and for paper.

The HTML lies in `templates`; Jinja2 escapes all text that is put into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

Cell: TypeAlias = Markup | str | float | int | None
"""Content of a table's cell: HTML, text, or a number; None is shown as a dash."""


@dataclass(frozen=True)
class PageSection:
    """A section of the page: its heading, and the HTML below the heading."""

    title: str
    body: Markup

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def page(title: str, lead: str, commands: Iterable[str], sections: Sequence[PageSection]) -> str:
    """Return the HTML of the page; `lead` is the text below the title, and `commands` made the figures."""
    template = _environment().get_template("page.html")
    return template.render(title=title, lead=lead, commands=list(commands), sections=sections)


def absent(title: str, what: str, command: str) -> PageSection:
    """Return a section that says that its data, `what`, is absent, and which command makes it."""
    return PageSection(title, _part("absent", what, command))


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """Return the HTML of a table. Numbers are aligned to the right; fractions have three decimals."""
    rows = list(rows)
    numeric = [any(isinstance(row[n], int | float) for row in rows) for n in range(len(head))]
    return _part("table", head, rows, numeric)


def figure(content: Markup, caption: str = "") -> Markup:
    """Return the HTML of a figure, `content`, with a caption below it."""
    return _part("figure", content, caption)


def tiles(figures: Iterable[tuple[str, str]]) -> Markup:
    """Return the HTML of a row of figures in large print, the most important ones.

    Parameters
    ----------
    figures : iterable of (str, str)
        Each figure as it is to be printed, such as ``0.76``, and its name.
    """
    return _part("tiles", list(figures))


def heading(text: str, small: str = "") -> Markup:
    """Return the HTML of a heading within a section; `small` is text in small print after it."""
    return _part("heading", text, small)


def note(text: str, command: str = "") -> Markup:
    """Return the HTML of a remark, which may end with a command."""
    return _part("note", text, command)


def key(text: str, names: Sequence[str]) -> Markup:
    """Return the HTML of a remark that ends with the names of lines, in the lines' colours."""
    return _part("key", text, names)


def row(parts: Iterable[Markup]) -> Markup:
    """Return the HTML of several parts side by side."""
    return _part("row", list(parts))


def stems(parts: Sequence[Markup | None]) -> Markup:
    """Return the HTML of parts in rows of three; None leaves a place empty."""
    return _part("stems", parts)


def player(label: str, address: str) -> Markup:
    """Return the HTML of an audio player that plays the sound at `address`, a URL."""
    return _part("player", label, address)


def details(summary: str, content: Markup) -> Markup:
    """Return the HTML of content that is hidden until the reader opens it; `summary` is what is seen before."""
    return _part("details", summary, content)


def values(named: Iterable[tuple[str, str]]) -> Markup:
    """Return the HTML of values; each pair is a name, which may be empty, and the value after it."""
    return _part("values", list(named))


def _part(macro: str, *content: object) -> Markup:
    parts = _environment().get_template("parts.html").module
    return Markup(getattr(parts, macro)(*content))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _format_cell
    return environment


def _format_cell(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value
