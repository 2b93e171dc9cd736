"""Microphones: PortAudio, sound servers, and the choice of a default."""
