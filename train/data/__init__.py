"""Loaders of the public layouts of data sets, one file each, and the cache of their decoded sound."""
