"""Report of what models say of sound that they never learnt from: ``docs/hearing.md``, with pictures."""
