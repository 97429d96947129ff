"""The contrasted accuracy of StillMix (Li et al., ICCV 2023): right because of the motion."""
import pandas as pd

from devias_mm.errors import UserError, shorten


def contrasted(moving: pd.Series, still: pd.Series) -> pd.Series:
    """Return per SCUBA clip 1 where it is right and its SCUFO twin, one frame of it, is wrong.

    ``contrasted = moving * (1 - still)``: what one frame gives away counts for nothing.

    Args:
        moving, still: correctness in {0, 1} of the clips and of their still twins, NaN without
            a label, indexed by ``video_id``; the order is free.

    Returns:
        pd.Series: in the order of ``moving``; NaN where either is.

    Raises:
        UserError: a video is repeated, or has no twin.

    Example::

        >>> moving = pd.Series([1.0, 1.0], index=['a', 'b'])
        >>> still = pd.Series([1.0, 0.0], index=['a', 'b'])
        >>> contrasted(moving, still).tolist()
        [0.0, 1.0]
    """
    for name, series in (('SCUBA', moving), ('SCUFO', still)):
        repeated = series.index[series.index.duplicated()]
        if len(repeated):
            raise UserError(f'contrasted accuracy: video {repeated[0]!r} occurs more than once '
                            f'in the {name} split')
    unpaired = moving.index.symmetric_difference(still.index)
    if len(unpaired):
        raise UserError(f'contrasted accuracy: {len(unpaired)} video(s) are in one of the SCUBA '
                        f'and SCUFO splits only: {shorten(unpaired)}; test both on the same list '
                        'file')
    twin = still.reindex(moving.index)
    return moving * (1 - twin)
