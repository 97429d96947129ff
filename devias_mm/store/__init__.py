"""The run folder: prediction tables, run.json, markers and the identity of a config."""
