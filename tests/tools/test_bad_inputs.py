"""A sample of the bad inputs that ``python tests/bad_inputs.py`` gives to the command lines."""
import sys

import pytest
from tiny_runs import ROOT

sys.path.insert(0, str(ROOT / 'tests'))

import bad_inputs  # noqa: E402

SAMPLE = ('train, misspelt key', 'train, lr far too high', 'load_from, payload from the web',
          'test, flipped byte', 'convert, without the latents', 'convert, transposed')


@pytest.fixture(scope='module')
def place():
    with bad_inputs.workplace() as made:
        yield made


@pytest.fixture(scope='module')
def cases(place):
    found = [case for group in bad_inputs.GROUPS for case in group(place)]
    assert len({case.name for case in found}) == len(found)
    return {case.name: case for case in found}


@pytest.mark.parametrize('name', SAMPLE)
def test_a_user_sees_one_line(place, cases, name):
    answer = bad_inputs.run(cases[name], place)
    assert not answer.problem, answer
    assert answer.line.startswith('error: ')


def test_a_command_that_succeeds_or_fails_badly_is_noticed(place, tmp_path):
    tool = tmp_path / 'tool.py'
    for code, problem in (('pass', 'the command succeeded'), ('1 / 0', 'a traceback: Zero'),
                          ('import sys; sys.exit("error: other")', "does not say 'this'")):
        tool.write_text(code)
        answer = bad_inputs.run(bad_inputs.Case('x', [str(tool)], 'this'), place)
        assert problem in answer.problem
    tool.write_text('import sys; sys.exit("error: this")')
    assert bad_inputs.run(bad_inputs.Case('x', [str(tool)], 'this'), place).problem == ''
    left = bad_inputs.Case('x', [str(tool)], 'this', [tool])
    assert bad_inputs.run(left, place).problem == 'tool.py was left behind'
