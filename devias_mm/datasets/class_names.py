"""Files of class names: a class a line, with or without its index."""
import os
import re
from typing import Dict, List, Optional

from devias_mm.datasets.lists import read_lines
from devias_mm.errors import ListFileError, MissingFileError

NUMBERED = re.compile(r'([0-9]{1,6})\s*,\s*(\S.*)')


def read_class_names(path: str, num_classes: Optional[int] = None) -> Dict[str, int]:
    """Read the names of classes and their indices.

    Lines are ``index,class``, as of HAT's ``labels.csv``, which may lack some classes; or a class
    each, in the order of the indices.

    Args:
        path: the file.
        num_classes: every index has to be below it.

    Raises:
        MissingFileError: there is no such file.
        ListFileError: it holds no name, a line is of another kind than the first, an index is out
            of range, or a class or its index occurs twice.

    Example::

        >>> read_class_names('data/ucf101/hat/annotations/labels.csv', 101)['YoYo']
        100
    """
    if not os.path.isfile(path):
        raise MissingFileError(f'class names not found: {path}. It holds a class a line, or lines '
                               'of `index,class` as HAT publishes them: point `labels_file` or '
                               '`class_names` of the config to where it is.')
    lines = read_lines(path)
    if not lines:
        raise ListFileError(f'{path} holds no class name; expected a class a line, or lines of '
                            '`index,class`.')
    numbered = NUMBERED.fullmatch(lines[0][1]) is not None
    classes: Dict[str, int] = {}
    used = set()
    for number, text in lines:
        index, name = len(classes), text
        if numbered:
            found = NUMBERED.fullmatch(text)
            if found is None:
                raise ListFileError(f'{path}, line {number}: {text!r} is not `index,class`.')
            index, name = int(found[1]), found[2]
        if num_classes is not None and index >= num_classes:
            raise ListFileError(f'{path}, line {number}: {text!r} has the index {index}, accepted '
                                f'are 0..{num_classes - 1}: does the file belong to this data set?')
        if name in classes or index in used:
            raise ListFileError(f'{path}, line {number}: {text!r}: the class or its index occurs '
                                'twice: keep one of the lines.')
        classes[name] = index
        used.add(index)
    return classes


def scene_titles(path: str) -> List[str]:
    """Read class names as words, for a model that knows language.

    Places365's ``/a/apartment_building/outdoor 8`` becomes ``apartment building outdoor``; plain
    names stay as they are.

    Raises:
        MissingFileError: there is no such file.
        ListFileError: it cannot be used, or two names are the same in words.
    """
    classes = read_class_names(path)
    titles: List[str] = []
    for name in sorted(classes, key=classes.get):
        bare = re.sub(r'^/[a-z]/|\s+\d+$', '', name)
        title = re.sub(r'[_/]', ' ', bare).strip()
        if title in titles:
            raise ListFileError(f'{path}: the class {title!r} is there twice: keep one of them.')
        titles.append(title)
    return titles
