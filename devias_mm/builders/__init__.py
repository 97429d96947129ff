"""Making test sets: masks, backgrounds without people, composites, HVU splits.

Nothing here needs a model or a config; the command lines are ``tools/data/{make_masks,build_hat,
build_scuba,build_hvu_splits}.py`` and docs/building_test_sets.md is their manual.
"""
