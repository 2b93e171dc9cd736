"""Sound that ffmpeg decodes, and what it says meanwhile."""
