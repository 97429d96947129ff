"""From a planned clip to pixels."""
from typing import List, NamedTuple, Sequence

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
        frames (np.ndarray): RGB uint8 ``(T, S, S, 3)``.
        masks (np.ndarray): bool ``(T, S, S)``; true where the figure covers half a pixel or more.
        background (np.ndarray): the frames without the figure, as ``frames``. Where the figure
            does not cover a pixel at all, both are equal.
    """
    frames: np.ndarray
    masks: np.ndarray
    background: np.ndarray


def _paint(rng: np.random.Generator, backdrop: str, canvas: int, preset: Preset) -> np.ndarray:
    if backdrop not in SCENES:
        return paint_texture(rng, backdrop, canvas, preset.size)
    image = paint_scene(rng, backdrop, canvas, preset.size, preset.scene_jitter)
    if rng.random() < preset.scene_overlap:
        others = [scene for scene in SCENES if scene != backdrop]
        other = paint_scene(rng, others[rng.integers(len(others))], canvas, preset.size,
                            preset.scene_jitter)
        image += (other - image) * np.float32(rng.uniform(0, preset.overlap_weight))
    return image


def render_background(rng: np.random.Generator, backdrop: str, preset: Preset) -> np.ndarray:
    """A backdrop that drifts by up to 1.5 pixels of 64 in a clip, uint8 ``(T, S, S, 3)``."""
    size = preset.size
    if backdrop == GREY:
        return np.full((preset.frames, size, size, 3), _GREY_LEVEL, np.uint8)
    margin = 3 * size // 64
    image = np.rint(255 * _paint(rng, backdrop, size + 2 * margin, preset)).astype(np.uint8)
    place, speed = rng.uniform(-_DRIFT, _DRIFT, (2, 2)) * size
    frames = []
    for t in range(preset.frames):
        shift = place + speed * (t / preset.frames - .5) - margin
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        frames.append(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR))
    return np.stack(frames)


def render_clips(clips: Sequence[Clip], preset: Preset, seed: int) -> List[RenderedClip]:
    """Render the versions of one clip, which differ in their backdrop only.

    Args:
        clips (sequence[Clip]): clips of the same split and index.
        preset (Preset): sizes and difficulty.
        seed (int): of the data set.
    """
    first = clips[0]
    if first.has_figure:
        puppet = Puppet(first.rng(seed, FIGURE), preset.size)
        colours, coverage = puppet.perform(ACTIONS[first.action], preset.frames)
    else:
        coverage = np.zeros((preset.frames, preset.size, preset.size), np.uint8)
        colours = np.zeros((*coverage.shape, 3), np.uint8)
    alpha = (coverage.astype(np.float32) / 255)[..., None]
    rendered = []
    for clip in clips:
        stream = SWAPPED_BACKGROUND if clip.swapped else OWN_BACKGROUND
        background = render_background(clip.rng(seed, stream), clip.backdrop, preset)
        frames = background + (colours - background.astype(np.float32)) * alpha
        rendered.append(RenderedClip(
            np.rint(frames).astype(np.uint8), coverage >= 128, background))
    return rendered
