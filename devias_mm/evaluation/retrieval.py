"""Nearest-neighbour retrieval of clips. Everything returned as an accuracy is percent."""
from typing import Dict, Sequence

import numpy as np

from devias_mm.evaluation.accuracy import mean_percent

KS = (1, 5, 10, 20, 50)  # DSM, Tables 2 and 3


def first_hit_rank(queries: np.ndarray,
                   query_labels: Sequence[int],
                   gallery: np.ndarray,
                   gallery_labels: Sequence[int],
                   block: int = 256) -> np.ndarray:
    """Return how many clips of other classes are nearer than the nearest one of a query's class.

    Nearness is the cosine of the features. A tie counts against the query: features that are
    all alike retrieve nothing.

    Args:
        queries (np.ndarray): ``(n, D)``; a row that is not finite (an unreadable video) has
            no hit.
        query_labels (Sequence[int]): ``n`` classes.
        gallery (np.ndarray): ``(m, D)``, finite.
        gallery_labels (Sequence[int]): ``m`` classes.
        block (int): queries that are compared at a time; bounds the memory.

    Returns:
        np.ndarray: ``(n,)`` float64, 0 where the nearest clip is of the class, infinite where
        there is no hit at all.

    Raises:
        ValueError: shapes do not go together, or the gallery is empty or not finite.
    """
    from sklearn.preprocessing import normalize
    query_labels = np.asarray(query_labels)
    gallery_labels = np.asarray(gallery_labels)
    _check_shapes(queries, query_labels, gallery, gallery_labels)
    readable = np.isfinite(queries).all(axis=1)
    # in float64: the cosines of an untrained encoder differ in the ninth digit only
    gallery = normalize(np.asarray(gallery, dtype=np.float64))
    filled = np.where(readable[:, None], queries, 0)
    queries = normalize(filled.astype(np.float64))
    ranks = np.full(len(queries), np.inf)
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        cosine = queries[rows] @ gallery.T
        same = query_labels[rows, None] == gallery_labels
        own = np.where(same, cosine, -np.inf)
        best = own.max(axis=1, keepdims=True)
        nearer = ~same & (cosine >= best)
        has_hit = readable[rows] & same.any(axis=1)
        ranks[rows] = np.where(has_hit, nearer.sum(axis=1), np.inf)
    return ranks


def retrieval_recall(queries: np.ndarray,
                     query_labels: Sequence[int],
                     gallery: np.ndarray,
                     gallery_labels: Sequence[int],
                     ks: Sequence[int] = KS) -> Dict[int, float]:
    """Return the recall at ``k`` in percent: is the class among the ``k`` nearest clips?

    DSM, Tables 2 and 3.

    Args:
        queries, query_labels, gallery, gallery_labels: of :func:`first_hit_rank`.
        ks (Sequence[int]): numbers of retrieved clips, at least 1.

    Returns:
        dict[int, float]: percent for each ``k``; NaN without any query.

    Raises:
        ValueError: a ``k`` is less than 1, or as :func:`first_hit_rank`.
    """
    if min(ks) < 1:
        raise ValueError(f'k must be at least 1, got {min(ks)}')
    ranks = first_hit_rank(queries, query_labels, gallery, gallery_labels)
    recalls = {}
    for k in ks:
        found = ranks < k
        recalls[k] = float(mean_percent(found))
    return recalls


def _check_shapes(queries: np.ndarray, query_labels: np.ndarray, gallery: np.ndarray,
                  gallery_labels: np.ndarray) -> None:
    """Raise where queries, gallery and their labels do not go together."""
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ValueError(f'queries of shape {queries.shape} and gallery of shape {gallery.shape} '
                         'must be matrices with the same number of columns')
    for name, features, labels in (('queries', queries, query_labels),
                                   ('gallery', gallery, gallery_labels)):
        if len(features) != len(labels):
            raise ValueError(f'{name}: {len(features)} features but {len(labels)} labels')
    if not len(gallery) or not np.isfinite(gallery).all():
        raise ValueError('the gallery is empty or holds features that are not finite: leave '
                         'unreadable videos out')
