"""Torch definitions of the networks, one file each, built from the layers of `models.layers`."""
