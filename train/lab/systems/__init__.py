"""Systems that the laboratory measures, each behind `train.lab.measured.System`."""
