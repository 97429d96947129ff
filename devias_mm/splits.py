"""Names of test splits."""
import fnmatch
from typing import Iterable, List, Optional, Sequence

from devias_mm.errors import UsageError


def choose_splits(known: Iterable[str], patterns: Optional[Sequence[str]] = None) -> List[str]:
    """Return the splits that names or patterns such as ``'hat-*'`` select; all by default.

    Raises:
        UsageError: a pattern selects nothing.
    """
    known = list(known)
    found = {name: fnmatch.filter(known, name) for name in patterns or known}
    unknown = [name for name, splits in found.items() if not splits]
    if unknown:
        raise UsageError(f'unknown split(s) {unknown}; accepted: {sorted(known)}.')
    return list(dict.fromkeys(split for splits in found.values() for split in splits))
