"""Start trainings from the command line: one run, or one for each fold."""
