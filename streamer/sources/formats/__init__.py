"""The formats of sound: what a file's first bytes and headers say, and raw PCM."""
