"""Sounds that the user taught: kept as recordings, recognised by what the released ear makes of them."""
