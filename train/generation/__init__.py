"""Sound out of what was learnt: from a generator's log-mel frames to sound, and what our own models make of it."""
