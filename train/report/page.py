"""The page: one self-contained HTML file, for screens dark and light and for paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #fdfdfc; --ink: #1c2126; --soft: #5d666f; --rule: #d9dde1; --card: #f3f4f5;
  --series-1: #2864b8; --series-2: #c4481f; --series-3: #1f8459; --series-4: #8250b0; --series-5: #97700f;
  --series-6: #b03a6c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e4e8eb; --soft: #98a2ab; --rule: #343b42;
  --card: #1d2226; --series-1: #74aaf2; --series-2: #f28e63; --series-3: #5cc495; --series-4: #bd93e8;
  --series-5: #dcb44e; --series-6: #ee85b0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 5rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 3rem 0 .8rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p { max-width: 46rem; margin: .5rem 0; }
.lead, .note, figcaption { color: var(--soft); }
.note, figcaption { font-size: .875rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.2rem 0; font-size: .9rem; }
a { color: var(--series-1); text-decoration: none; } a:hover { text-decoration: underline; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; } td.n, th.n { text-align: right; }
.scroll { overflow-x: auto; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }
.tile { background: var(--card); border-radius: 8px; padding: .8rem 1.1rem; min-width: 9.5rem; }
.tile b { display: block; font-size: 1.45rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { font-size: .85rem; color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
.stems { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .4rem 1.2rem; }
.stems audio { width: 100%; }
figure { margin: .8rem 0; max-width: 100%; } figure svg { display: block; max-width: 100%; height: auto; }
.spark polyline { fill: none; stroke-width: 1.4; } .spark { background: var(--card); border-radius: 3px; }
code { font: .85em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--card);
  padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere; }
.absent { background: var(--card); border-radius: 8px; padding: .7rem 1rem; color: var(--soft); }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
.key-1 { color: var(--series-1); } .key-2 { color: var(--series-2); }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  .scroll { overflow: visible; } figure, tr, .tile { break-inside: avoid; } h2, h3 { break-after: avoid; }
  :root { --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --card: #f2f2f2; --series-1: #2864b8;
  --series-2: #c4481f; --series-3: #1f8459; --series-4: #8250b0; --series-5: #97700f; --series-6: #b03a6c; } }
"""


@dataclass(frozen=True)
class PageSection:
    """A heading and the HTML below it."""

    title: str
    body: str

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def absent(title: str, what: str, command: str) -> PageSection:
    """A section whose data is not there: what that is, and what makes it."""
    return PageSection(
        title, f'<p class="absent">Absent: {escape(what)}. Make it: <code>{escape(command)}</code></p>'
    )


def page(title: str, lead: str, commands: Iterable[str], sections: Sequence[PageSection]) -> str:
    """The whole file; `lead` is plain text below the title, and `commands` are what made its figures."""
    made = "".join(f"<code>{escape(command)}</code><br>" for command in commands)
    links = "".join(f'<a href="#{s.anchor}">{escape(s.title)}</a>' for s in sections)
    bodies = "\n".join(
        f'<section id="{s.anchor}"><h2>{escape(s.title)}</h2>\n{s.body}</section>' for s in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f'<body><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{made}<nav>{links}</nav>\n'
        f"{bodies}\n</body></html>\n"
    )


class Html(str):
    """Text that is HTML already; a table's cell that is plain text is escaped."""

    __slots__ = ()


Cell = str | float | int | None
"""What stands in a table: text, HTML, a number (None: a dash)."""


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table; numbers stand to the right, fractions with three decimals."""
    rows = list(rows)
    numeric = [any(isinstance(row[n], int | float) for row in rows) for n in range(len(head))]
    classes = [' class="n"' if right else "" for right in numeric]
    top = "".join(f"<th{kind}>{escape(name)}</th>" for name, kind in zip(head, classes, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{_cell(value)}</td>" for value, kind in zip(row, classes, strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _cell(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, Html):
        return value
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else escape(value)


def figure(svg: str, caption: str = "") -> str:
    """A drawing and, below it, plain text."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{svg}{below}</figure>"


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Figures that matter most, large: (value, what it is)."""
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{escape(v)}</b><span>{escape(w)}</span></div>' for v, w in figures)
        + "</div>"
    )


def note(text: str) -> str:
    """A remark in plain text."""
    return f'<p class="note">{escape(text)}</p>'
