"""Pictures of the laboratory's rows."""
