"""Reading pickled annotations without running what may be hidden in them."""
import io
import os.path as osp
import pickle
from typing import Any

from devias_mm.errors import ListFileError

# the others (dict, list, tuple, str, bytes, int, float, bool, None, set) need no import
PLAIN = {('builtins', name): kind for name, kind in dict(
    set=set, frozenset=frozenset, complex=complex, bytearray=bytearray).items()}


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that imports nothing but Python's plain containers."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return PLAIN[module.replace('__builtin__', 'builtins'), name]
        except KeyError:
            raise pickle.UnpicklingError(
                f'it wants `{module}.{name}`, and only plain containers, strings and numbers are '
                'admitted') from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f'it refers to an object outside of the file ({pid!r})')


def load_plain_pickle(path: str) -> Any:
    """Load a pickle of plain containers, strings and numbers.

    Nothing is imported and nothing of the file is executed: a reference to any
    class or function is refused by its name.

    Raises:
        ListFileError: the file is missing, no pickle, truncated, or holds anything else.
    """
    if not osp.isfile(path):
        raise ListFileError(
            f'list file not found: {path}. Prepare the dataset, or point `data_root` and '
            '`ann_file` of the dataset config (configs/_base_/datasets) to where it is.')
    with open(path, 'rb') as file:
        content = file.read()
    try:
        return _PlainUnpickler(io.BytesIO(content)).load()
    # what a damaged stream of opcodes may raise
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError, KeyError,
            AttributeError, OverflowError, MemoryError, ImportError) as error:
        raise ListFileError(
            f'{path} is refused: {error or type(error).__name__}. Expected: a pickle of plain '
            'containers, strings and numbers, as HAT publishes its lists; get the file anew.'
        ) from None
