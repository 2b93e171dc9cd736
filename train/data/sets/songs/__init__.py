"""Readers of songs with stems, and the table of all sets of them."""
