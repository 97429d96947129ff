"""The golden data are numbers, small, and readable without pickle."""
import numpy as np


def test_golden_data_are_small_numbers(golden):
    files = [file for file in golden.rglob('*') if file.is_file()]
    assert {file.suffix for file in files} == {'.npz', '.json', '.md'}
    assert sum(file.stat().st_size for file in files) <= 5_000_000
    for file in files:
        if file.suffix == '.npz':
            with np.load(file, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype.kind in 'fiubU' for name in arrays), file
