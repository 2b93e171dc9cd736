"""Tables of a page in Markdown that are written by the program, between comments that a hand has put there.

The page has a pair of comments for each table, ``<!-- NAME -->`` and ``<!-- end NAME -->``. What stands between them is
replaced, the rest is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from streamer.errors import ConfigError


def write_tables(page: Path, tables: Mapping[str, Sequence[str]]) -> None:
    """Replace the tables of a page.

    Parameters
    ----------
    page : Path
        Page in Markdown.
    tables : mapping of str to sequence of str
        Lines of each table by its name.

    Raises
    ------
    ConfigError
        If the page is absent, or does not have exactly one place for each table.
    """
    if not page.is_file():
        raise ConfigError(f"no page {page}; expected one with places for {', '.join(tables)}")
    text = page.read_text(encoding="utf-8")
    for name, lines in tables.items():
        text = _with_table(text, name, lines, page)
    page.write_text(text, encoding="utf-8")


def table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *cells)]


def short_commit(commit: str) -> str:
    """Return the first twelve digits of a commit, with the ``+`` at its end that stands for changes."""
    return f"{commit[:12]}{'+' * commit.endswith('+')}"


def _with_table(text: str, name: str, lines: Sequence[str], page: Path) -> str:
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    written = "".join(f"{line}\n" for line in lines)
    replaced, count = place.subn(lambda found: f"{found[1]}\n{written}\n{found[2]}", text)
    if count != 1:
        raise ConfigError(
            f"{page} has {count} places for {name}; expected one: <!-- {name} --> and <!-- end {name} -->"
        )
    return replaced
