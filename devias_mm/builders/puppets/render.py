"""From a planned clip to pixels."""
from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from devias_mm.builders.puppets.figure import ACTIONS, Puppet
from devias_mm.builders.puppets.presets import Preset
from devias_mm.builders.puppets.scenes import SCENES, paint_scene
from devias_mm.builders.puppets.splits import FIGURE, GREY, OWN_BACKGROUND, SWAPPED_BACKGROUND, Clip
from devias_mm.builders.puppets.textures import paint_texture

_GREY_LEVEL = 128
_DRIFT = 1.5 / 64  # of the background, in frame widths


class RenderedClip(NamedTuple):
    """Pixels of a clip.

    Attributes:
        frames: RGB uint8 ``(T, S, S, 3)``.
        masks: bool ``(T, S, S)``; true where the figure covers half a pixel or more.
        background: the frames without the figure, as ``frames``. Where the figure
            does not cover a pixel at all, both are equal.
    """
    frames: np.ndarray
    masks: np.ndarray
    background: np.ndarray


def _render_figure(clip: Clip, preset: Preset, seed: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return colours ``(T, S, S, 3)`` and coverage ``(T, S, S)`` of the figure, both uint8."""
    if clip.has_figure:
        puppet = Puppet(clip.rng(seed, FIGURE), preset.size)
        return puppet.perform(ACTIONS[clip.action], preset.frames)
    shape = (preset.frames, preset.size, preset.size)
    return np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)


def _paint(rng: np.random.Generator, backdrop: str, canvas: int, preset: Preset) -> np.ndarray:
    if backdrop not in SCENES:
        return paint_texture(rng, backdrop, canvas, preset.size)
    image = paint_scene(rng, backdrop, canvas, preset.size, preset.scene_jitter)
    if rng.random() < preset.scene_overlap:
        others = [scene for scene in SCENES if scene != backdrop]
        other = others[rng.integers(len(others))]
        other_image = paint_scene(rng, other, canvas, preset.size, preset.scene_jitter)
        weight = np.float32(rng.uniform(0, preset.overlap_weight))
        image += (other_image - image) * weight
    return image


def render_background(rng: np.random.Generator, backdrop: str, preset: Preset) -> np.ndarray:
    """Return a backdrop that drifts by up to 1.5 pixels of 64 in a clip.

    Returns:
        np.ndarray: RGB uint8 ``(T, S, S, 3)``.
    """
    size = preset.size
    if backdrop == GREY:
        return np.full((preset.frames, size, size, 3), _GREY_LEVEL, np.uint8)
    margin = 3 * size // 64
    canvas = size + 2 * margin
    painted = _paint(rng, backdrop, canvas, preset)
    image = np.rint(255 * painted).astype(np.uint8)
    place, speed = rng.uniform(-_DRIFT, _DRIFT, (2, 2)) * size
    frames = []
    for t in range(preset.frames):
        time = t / preset.frames - 0.5
        right, down = place + speed * time - margin
        matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
        frame = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
        frames.append(frame)
    return np.stack(frames)


def render_clips(clips: Sequence[Clip], preset: Preset, seed: int) -> List[RenderedClip]:
    """Render the versions of one clip, which differ in their backdrop only.

    Args:
        clips: clips of the same split and index.
        preset: sizes and difficulty.
        seed: of the data set.
    """
    colours, coverage = _render_figure(clips[0], preset, seed)
    alpha = coverage.astype(np.float32) / 255
    masks = coverage >= 128
    rendered = []
    for clip in clips:
        stream = OWN_BACKGROUND
        if clip.swapped:
            stream = SWAPPED_BACKGROUND
        rng = clip.rng(seed, stream)
        background = render_background(rng, clip.backdrop, preset)
        difference = colours - background.astype(np.float32)
        blended = background + difference * alpha[..., None]
        frames = np.rint(blended).astype(np.uint8)
        rendered.append(RenderedClip(frames, masks, background))
    return rendered
