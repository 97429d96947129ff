"""How good masks and backgrounds are, where the truth is known (Puppets)."""
from pathlib import Path
from typing import Dict, Optional

import numpy as np

from devias_mm.builders.media import FOREGROUND, read_frames, read_mask_values
from devias_mm.builders.videos import Video
from devias_mm.errors import UserError


def mask_iou(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the IoU of two bool ``(T, H, W)``, over all frames; 1 for two empty ones."""
    union = (found | truth).sum()
    if union == 0:
        return 1.0
    return float((found & truth).sum() / union)


def background_error(found: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Return the mean absolute difference in grey levels (0..255) over pixels and channels.

    Args:
        found, truth: uint8 ``(T, H, W, 3)``.
        where: bool ``(T, H, W)``, the pixels to look at; NaN where there is none.
    """
    difference = np.abs(found[where].astype(np.int16) - truth[where])
    if difference.size == 0:
        return float('nan')
    return float(difference.mean())


def score_video(video: Video, truth: str, masks: Optional[str],
                inpainted: Optional[str]) -> Dict[str, float]:
    """Compare one video with the truth of a Puppets data set.

    Args:
        video: of a Puppets list; ``path`` is its mp4.
        truth: folder of the data set, with ``masks/`` and ``backgrounds/``.
        masks: folder of ``<name>/*.png``.
        inpainted: folder of ``<name>/*.jpg``; ``<name>`` may lack its folder.

    Returns:
        dict[str, float]: ``iou``, ``precision``, ``recall`` in [0, 1] and ``area`` (true share);
        ``hidden_error`` and ``hidden_error_without`` in grey levels, over the true figure with and
        without inpainting, ``visible_error`` over the rest (what compression and masks that are
        too large cost).
    """
    frames = read_frames(video.path)
    true_masks = read_mask_values(Path(truth, 'masks'), video.name, frames) > FOREGROUND
    scores = dict(area=float(true_masks.mean()))
    if masks:
        found = read_mask_values(masks, video.name, frames) > FOREGROUND
        both = (found & true_masks).sum()
        scores.update(iou=mask_iou(found, true_masks),
                      precision=float(both / max(found.sum(), 1)),
                      recall=float(both / max(true_masks.sum(), 1)))
    if inpainted:
        clean = read_frames(Path(truth, 'backgrounds', f'{video.name}.mp4'))
        result = _read_inpainted(Path(inpainted), video.name)
        if result.shape != clean.shape:
            raise UserError(f'{video.name}: the inpainted frames are {result.shape[:3]} '
                            f'(T, H, W), the truth {clean.shape[:3]}.')
        scores.update(hidden_error=background_error(result, clean, true_masks),
                      hidden_error_without=background_error(frames, clean, true_masks),
                      visible_error=background_error(result, clean, ~true_masks))
    return scores


def _read_inpainted(root: Path, name: str) -> np.ndarray:
    """Read inpainted frames; some published layouts name a folder without split or class."""
    folder = root / name
    if not folder.is_dir():
        folder = root / folder.name
    return read_frames(folder)
