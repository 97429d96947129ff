"""Merging the scores of several views (temporal chunks x spatial crops) of a video."""
from typing import Sequence, Tuple

import numpy as np
import pandas as pd
from scipy.special import softmax


def merge_views(logits: np.ndarray, video: Sequence, chunk: Sequence[int],
                crop: Sequence[int]) -> Tuple[np.ndarray, np.ndarray]:
    """Softmax of each view, then the mean over the views of a video.

    A repeated ``(chunk, crop)`` of a video, as padding of a distributed
    sampler makes, is ignored (the first occurrence counts).

    Args:
        logits: ``(rows, C)``, one row a view.
        video: identity of the video of each row, ``(rows,)``.
        chunk, crop: the view of each row, ``(rows,)``.

    Returns:
        tuple: videos in the order of their first occurrence ``(n,)``, and
        probabilities float64 ``(n, C)``.

    Raises:
        ValueError: lengths differ.
    """
    logits = np.asarray(logits, dtype=np.float64)
    lengths = {len(logits), len(video), len(chunk), len(crop)}
    if len(lengths) != 1:
        raise ValueError(f'logits, video, chunk and crop have different lengths: '
                         f'{len(logits)}, {len(video)}, {len(chunk)}, {len(crop)}')
    views = pd.DataFrame({'video': video, 'chunk': chunk, 'crop': crop})
    keep = ~views.duplicated().to_numpy()
    code, videos = pd.factorize(views['video'][keep])
    total = np.zeros((len(videos), logits.shape[1]))
    np.add.at(total, code, softmax(logits[keep], axis=1))
    return np.asarray(videos), total / np.bincount(code)[:, None]
