"""Recordings and songs: how they are read, decoded, cached on disk and split into folds."""
