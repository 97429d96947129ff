"""Reading pickled annotations without running what may be hidden in them."""
import io
import os.path as osp
import pickle
import pickletools
from typing import Any

from devias_mm.errors import ListFileError

# dict, list, tuple, str, bytes, int, float, bool and None need no import; sets do in old protocols
PLAIN = {'set': set, 'frozenset': frozenset}


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that imports nothing but Python's sets."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ('builtins', '__builtin__') and name in PLAIN:
            return PLAIN[name]
        raise pickle.UnpicklingError(
            f'it wants `{module}.{name}`, and only plain containers, strings and numbers are '
            'admitted')

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f'it refers to an object outside of the file ({pid!r})')


def load_plain_pickle(path: str) -> Any:
    """Load a pickle of plain containers, strings and numbers.

    Nothing is imported and nothing of the file is executed: a reference to any
    class or function is refused by its name.

    Raises:
        ListFileError: the file is missing, no pickle, truncated, or holds anything else.

    Example::

        >>> pairs = load_plain_pickle('actionswap_far_1.pickle')
    """
    if not osp.isfile(path):
        raise ListFileError(
            f'list file not found: {path}. Prepare the dataset, or point `data_root` and '
            '`ann_file` of the dataset config (configs/_base_/datasets) to where it is.')
    with open(path, 'rb') as file:
        content = file.read()
    try:
        _check_size(content)
        return _PlainUnpickler(io.BytesIO(content)).load()
    # what a damaged stream of opcodes may raise
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError, KeyError,
            AttributeError, OverflowError, MemoryError, ImportError) as error:
        raise ListFileError(
            f'{path} is refused: {error or type(error).__name__}. Expected: a pickle of plain '
            'containers, strings and numbers, as HAT publishes its lists; get the file anew.'
        ) from None


def _check_size(content: bytes) -> None:
    """Check that no opcode makes the unpickler reserve more memory than the file accounts for.

    Raises:
        ValueError: the stream is malformed, or numbers an object beyond the file's size.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ('PUT', 'BINPUT', 'LONG_BINPUT') and int(argument) > len(content):
            raise ValueError(f'it numbers {len(content)} bytes of objects up to {argument}')
