"""Separate voice and music, live and of whole files."""
