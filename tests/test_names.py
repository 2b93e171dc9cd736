"""A public name means one thing in the whole repository."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("streamer", "models", "train")


def public_classes() -> dict[str, list[str]]:
    """Files that define each public class, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in (path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def test_no_public_class_name_is_defined_twice() -> None:
    twice = {name: files for name, files in public_classes().items() if len(files) > 1}
    assert not twice, "public classes share a name; rename all but one: " + "; ".join(
        f"{name} in {' and '.join(files)}" for name, files in sorted(twice.items())
    )


def test_the_search_finds_classes_of_all_packages() -> None:
    found = public_classes()
    assert {"Head", "StreamingLayer", "SoundCache"} <= found.keys()
