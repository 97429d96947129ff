"""Recipes: a config file plus what a row of a table changes in it."""
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Callable, List, Mapping, Sequence, Union

from devias_mm.errors import SuiteError
from devias_mm.store.identity import ROOT

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config

# a nested dict, a function that edits a config in place, or several of them in turn
Change = Union[Mapping, Callable[['Config'], None], Sequence]

#: the config files that were read, in turn; what a recipe is made of is a slice of it
files_read: List[Path] = []


def read_recipe(path: Union[str, Path], root: Path = ROOT) -> 'Config':
    """Read a config file and the files that it inherits from.

    Args:
        path: the file, absolute or relative to ``root``.
        root: the repository's root.

    Raises:
        SuiteError: there is no such file.
    """
    from mmengine.config import Config
    file = Path(root) / path
    if not file.is_file():
        raise SuiteError(f'config not found: {file}; name a file that exists, such as those '
                         'under configs/')
    files_read.extend(config_files(file))
    return Config.fromfile(str(file), import_custom_modules=False)


def config_files(file: Path) -> List[Path]:
    """List a config file and the files that it inherits from."""
    from mmengine.config import Config
    files = [Path(file).resolve()]
    for base in Config._get_base_files(str(file)):
        for inherited in config_files(Path(file).parent / base):
            if inherited not in files:
                files.append(inherited)
    return files


def fragment(path: str, root: Path = ROOT) -> 'Config':
    """Read a fragment, a file of ``configs/_base_``, for the functions that change a config.

    Example::

        >>> def with_clip_teacher(cfg):
        ...     cfg.model.scene_teacher = fragment('models/clip_teacher.py').clip_teacher
    """
    return read_recipe(Path('configs/_base_') / path, root)


def apply_change(cfg: 'Config', change: Change) -> None:
    """Change a config in place.

    Args:
        cfg: the config.
        change: a nested dict, merged by MMEngine's rules (``_delete_=True`` replaces a dict,
            ``{'0': ...}`` changes an item of a list, dotted keys are short for nested dicts);
            a function that edits the config; or a sequence of these, applied in turn.
    """
    if callable(change):
        change(cfg)
    elif isinstance(change, Mapping):
        cfg.merge_from_dict(copy.deepcopy(dict(change)))
    else:
        for part in change:
            apply_change(cfg, part)
