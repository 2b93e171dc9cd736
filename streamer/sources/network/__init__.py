"""Sound from the network: addresses, streams and playlists."""
