"""Load released models and run them, for one stream or for many in one batch."""
