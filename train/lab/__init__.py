"""The laboratory: systems of others, rebuilt, trained and measured on the same ground as our own models."""
