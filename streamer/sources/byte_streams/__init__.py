"""Sound files that come as bytes, one after the other, from a pipe or a server."""
