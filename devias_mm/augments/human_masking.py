"""Clips without their humans (Choi et al., NeurIPS 2019, section 3.3)."""
from torch import Tensor

from devias_mm.augments.scene_mix import composite


def mask_humans(clips: Tensor, masks: Tensor) -> Tensor:
    """Fill the human regions of every frame with the mean colour of that frame.

    The mean is over the whole frame, humans included ("the average pixel value
    of the video frame"). It commutes with the normalisation by channel, so
    clips may be normalised or not.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        masks (Tensor): of the humans, in [0, 1], ``(B, H, W)`` or
            ``(B, T', H, W)`` with ``T'`` dividing ``T``.

    Returns:
        Tensor: like ``clips``.

    Raises:
        ValueError: when ``T'`` does not divide ``T``.
    """
    mean_colour = clips.mean((-2, -1), keepdim=True)
    return composite(mean_colour, clips, masks.to(clips.dtype))


def has_human(masks: Tensor) -> Tensor:
    """Tell which clips show a human.

    Args:
        masks (Tensor): of the humans, ``(B, H, W)`` or ``(B, T', H, W)``.

    Returns:
        Tensor: bool ``(B,)``.
    """
    return masks.flatten(1).amax(1) > 0
