"""Writers of the run folder: one module each."""
