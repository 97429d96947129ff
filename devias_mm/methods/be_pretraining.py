"""BE, self-supervised: background erasing as pre-training (Wang et al., CVPR 2021).

The anchor is a clip with its background erased: one of its frames is mixed into all of them. The
positive is another crop of the same clip, the negative another clip of the same video, which
shares the background but not the motion. The views come from ``TemporalShiftFrames``,
``ContrastiveViews`` and ``ContrastiveDataPreprocessor``, as in DSM.
"""
from mmaction.registry import MODELS

from devias_mm.methods.dsm import DSM, DSMTriplet


@MODELS.register_module()
class BEContrastive(DSM):
    r"""Contrast an anchor without background with other videos and another clip of its own.

    .. math:: L = -\log \frac{e^{z_a z_p / \tau}}{e^{z_a z_p / \tau} + e^{z_a z_n / \tau}
        + \sum_j e^{z_a k_j / \tau}}

    mean over the batch. ``z_p`` comes from the momentum encoder, ``z_a`` and ``z_n`` from the
    query encoder; the ``k_j`` are earlier positives' keys. The consistency term of the paper is
    off in the published code, and is not here.

    Example::

        rotation = dict(type='RandomRotation', degrees=10)
        erasing = dict(type='BackgroundErasing', ratio=1.0, weight_per_clip=False)
        views = [[rotation, erasing], [rotation], [rotation]]
        model = dict(type='BEContrastive', backbone=backbone, data_preprocessor=dict(
            type='ContrastiveDataPreprocessor', views=views))

    Args:
        queue_size (int): keys of other videos. Defaults to 65536 (Kinetics-400; UCF-101: 3569).
        momentum (float): of the key encoder, in [0, 1). Defaults to 0.999.
        temperature (float): :math:`\tau`. Defaults to 0.07.
        **kwargs: of :class:`~.PretrainRecognizer`.
    """

    def __init__(self,
                 *args,
                 queue_size: int = 65536,
                 momentum: float = 0.999,
                 temperature: float = 0.07,
                 **kwargs) -> None:
        super().__init__(
            *args,
            bank='positive',
            queue_size=queue_size,
            momentum=momentum,
            temperature=temperature,
            **kwargs)


@MODELS.register_module()
class BETriplet(DSMTriplet):
    """BE with triplet losses within the video and between videos, margin 0.5.

    One encoder embeds all views; see :class:`~.DSMTriplet` for the equation.

    Example::

        model = dict(type='BETriplet', backbone=backbone, data_preprocessor=data_preprocessor)

    Args:
        margin (float): at least 0. Defaults to 0.5.
        **kwargs: of :class:`~.PretrainRecognizer`.
    """

    def __init__(self, *args, margin: float = 0.5, **kwargs) -> None:
        super().__init__(*args, margin=margin, inter_video=True, **kwargs)
