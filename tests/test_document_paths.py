"""Every path that the documents for newcomers name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md")
FOLDERS = ("streamer", "models", "train", "tests", "benchmarks", "docs", "scripts", "findings")
ENDINGS = (".py", ".sh", ".md", ".toml", "/")
EXAMPLES = {"streamer/sources/rtp.py", "streamer/sinks/mqtt.py"}
"""Files that someone may add; their folders exist."""
ELSEWHERE = {"../shared/data"}


def paths_in(document: str) -> list[str]:
    """The words in backticks that are paths, or names of files and folders."""
    words = re.findall(r"`([\w./-]+)`", (ROOT / document).read_text(encoding="utf-8"))
    paths = [word for word in words if "/" in word.strip("/") or word.endswith(ENDINGS)]
    return sorted(set(paths) - ELSEWHERE)


def exists(path: str, names: set[str]) -> bool:
    """Whether a path exists, from the root or from `streamer`; a bare name may lie anywhere. NAME may be anything."""
    if path in EXAMPLES:
        path = f"{Path(path).parent}/"
    fixed = re.split(r"[A-Z]{3,}", path)[0]
    if fixed != path:
        fixed = fixed.rpartition("/")[0]
    if "/" not in fixed.rstrip("/") and not fixed.startswith("/"):
        return not fixed or fixed.rstrip("/") in names
    return any((ROOT / base / fixed).exists() for base in ("", "streamer"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_that_documents_name_exist(document: str) -> None:
    names = {path.name for path in ROOT.iterdir()}
    names |= {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*")}
    paths = paths_in(document)
    assert paths, f"{document} names no path; expected some"
    absent = [path for path in paths if not exists(path, names)]
    assert not absent, f"{document} names {', '.join(absent)}; expected files and folders that exist"


def test_links_lead_to_files_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [
        (document, target)
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert links, "the documents link to no file; expected some"
    absent = [
        f"{document.name}: {target}" for document, target in links if not (document.parent / target).exists()
    ]
    assert not absent, f"links lead nowhere; expected files that exist: {', '.join(absent)}"


def test_the_architecture_names_every_part_of_streamer() -> None:
    named = paths_in("docs/architecture.md")
    folders = [f"{path.parent.name}/" for path in (ROOT / "streamer").glob("*/__init__.py")]
    files = [path.name for path in (ROOT / "streamer").glob("*.py") if not path.name.startswith("__")]
    absent = sorted({*folders, *files} - set(named))
    assert not absent, f"docs/architecture.md does not name {', '.join(absent)}; say what they are for"
