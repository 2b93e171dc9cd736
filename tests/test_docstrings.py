"""Docstrings begin with what a thing does or is, and texts of attributes say what a value is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("streamer", "models", "train")
DOCSTRING_OPENERS = ("What", "Of", "That", "How", "Whose", "As")
"""Words that begin a fragment: "What a thing is ..." says neither what it does nor what it returns."""
FIELD_OPENERS = ("Of",)

Text = tuple[int, str]
"""Line and text."""


def sources() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix() for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))
    ]


def docstrings(tree: ast.Module) -> Iterator[Text]:
    """Docstrings of the module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def field_texts(tree: ast.Module) -> Iterator[Text]:
    """Texts below assignments, and those of the entries in numpydoc sections."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for target, text in pairwise(body):
                if isinstance(target, ast.Assign | ast.AnnAssign) and (value := _string(text)):
                    yield text.lineno, value
    for line, docstring in docstrings(tree):
        entry = False
        for n, text in enumerate(docstring.splitlines()):
            indented = text.startswith("    ")
            if indented and entry:  # the first line of a description
                yield line + n, text.strip()
            entry = bool(text.strip()) and not indented


def _string(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value if isinstance(node.value.value, str) else None
    return None


def fragments(texts: Iterator[Text], openers: tuple[str, ...]) -> list[str]:
    """Texts whose first word is one of `openers`, each with its line."""
    opener = re.compile(rf"(?:{'|'.join(openers)})\b")
    return [f"line {line}: {text.splitlines()[0]}" for line, text in texts if opener.match(text)]


@pytest.mark.parametrize("source", sources())
def test_texts_begin_with_what_a_thing_does_or_is(source: str) -> None:
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
    found = fragments(docstrings(tree), DOCSTRING_OPENERS) + fragments(field_texts(tree), FIELD_OPENERS)
    assert not found, f"{source} has texts that begin with a fragment:\n" + "\n".join(found)
