"""Pictures of clips: what augmentations do to them, where slots look."""
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from devias_mm.methods.base import hard_labels
from devias_mm.pictures import Row, contact_sheet

MASK_COLOUR = (0.9, 0.1, 0.9)  # magenta: rare in videos


#: draws the frame of a row, uint8 ``(H, W, 3)``
Panel = Callable[[int, int], np.ndarray]


class AugmentedBatch(NamedTuple):
    """Clips before and after the data preprocessor of a recognizer.

    Attributes:
        titles (Sequence[str]): one for each clip.
        clips (Tensor): what the pipeline gives, uint8 ``(B, 3, T, H, W)``.
        augmented (Tensor): what the recognizer sees, without the
            normalisation, in [0, 255], ``(B, 3, T, H, W)``.
        masks (Tensor, optional): foreground masks in [0, 1], ``(B, T', H,
            W)`` with ``T'`` dividing ``T``.
        clip_mask (Tensor, optional): one mask for all frames, ``(B, H, W)``.
    """
    titles: Sequence[str]
    clips: Tensor
    augmented: Tensor
    masks: Optional[Tensor] = None
    clip_mask: Optional[Tensor] = None


def augment_batch(preprocessor, data: dict, seed: int = 0) -> AugmentedBatch:
    """Run a data preprocessor in training mode and undo its normalisation.

    Args:
        preprocessor (DebiasDataPreprocessor): of a recognizer.
        data (dict): collated ``inputs``, list of uint8 ``(V, 3, T, H, W)``, and
            ``data_samples`` with ``video_id``.
        seed (int): of the augmentations. Defaults to 0.

    Returns:
        AugmentedBatch: one row per view.
    """
    torch.manual_seed(seed)
    result = preprocessor(data, training=True)
    seen = result['inputs'].flatten(0, 1)
    if hasattr(preprocessor, 'mean'):
        seen = seen * preprocessor.std + preprocessor.mean
    targets = result['targets']
    views = len(seen) // len(data['data_samples'])
    titles: List[str] = []
    for sample in data['data_samples']:
        titles += [sample.get('video_id', '?')] * views
    if targets.scene is not None and targets.scene.dim() == 1:
        actions = hard_labels(targets.action).tolist()
        scenes = hard_labels(targets.scene).tolist()
        labelled = []
        for title, action, scene in zip(titles, actions, scenes):
            labelled.append(f'{title}\naction {action}, scene {scene}')
        titles = labelled
    clips = torch.stack(list(data['inputs'])).flatten(0, 1)
    masks = _on_cpu(targets.masks)
    clip_mask = _on_cpu(targets.clip_mask)
    return AugmentedBatch(titles, clips, seen.cpu(), masks, clip_mask)


def _on_cpu(mask: Optional[Tensor]) -> Optional[Tensor]:
    if mask is None:
        return None
    return mask.cpu()


def image_of(clip: Tensor, frame: int) -> np.ndarray:
    """Return a frame of ``(3, T, H, W)`` in [0, 255] as uint8 ``(H, W, 3)``."""
    picture = clip[:, frame].permute(1, 2, 0)
    levels = picture.float().round().clamp(0, 255)
    return levels.byte().numpy()


def overlay(image: np.ndarray, mask: np.ndarray, opacity: float = 0.55) -> np.ndarray:
    """Tint the pixels of a mask.

    Args:
        image (ndarray): uint8 ``(H, W, 3)``.
        mask (ndarray): in [0, 1], ``(H, W)``.
        opacity (float): of the tint where the mask is 1. Defaults to 0.55.

    Returns:
        ndarray: uint8 ``(H, W, 3)``.
    """
    weight = opacity * mask[..., None]
    colour = 255 * np.array(MASK_COLOUR)
    tinted = (1 - weight) * image + weight * colour
    return np.round(tinted).astype(np.uint8)


def plain_panel(clips: Tensor) -> Panel:
    """Show the frames of clips, ``(B, 3, T, H, W)``."""
    def draw(row: int, frame: int) -> np.ndarray:
        return image_of(clips[row], frame)
    return draw


def tinted_panel(clips: Tensor, masks: Tensor, opacity: float = 0.55) -> Panel:
    """Show the frames of clips with their masks.

    Args:
        clips (Tensor): in [0, 255], ``(B, 3, T, H, W)``.
        masks (Tensor): in [0, 1], ``(B, t, H, W)``; ``T / t`` frames share one.
        opacity (float): of the tint where the mask is 1.
    """
    shared = clips.shape[2] // masks.shape[1]

    def draw(row: int, frame: int) -> np.ndarray:
        mask = masks[row, frame // shared].numpy()
        return overlay(image_of(clips[row], frame), mask, opacity)
    return draw


def draw_augments(batch: AugmentedBatch, path: Path, num_frames: int = 3) -> Path:
    """Draw clips, masks and what the recognizer sees, one row a clip.

    Args:
        batch (AugmentedBatch): the clips.
        path (Path): PNG file to write.
        num_frames (int): frames of each clip, evenly spaced. Defaults to 3.

    Returns:
        Path: the file.
    """
    panels = {'clip': plain_panel(batch.clips)}
    if batch.masks is not None:
        panels['masks over time'] = tinted_panel(batch.clips, batch.masks)
    if batch.clip_mask is not None:
        panels['mask of the clip'] = tinted_panel(batch.clips, batch.clip_mask[:, None])
    panels['what the recognizer sees'] = plain_panel(batch.augmented)
    return draw_panels(panels, batch.titles, batch.clips.shape[2], path, num_frames)


def draw_slots(clips: Tensor, attention: Dict[str, Tensor], titles: Sequence[str], path: Path,
               num_frames: int = 4) -> Path:
    """Draw where slots look (DEVIAS, Figure 8), one row a clip.

    Args:
        clips (Tensor): uint8 ``(B, 3, T, H, W)``.
        attention (dict): per column title, values in [0, 1] on the token
            grid, ``(B, t, h, w)``.
        titles (sequence[str]): one a clip.
        path (Path): PNG file to write.
        num_frames (int): frames of each clip, evenly spaced. Defaults to 4.

    Returns:
        Path: the file.
    """
    panels = {'clip': plain_panel(clips)}
    for title, maps in attention.items():
        full = F.interpolate(maps.float(), clips.shape[-2:], mode='nearest')
        panels[title] = tinted_panel(clips, full, opacity=0.8)
    return draw_panels(panels, titles, clips.shape[2], path, num_frames)


def draw_panels(panels: Dict[str, Callable[[int, int], np.ndarray]], titles: Sequence[str],
                clip_len: int, path: Path, num_frames: int) -> Path:
    """Draw a row per clip, with frames of each panel side by side.

    Args:
        panels (dict): column title to a function of (row, frame index) that
            gives a uint8 image ``(H, W, 3)``.
        titles (sequence[str]): one a row.
        clip_len (int): frames of a clip.
        path (Path): PNG file to write.
        num_frames (int): frames shown, evenly spaced.

    Returns:
        Path: the file.
    """
    spaced = np.linspace(0, clip_len - 1, num_frames)
    frames = spaced.round().astype(int).tolist()
    columns = []
    for title in panels:
        columns += [title, *[''] * (num_frames - 1)]
    rows = []
    for index, title in enumerate(titles):
        pictures = []
        for panel in panels.values():
            pictures += [panel(index, t) for t in frames]
        rows.append(Row(title.replace('\n', ': '), pictures))
    contact_sheet(path, columns, rows)
    return Path(path)
