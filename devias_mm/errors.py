"""Errors that a user can mend: each names the culprit and the remedy.

Command lines print the message of a :class:`UserError` as one line, without a traceback (see
:func:`devias_mm.cli.run_tool`). Anything else that is raised is a defect of the program.
"""
from typing import Iterable


def shorten(names: Iterable[object], count: int = 3) -> str:
    """Join names for a message: the first ones, and how many more there are.

    Example::

        >>> shorten(['a', 'b', 'c', 'd', 'e'])
        'a, b, c and 2 more'
    """
    names = [str(name) for name in names]
    text = ', '.join(names[:count])
    if len(names) > count:
        text += f' and {len(names) - count} more'
    return text


class UserError(ValueError):
    """Something that the user gave is wrong; the message says what, and what to do."""


class UsageError(UserError):
    """An option has a bad value, or does not go with the config or the machine."""


class ListFileError(UserError):
    """A list file, or a file that belongs to it, cannot be used."""


class MissingFileError(UserError, FileNotFoundError):
    """A file or folder that is needed does not exist."""

    # FileNotFoundError would print its arguments as an errno and a text
    __str__ = ValueError.__str__


class CheckpointError(UserError):
    """A checkpoint cannot be used."""


class SuiteError(UserError):
    """A suite, or the results that it names, cannot be used."""
