"""Reports for readers: ``report.html`` about runs, ``docs/results.md`` and ``docs/hearing.md``."""
