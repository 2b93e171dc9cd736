"""Measure what models say, as in live listening, of sound that they never learnt from."""
