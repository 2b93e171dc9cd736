"""Free sound from the packages of Debian: music, effects and acted speech."""
