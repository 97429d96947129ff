"""Names from lists stay in their folder."""
from pathlib import Path

import pytest

from devias_mm.errors import UserError
from devias_mm.files import check_name, inside


@pytest.mark.parametrize('name', [
    'a.mp4', 'class a/video 1.mp4', 'a/../b.mp4', '..a/b', '...', './a', '日本語/ü.avi', ' a',
    'a\u00a0b', 'a\\..\\b'])
def test_names_that_stay_inside(name, tmp_path):
    assert check_name(name) == name
    assert inside(tmp_path, name).resolve().is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize('name, why', [
    ('../a', 'leads out'), ('a/../../b', 'leads out'), ('..', 'leads out'), ('./..', 'leads out'),
    ('/etc/passwd', 'absolute'), ('//a', 'absolute'), ('a\0b', 'control'), ('a\nb', 'control'),
    ('a\x1b[2Jb', 'control'), ('a\x85b', 'control'), ('', 'no file'), ('  ', 'no file'),
    ('.', 'no file'), ('a/..', 'no file')])
def test_names_that_are_refused(name, why):
    with pytest.raises(UserError, match=why):
        inside(Path('root'), name)
