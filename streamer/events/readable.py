"""Make text that every message can hold."""

from __future__ import annotations


def readable(text: str) -> str:
    """Return a text in which what is no character is a question mark, as a path may have bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()
