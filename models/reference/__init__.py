"""Networks of other systems, rebuilt to be compared with ours. They see whole clips and run offline."""
