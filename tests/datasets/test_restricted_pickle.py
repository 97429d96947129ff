"""Pickles may hold plain containers, strings and numbers, and nothing else."""
import os
import pickle

import numpy as np
import pytest

from devias_mm.datasets.restricted_pickle import load_plain_pickle
from devias_mm.errors import ListFileError

PAIRS = {'a/b': ['c d/e', '32', 5], 'x': (1, 2.5, True, None, {3}, frozenset(['y']))}


class Evil:
    def __reduce__(self):
        return os.system, ('touch hacked', )


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_content_is_read_with_its_types(tmp_path, protocol):
    (tmp_path / 'a.pickle').write_bytes(pickle.dumps(PAIRS, protocol))
    read = load_plain_pickle(str(tmp_path / 'a.pickle'))
    assert read == PAIRS and type(read['a/b'][1]) is str


@pytest.mark.parametrize('content, name', [
    (Evil(), r'posix\.system|nt\.system'), ({'a': [1, Evil()]}, r'\w+\.system'),
    ({'a': np.float32(1)}, 'numpy'), ([eval], r'builtins\.eval'), (os.path.join, 'join'),
    ([getattr], r'builtins\.getattr')])
@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_anything_else_is_refused_by_name(tmp_path, monkeypatch, content, name, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.pickle').write_bytes(
        pickle.dumps(content, protocol).replace(b'c__builtin__\n', b'cbuiltins\n'))
    with pytest.raises(ListFileError, match=rf'a\.pickle is refused: it wants `.*({name})'):
        load_plain_pickle('a.pickle')
    assert not (tmp_path / 'hacked').exists()


@pytest.mark.parametrize('content', [
    b'', b'nonsense', pickle.dumps(PAIRS)[:-3], b'\x80\x04K', b'(dp0\nS', b'\x80\x04Q.',
    b'\x80\x63.', b'cos\nsystem\n(S"touch hacked"\ntR.', b'\x80\x04\x8c\xff'])
def test_a_damaged_file_is_an_error_of_its_own(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.pickle').write_bytes(content)
    with pytest.raises(ListFileError, match=r'a\.pickle is refused'):
        load_plain_pickle('a.pickle')
    assert not (tmp_path / 'hacked').exists()


def test_missing_file():
    with pytest.raises(ListFileError, match='list file not found: none.pickle'):
        load_plain_pickle('none.pickle')
