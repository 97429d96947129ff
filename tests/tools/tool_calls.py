"""Calling the command lines within the test's process."""
import contextlib
import io
import runpy
import sys

from tiny_runs import ROOT


def run_tool(monkeypatch, name, *arguments):
    """Run a tool of ``tools/``.

    Returns:
        ``None`` where all went well, the message of a user's mistake, or another exit code.
    """
    monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
    errors = io.StringIO()
    code = 0
    try:
        with contextlib.redirect_stderr(errors):
            runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    except SystemExit as end:
        code = end.code
    finally:
        print(errors.getvalue(), end='', file=sys.stderr)
    if code == 2:
        message = errors.getvalue().strip().splitlines()[-1]
        assert 'error: ' in message, 'a mistake ends in one line'
        return message
    return code or None


def call_tool(monkeypatch, name, *arguments):
    """Run a tool; raise ``SystemExit`` with the message of a user's mistake."""
    error = run_tool(monkeypatch, name, *arguments)
    if error is not None:
        raise SystemExit(error)
