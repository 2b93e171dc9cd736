"""Torch definitions of the models, one file each, built from the layers of `models.layers`."""
