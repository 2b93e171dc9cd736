"""Figures as a table."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from streamer.bench.section import BenchSection, table


def printed(section: BenchSection) -> list[list[str]]:
    out = StringIO()
    Console(file=out, width=80).print(table(section))
    return [line.split() for line in out.getvalue().splitlines() if line.strip(" ─")]


def test_percentiles_have_a_column_each_and_what_is_missing_is_blank() -> None:
    rows = [
        {"message": "level", "count": 1_200, "late_ms": {"p50": 1.5, "max": 2000.0}},
        {"message": "scores", "count": 0, "late_ms": {}},
    ]
    assert printed(BenchSection("latency", "Milliseconds", rows)) == [
        ["Milliseconds"],
        ["message", "count", "p50", "max"],
        ["level", "1200", "1.500", "2,000.000"],
        ["scores", "0"],
    ]


def test_a_section_without_rows_is_its_title() -> None:
    assert printed(BenchSection("frontend", "Microseconds", [])) == [["Microseconds"]]
