"""The run folder: prediction tables, run.json, markers, the index of a suite and identities."""
