"""Multi-task baselines: One-Token and Two-Token (DEVIAS supp. C.2, Fig. 4)."""
from typing import Dict, Tuple

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.methods.base import DebiasRecognizer, accuracy, pad_labels
from devias_mm.structures import ClipTargets


@MODELS.register_module()
class TokenRecognizer(DebiasRecognizer):
    r"""Read action and scene off learnable tokens of the encoder.

    .. math:: L = L_{action} + L_{scene}

    The backbone's ``num_extra_tokens`` makes the variant: 2, token 0 for the
    action and token 1 for the scene (Two-Token, Fig. 4 a, b); 1, one token for
    both (One-Token, Fig. 4 c, d).

    Example::

        model = dict(type='TokenRecognizer', num_classes=101, num_scene_classes=365,
                     backbone=dict(type='TokenViT', num_extra_tokens=2),
                     scene_teacher=scene_teacher)

    Args:
        unified_head (bool): one classifier over ``Na + Ns`` classes for both
            tasks (Fig. 4 b, d), trained by :math:`L_{DE}` (Eq. 5); ``False``:
            a classifier each (Fig. 4 a, c). Defaults to False.
        **kwargs: of :class:`DebiasRecognizer`.
    """

    def __init__(self, *args, unified_head: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.num_tokens = self.backbone.num_extra_tokens
        if self.num_tokens not in (1, 2):
            raise ValueError('TokenRecognizer needs a backbone with num_extra_tokens 1 (One-Token) '
                             f'or 2 (Two-Token), got {self.num_tokens}')
        if self.num_scene_classes < 1:
            raise ValueError('TokenRecognizer predicts scenes: set num_scene_classes')
        self.unified_head = unified_head
        if unified_head:
            self.head = self.build_head(self.num_classes + self.num_scene_classes)
        else:
            self.action_head = self.build_head(self.num_classes)
            self.scene_head = self.build_head(self.num_scene_classes)

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the two tokens, or twice the one; see the base class."""
        tokens = self.extract_feat(clips).extra
        return dict(action=tokens[:, 0], scene=tokens[:, self.num_tokens - 1])

    def head_outputs(self, clips: Tensor) -> Tuple[Tensor, Tensor]:
        """Return the whole outputs of the classifiers.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            tuple[Tensor, Tensor]: ``(B, Na)`` and ``(B, Ns)``; with a unified
            head both ``(B, Na + Ns)``.
        """
        # one dropout mask for both: the one token of One-Token stays one
        tokens = self.dropout(self.extract_feat(clips).extra)
        action = tokens[:, 0]
        scene = tokens[:, self.num_tokens - 1]
        if self.unified_head:
            return self.head(action), self.head(scene)
        return self.action_head(action), self.scene_head(scene)

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the scores of both tasks, each on its own classes; see the base class."""
        action, scene = self.head_outputs(clips)
        own_actions = action[:, :self.num_classes]
        own_scenes = scene[:, -self.num_scene_classes:]
        return dict(action=own_actions, scene=own_scenes)

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the two cross entropies, which are summed; see the base class."""
        clips = inputs.flatten(0, 1)
        scene_label, _ = self.scene_targets(clips, targets)
        if self.unified_head:
            # scenes come after the actions
            scene_label = scene_label + self.num_classes
        action, scene = self.head_outputs(clips)
        action_label = pad_labels(targets.action, action.shape[1])
        return dict(
            loss_action=F.cross_entropy(action, action_label),
            loss_scene=F.cross_entropy(scene, scene_label),
            action_top1=accuracy(action, targets.action),
            scene_top1=accuracy(scene, scene_label))
