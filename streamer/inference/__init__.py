"""A released model as a stage."""
