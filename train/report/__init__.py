"""Reports for readers: ``report.html`` about runs, and ``docs/results.md``."""
