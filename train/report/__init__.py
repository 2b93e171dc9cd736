"""Pages that a person reads: ``report.html`` of runs, and ``docs/results.md``."""
