"""Spatial views: where they are cut, and that the size is checked."""
import numpy as np
import pytest

from devias_mm.datasets.transforms import ThreeCropViews


def coordinates(height, width):
    return np.stack(np.mgrid[:height, :width], axis=-1)


@pytest.mark.parametrize('shape, corners', [
    ((8, 8), [(1, 0), (1, 1), (1, 2)]),  # a square: along the width
    ((6, 12), [(0, 0), (0, 3), (0, 6)]),
    ((12, 8), [(0, 1), (3, 1), (6, 1)]),
])
def test_crops_lie_along_the_longer_side(shape, corners):
    frames = [coordinates(*shape), coordinates(*shape) + 100]
    results = ThreeCropViews(6)(dict(imgs=frames, img_shape=shape))
    assert [tuple(img[0, 0]) for img in results['imgs'][::2]] == corners
    assert [tuple(img[0, 0] - 100) for img in results['imgs'][1::2]] == corners
    assert results['img_shape'] == (6, 6) and results['imgs'][0].shape == (6, 6, 2)


def test_small_frames_are_an_error():
    with pytest.raises(ValueError, match=r'10 x 5 \(w x h\)'):
        ThreeCropViews(6)(dict(imgs=[coordinates(5, 10)], img_shape=(5, 10)))
