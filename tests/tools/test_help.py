"""Every tool answers ``--help`` at once: torch and the frameworks are imported when it works."""
import subprocess
import sys

import pytest

LIST_TOOLS = """
import argparse, importlib.util, pathlib, sys
for path in map(pathlib.Path, sys.argv[1:]):
    sys.path.insert(0, str(path.parent))  # as where Python runs the tool
    spec = importlib.util.spec_from_file_location('tool', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    if hasattr(tool, 'add_arguments'):
        parser = argparse.ArgumentParser(description=tool.__doc__)
        tool.add_arguments(parser)
        parser.format_help()
    heavy = sorted({'torch', 'mmengine', 'mmaction', 'cv2', 'matplotlib'} & set(sys.modules))
    assert not heavy, f'{path} imports {heavy}'
    assert tool.__doc__, path
"""
#: developers' scripts, which are no command lines of users
DEVELOPERS = 'dev'


def test_importing_a_tool_is_light(root):
    tools = sorted(path for path in (root / 'tools').rglob('*.py')
                   if path.parent.name != DEVELOPERS)
    assert tools
    result = subprocess.run([sys.executable, '-c', LIST_TOOLS, *map(str, tools)], text=True,
                            capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr[-1000:]


@pytest.mark.parametrize('tool', ['data/check_dataset.py', 'analysis/per_class.py'])
def test_help_and_a_misspelt_option(root, tool):
    command = [sys.executable, str(root / 'tools' / tool)]
    shown = subprocess.run([*command, '--help'], text=True, capture_output=True, timeout=60)
    assert shown.returncode == 0 and f'python tools/{tool}' in shown.stdout
    wrong = subprocess.run([*command, '--no-such-option'], text=True, capture_output=True,
                           timeout=60)
    assert wrong.returncode == 2 and 'Traceback' not in wrong.stderr
