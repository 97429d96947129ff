"""A background mask of another size than its frame (DEVIAS's rule scales it once)."""
import cv2
import numpy as np
import pytest
from PIL import Image

from devias_mm.datasets.frame_folders import FrameFolder
from devias_mm.datasets.hat.compose import shift_of
from devias_mm.datasets.hat.sources import read_background_mask
from devias_mm.datasets.transforms.read_clip import VideoReadError

BACKGROUND = np.zeros((80, 120, 3), np.uint8)


@pytest.fixture
def masks(tmp_path):
    """One mask of 23 x 31, whose person is in a corner, with soft edges."""
    mask = np.zeros((23, 31), np.uint8)
    mask[2:9, 20:29] = np.random.default_rng(0).integers(0, 256, (7, 9))
    cv2.imwrite(str(tmp_path / '000001.png'), mask)
    return FrameFolder(str(tmp_path), '{:06d}.png', 1), mask


def test_it_is_scaled_once_bilinear_to_the_short_side_of_the_frame(masks):
    folder, mask = masks
    found = read_background_mask(folder, 0, BACKGROUND, 40, 'devias')
    width = int(40 * 31 / 23)
    expected = np.array(Image.fromarray(mask).resize((width, 40), Image.Resampling.BILINEAR))
    assert found.shape == (40, 53) and (found == expected).all()
    # first to the size of its frame and then to the short side is something else
    twice = Image.fromarray(mask).resize((120, 80), Image.Resampling.BICUBIC)
    twice = np.array(twice.resize((60, 40), Image.Resampling.BILINEAR))
    person = np.zeros((40, 60), np.uint8)
    person[10:30, 20:40] = 255
    rows, columns = np.mgrid[:40, :53]
    weight = expected.astype(float)
    down = int((rows * weight).sum() / weight.sum() - 19.5)
    right = int((columns * weight).sum() / weight.sum() - 29.5)
    assert shift_of(person, found) == (down, right) != shift_of(person, twice)


def test_hat_refuses_it(masks):
    folder, _ = masks
    with pytest.raises(VideoReadError, match='000001.png is 31 x 23 .* 120 x 80'):
        read_background_mask(folder, 0, BACKGROUND, 40, 'hat')
    same_size = np.zeros((23, 31, 3), np.uint8)
    assert read_background_mask(folder, 0, same_size, 46, 'hat').shape == (46, 62)
