"""Self-supervised pre-training: an encoder with a projection, and the MoCo baseline."""
from abc import abstractmethod
from copy import deepcopy
from typing import Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from mmaction.models.recognizers import BaseRecognizer
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from mmengine.dist import all_gather
from torch import Tensor, nn

from devias_mm.layers import TokenFeatures
from devias_mm.methods.base import accuracy
from devias_mm.structures import ClipTargets


class PretrainRecognizer(BaseRecognizer):
    """Base of the recognizers that learn without labels.

    The encoder is called ``backbone``, as in every other recognizer: ``load_from`` of a
    fine-tuning config takes the pre-training checkpoint as it is.

    Args:
        backbone (dict): a token backbone. One fully connected layer projects its mean token to
            the width ``D = 128`` (:attr:`projection_dims`) in which views are compared, after
            an L2 normalisation.
        data_preprocessor (dict, optional): usually ``ContrastiveDataPreprocessor``.
        init_cfg (dict, optional): of MMEngine's ``BaseModule``.
    """

    #: views of a clip, and what they are
    views: Tuple[str, ...] = ('anchor', 'positive')
    #: width of the embedding
    projection_dims = 128

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        if not data_preprocessor:
            no_augments = [[] for _ in self.views]
            data_preprocessor = dict(type='ContrastiveDataPreprocessor', views=no_augments)
        # built here, by MMAction2's registry, whatever the default scope is
        preprocessor = MODELS.build(data_preprocessor)
        super().__init__(backbone=backbone, data_preprocessor=preprocessor)
        self.init_cfg = init_cfg
        self.projection = nn.Linear(self.backbone.embed_dims, self.projection_dims)

    def extract_feat(self, inputs: Tensor, **kwargs) -> TokenFeatures:
        """Encode normalised clips ``(B, C, T, H, W)``."""
        return self.backbone(inputs)

    def embed(self, clips: Tensor) -> Tensor:
        """Embed clips on the unit sphere.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            Tensor: ``z`` of length 1, ``(B, D)``.
        """
        return _embed(self.backbone, self.projection, clips)

    def split_views(self, inputs: Tensor) -> Tuple[Tensor, ...]:
        """Take the views of a batch apart.

        Args:
            inputs (Tensor): ``(B, V, C, T, H, W)``.

        Returns:
            tuple[Tensor]: ``V`` tensors ``(B, C, T, H, W)``.

        Raises:
            ValueError: for another number of views than :attr:`views`.
        """
        if inputs.shape[1] != len(self.views):
            expected = ', '.join(self.views)
            raise ValueError(
                f'{type(self).__name__} compares {len(self.views)} views of a clip '
                f'({expected}), got {inputs.shape[1]}: set `views` of '
                'ContrastiveViews in the pipeline and of the data preprocessor')
        return inputs.unbind(1)

    @abstractmethod
    def loss(self,
             inputs: Tensor,
             data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Return the losses of a batch.

        Args:
            inputs (Tensor): normalised views, ``(B, V, C, T, H, W)``.
            data_samples (list): not used.
            targets (ClipTargets, optional): not used: there are no labels.

        Returns:
            dict: keys with ``loss`` are summed by MMEngine, others logged.
        """

    def predict(self, inputs: Tensor, data_samples: SampleList, **kwargs) -> SampleList:
        """Give each sample its ``feature`` ``(width of the backbone, )``, on the CPU.

        The mean token, averaged over the views; there are no classes to predict.
        """
        tokens = self.extract_feat(inputs.flatten(0, 1)).tokens
        of_views = tokens.mean(1).unflatten(0, inputs.shape[:2])
        features = of_views.mean(1).float().cpu()
        for sample, feature in zip(data_samples, features):
            sample.set_field(feature, 'feature')
        return data_samples

    def _forward(self, inputs: Tensor, **kwargs) -> Tensor:
        """Return the embeddings of ``(B, V, C, T, H, W)`` clips, for ``mode='tensor'``."""
        return self.embed(inputs.flatten(0, 1))


@MODELS.register_module()
class MoCo(PretrainRecognizer):
    """Momentum contrast on two views of a clip (He et al., CVPR 2020), DSM's baseline.

    .. math:: L = -\\log \\frac{e^{q \\cdot k_+ / \\tau}}
        {e^{q \\cdot k_+ / \\tau} + \\sum_{k_-} e^{q \\cdot k_- / \\tau}}   \\qquad (DSM, Eq. 6)

    The query ``q`` is the anchor's embedding; ``k_+`` is the other view's by the key encoder,
    whose weights follow as ``key <- m key + (1 - m) query`` before each step; the ``k_-`` are
    the last ``K`` keys of all processes. No gradient reaches keys or bank. MoCo's shuffled
    batch norm is left out: DSM does not mention it.

    Example::

        model = dict(type='MoCo', backbone=backbone, data_preprocessor=dict(
            type='ContrastiveDataPreprocessor', views=[[], []]))

    Args:
        queue_size (int): ``K``. Defaults to 6536, as printed in DSM.
        momentum (float): ``m`` in [0, 1). Defaults to 0.99 (DSM; He et al.: 0.999).
        temperature (float): ``tau``. Defaults to 1 (DSM; He et al.: 0.07).
        **kwargs: of :class:`PretrainRecognizer`.

    Raises:
        ValueError: for values outside these ranges.
    """

    def __init__(self,
                 *args,
                 queue_size: int = 6536,
                 momentum: float = 0.99,
                 temperature: float = 1.0,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if queue_size < 1 or not 0 <= momentum < 1 or temperature <= 0:
            raise ValueError(
                f'{type(self).__name__}: queue_size must be at least 1, momentum lie in [0, 1) '
                f'and temperature be positive, got {queue_size}, {momentum} and {temperature}')
        self.momentum = momentum
        self.temperature = temperature
        self.key_encoder = nn.ModuleDict()
        self.key_encoder['backbone'] = deepcopy(self.backbone)
        self.key_encoder['projection'] = deepcopy(self.projection)
        self.key_encoder.requires_grad_(False)
        queue = torch.randn(queue_size, self.projection_dims)
        self.register_buffer('queue', F.normalize(queue, dim=-1))
        # on the device: reading it on the host would make each step wait
        pointer = torch.zeros((), dtype=torch.long)
        self.register_buffer('queue_pointer', pointer)

    def init_weights(self) -> None:
        """Initialise the query encoder; the key encoder starts as its copy."""
        super().init_weights()
        self._follow(0.0)

    @torch.no_grad()
    def _follow(self, momentum: float) -> None:
        """Move the parameters of the key encoder towards those of the query encoder."""
        for name, key in self.key_encoder.items():
            query = getattr(self, name)
            for own, other in zip(key.parameters(), query.parameters()):
                own.lerp_(other, 1 - momentum)

    def update_key_encoder(self) -> None:
        """Set ``key <- m key + (1 - m) query``, for parameters; batch statistics are its own.

        MMEngine's averaged models do this, too, but read their step counter on the host.
        """
        self._follow(self.momentum)

    def embed_keys(self, clips: Tensor) -> Tensor:
        """Embed clips by the key encoder, without gradient; see :meth:`embed`."""
        backbone = self.key_encoder['backbone']
        projection = self.key_encoder['projection']
        with torch.no_grad():
            return _embed(backbone, projection, clips)

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put the keys of all processes over the oldest ones of the bank.

        Args:
            keys (Tensor): ``(B, D)``, as many in each process.

        Raises:
            ValueError: when there are more than the bank holds.
        """
        keys = torch.cat(all_gather(keys.contiguous()))
        queue_size = len(self.queue)
        if len(keys) > queue_size:
            raise ValueError(f'queue_size {queue_size} is less than the {len(keys)} clips '
                             'of a batch over all processes: enlarge it')
        steps = torch.arange(len(keys), device=keys.device)
        places = (self.queue_pointer + steps) % queue_size
        self.queue[places] = keys.to(self.queue.dtype)
        self.queue_pointer.add_(len(keys)).remainder_(queue_size)

    def contrast(self, query: Tensor, positive: Tensor, *negatives: Tensor) -> Dict[str, Tensor]:
        """Return the InfoNCE loss of a batch, mean over its clips.

        Args:
            query (Tensor): ``(B, D)``.
            positive (Tensor): ``k_+``, ``(B, D)``.
            *negatives (Tensor): negatives of each clip besides the bank, ``(B, D)`` each.

        Returns:
            dict: ``loss_contrastive``, and how often the positive is the nearest, in percent.
        """
        cosines = []
        for key in (positive, *negatives):
            cosines.append((query * key).sum(-1, keepdim=True))
        # a copy of the bank: it changes before the backward pass needs it
        bank = self.queue.clone()
        cosines.append(query @ bank.t())
        logits = torch.cat(cosines, dim=1) / self.temperature
        # the positive is class 0
        labels = torch.zeros(len(query), dtype=torch.long, device=query.device)
        loss = F.cross_entropy(logits, labels)
        return dict(loss_contrastive=loss, contrast_top1=accuracy(logits, labels))

    def loss(self,
             inputs: Tensor,
             data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Contrast two views; see the base class."""
        anchor, positive = self.split_views(inputs)
        query = self.embed(anchor)
        self.update_key_encoder()
        keys = self.embed_keys(positive)
        losses = self.contrast(query, keys)
        self.enqueue(keys)
        return losses


def _embed(backbone: nn.Module, projection: nn.Module, clips: Tensor) -> Tensor:
    """Embed clips on the unit sphere by one of the two encoders."""
    pooled = backbone(clips).tokens.mean(1)
    feature = projection(pooled)
    # lengths are inexact in half precision
    return F.normalize(feature.float(), dim=-1)
