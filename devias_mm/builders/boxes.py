"""Human boxes as masks."""
from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from devias_mm.datasets.human_boxes import BOX, boxes_to_mask, load_boxes, read_boxes
from devias_mm.errors import UserError


class Box(NamedTuple):
    """Pixels ``x1..x2-1``, ``y1..y2-1`` of a frame, which counts from 0."""
    frame: int
    x1: float
    y1: float
    x2: float
    y2: float


def box_masks(frames: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Return the union of each frame's boxes, bool ``(T, H, W)``.

    Coordinates are truncated to whole pixels, as SCUBA does.
    """
    masks = np.zeros(frames.shape[:3], bool)
    for box in boxes:
        if not 0 <= box.frame < len(frames):
            raise UserError(f'there is a box of frame {box.frame}, but the video has frames '
                            f'0..{len(frames) - 1}.')
        corners = np.array(box[1:]).astype(int)
        x1, y1, x2, y2 = np.maximum(corners, 0)
        masks[box.frame, y1:y2, x1:x2] = True
    return masks


def first_of_each_frame(boxes: Sequence[Box]) -> List[Box]:
    """Keep the first box of each frame: of several people the first in the table."""
    kept: Dict[int, Box] = {}
    for box in boxes:
        kept.setdefault(box.frame, box)
    return list(kept.values())


def read_video_boxes(path: str, min_score: float = 0.0) -> Dict[str, List[Box]]:
    """Read the boxes of every video, exactly as annotated; those of a frame in their order.

    Args:
        path: table of human boxes, docs/human_boxes.md.
        min_score: boxes below it are left out.
    """
    table = read_boxes(path)
    complete = table[BOX].notna().all(axis=1)
    too_low = table['score'] < min_score
    table = table[complete & ~too_low]
    boxes: Dict[str, List[Box]] = {}
    for name, *values in table[['video_id', 'frame', *BOX]].itertuples(index=False, name=None):
        boxes.setdefault(name, []).append(Box(*values))
    return boxes


def detected_masks(frames: np.ndarray, video: str, boxes_file: str,
                   min_score: float = 0.0) -> np.ndarray:
    """Return human boxes, in each frame those of the nearest frame that was looked at.

    Args:
        frames: in the size that the boxes were found in.
        video: its name in the table.
        boxes_file: docs/human_boxes.md.
        min_score: boxes below it are left out.
    """
    shape = frames.shape[1:3]
    found = load_boxes(boxes_file, min_score).find(video, range(len(frames)))
    masks = [boxes_to_mask(boxes, shape) for boxes in found]
    return np.stack(masks) > 0
