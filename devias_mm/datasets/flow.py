"""Optical flow of a clip, in the data pipeline."""
from typing import Dict, List

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

PRESETS = dict(
    ultrafast=cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    fast=cv2.DISOPTICAL_FLOW_PRESET_FAST,
    medium=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def backward_flow(frames: List[np.ndarray], preset: str = 'fast') -> np.ndarray:
    """Where each pixel of frame ``t + 1`` was in frame ``t``.

    ``I(x, y, t + 1) = I(x + V_x, y + V_y, t)`` (DSM, Eq. 2), estimated by dense inverse
    search (Kroeger et al., ECCV 2016) as OpenCV has it.

    Args:
        frames (list[np.ndarray]): ``T`` uint8 RGB frames ``(H, W, 3)``.
        preset (str): ``'ultrafast'``, ``'fast'`` or ``'medium'``. Defaults to 'fast'.

    Returns:
        np.ndarray: ``(V_x, V_y)`` in pixels, float32 ``(2, T - 1, H, W)``.
    """
    search = cv2.DISOpticalFlow_create(PRESETS[preset])
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flow = [search.calc(after, before, None) for before, after in zip(grey, grey[1:])]
    return np.stack(flow).transpose(3, 0, 1, 2)


@TRANSFORMS.register_module()
class BackwardFlow(BaseTransform):
    """Add the flow between the frames of one view, for ``MotionScaling``.

    It is computed in the loader's workers from the cropped and resized frames, so the device
    does not wait and no crop or flip has to be repeated on a flow field.

    Required keys: ``imgs``, ``clip_len``. Added key: ``flow``, float16 tensor
    ``(2, clip_len - 1, H, W)``, see :func:`backward_flow`; name it in the ``algorithm_keys``
    of ``PackActionInputs``.

    Args:
        view (int): which of the views. Defaults to 2, DSM's negative.
        preset (str): of :func:`backward_flow`. Defaults to 'fast'.

    Raises:
        ValueError: an unknown preset, or a view that the clips do not have.
    """

    def __init__(self, view: int = 2, preset: str = 'fast') -> None:
        if preset not in PRESETS:
            raise ValueError(f'BackwardFlow: preset {preset!r} is unknown, accepted: '
                             f'{sorted(PRESETS)}')
        self.view = view
        self.preset = preset

    def transform(self, results: Dict) -> Dict:
        """Compute the flow of the view."""
        length = results['clip_len']
        frames = results['imgs'][self.view * length:(self.view + 1) * length]
        if len(frames) != length:
            raise ValueError(f'BackwardFlow: view {self.view} is asked for, but there are '
                             f'{results["num_clips"]}')
        flow = backward_flow(frames, self.preset)
        results['flow'] = torch.from_numpy(flow.astype(np.float16))
        return results
