"""Loaders of the public layouts of data sets, one file each, and what is kept on disk of their sound."""
