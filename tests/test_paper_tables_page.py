"""``docs/paper_tables.md`` has every table and figure, and its commands name what exists."""
import re

import pytest

from devias_mm.harness import load_suite

# paper: number of its tables and figures
PAPERS = {'DEVIAS': (23, 8), 'Choi et al.': (5, 5), 'DSM': (4, 6), 'HAT': (4, 4)}
COMMAND = re.compile(r'`((?:python )?tools/[^`]+)`')


@pytest.fixture
def page(root):
    return (root / 'docs/paper_tables.md').read_text()


@pytest.mark.parametrize('paper', PAPERS)
def test_no_table_and_no_figure_is_left_out(page, paper):
    section = re.search(rf'^## {paper} .*?(?=^## |\Z)', page, flags=re.S | re.M).group()
    found = {'Table': [], 'Fig.': []}
    for kind, numbers in re.findall(r'^\| (Table|Fig)s?\.? ([\d, ]+) \|', section, flags=re.M):
        found['Table' if kind == 'Table' else 'Fig.'] += map(int, numbers.split(', '))
    tables, figures = PAPERS[paper]
    assert sorted(found['Table']) == list(range(1, tables + 1))
    assert sorted(found['Fig.']) == list(range(1, figures + 1))


def test_commands_name_what_exists(page, root):
    commands = COMMAND.findall(page)
    assert len(commands) > 30
    for command in commands:
        words = command.removeprefix('python ').split()
        assert (root / words[0]).is_file(), command
        check_suite(root, command)


def check_suite(root, command: str) -> None:
    """Check the suite of a command, and its methods."""
    found = re.search(r'(benchmarks/\w+\.py)(?::([\w-]+)| ([\w-]+)$)?', command)
    if not found:
        return
    methods = load_suite(root / found[1]).methods
    named = [name for name in found.groups()[1:] if name]
    chosen = re.search(r'--methods? ([\w -]+?)(?= --|$)', command)
    if chosen:
        named += chosen[1].split()
    unknown = set(named) - set(methods)
    assert not unknown, command


def test_named_files_exist(page, root):
    for path in re.findall(r'(?:benchmarks|configs|tests)/[\w/-]+\.py', page):
        assert (root / path).is_file(), path
