"""Scene-adversarial training with human-mask confusion (Choi et al., NeurIPS 2019)."""
from typing import Dict, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from devias_mm.augments.human_masking import has_human, mask_humans
from devias_mm.layers import GradientReversal
from devias_mm.methods.base import accuracy, check_choice
from devias_mm.methods.naive import NaiveRecognizer
from devias_mm.structures import ClipTargets

LOSSES = ('adversarial', 'confusion')


def scene_classifier(embed_dims: int, num_classes: int) -> nn.Sequential:
    """Return the adversary: three hidden layers of width 512 with batch norm, as published.

    Args:
        embed_dims (int): width of the feature.
        num_classes (int): scene classes.
    """
    layers = []
    width = embed_dims
    for _ in range(3):
        layers.append(nn.Linear(width, 512))
        layers.append(nn.BatchNorm1d(512))
        layers.append(nn.ReLU(inplace=True))
        width = 512
    layers.append(nn.Linear(width, num_classes))
    return nn.Sequential(*layers)


@MODELS.register_module()
class SceneAdversarial(NaiveRecognizer):
    r"""Learn actions, unlearn scenes, and be unsure where no human can be seen.

    On original clips (Eq. 5, by gradient reversal):

    .. math::
        \theta_f, \theta_A &= \arg\min L_{CE} - \lambda L_{Adv} \\
        \theta_S &= \arg\min L_{Adv}, \quad
        L_{Adv} = -\sum_m p_m \log f_{\theta_S}(G_{\theta_f}(x))_m

    On clips whose humans are filled with the mean colour of the frame (Eq. 6):

    .. math::
        \theta_f, \theta_A = \arg\max L_{Ent}, \quad
        L_{Ent} = -\sum_k f_{\theta_A}(G_{\theta_f}(x_{hm}))_k
        \log f_{\theta_A}(G_{\theta_f}(x_{hm}))_k

    :math:`G` is the backbone with its pooling, :math:`f_{\theta_A}` the linear
    action classifier of :class:`NaiveRecognizer`, :math:`f_{\theta_S}` an MLP
    of three hidden layers with batch norm. ``loss_confusion`` is
    :math:`-L_{Ent}`, a negative number.

    The human masks are ``targets.masks``: of detected boxes
    (``LoadHumanBoxes``), of mask files, or guessed by ``FAMEMasks`` in the data
    preprocessor. Clips without a human in view do not count in :math:`L_{Ent}`.

    "For every iteration, we alternate between the optimization (5) and (6)"
    (section 3.4): optimizer steps 0, 2, 4 ... minimise Eq. 5 and steps 1, 3, 5 ...
    Eq. 6, each on its own batch. The published code takes both steps in one
    iteration, so two iterations here are one there. Batches whose gradients
    are accumulated belong to one step, so to one equation. The number of
    steps so far is part of the model's state: a resumed training goes on
    where it stopped, and all processes are in step. A step without
    :math:`L_{Adv}` leaves the scene classifier without a gradient, so a
    distributed training needs ``find_unused_parameters=True``, which the
    shipped configs set.

    Example::

        model = dict(type='SceneAdversarial', backbone=dict(type='TokenViT'), num_classes=200,
                     num_scene_classes=365, scene_teacher=scene_teacher)

    Args:
        losses (sequence[str]): which of ``'adversarial'`` and ``'confusion'``
            are used (Table 5). Without ``'confusion'`` every step is one of
            Eq. 5. Defaults to both.
        optimization (str): ``'alternate'``, the paper's, or ``'joint'``: both
            losses on each batch, their gradients summed in one step.
            Defaults to 'alternate'.
        scene_labels (str): ``'soft'``: :math:`p` are class probabilities of the
            teacher or the dataset; ``'hard'``: their argmax (Table 4). Where
            the dataset has classes only, these are taken. Defaults to 'soft'.
        reversal_scale (float): :math:`\lambda`, at least 0. With 0 the scene
            classifier is a probe of an undisturbed backbone (section 4.3).
            Defaults to 0.5.
        confusion_weight (float): factor of :math:`L_{Ent}`; the paper has none,
            the last stage of the published training has 0.5. Defaults to 1.
        predict_scene (bool): also predict scenes, with the adversary
            (section 4.3). Defaults to False.
        **kwargs: of :class:`NaiveRecognizer`.
    """

    action_needs_scenes = True

    def __init__(self,
                 *args,
                 losses: Sequence[str] = LOSSES,
                 optimization: str = 'alternate',
                 scene_labels: str = 'soft',
                 reversal_scale: float = 0.5,
                 confusion_weight: float = 1.0,
                 predict_scene: bool = False,
                 **kwargs) -> None:
        super().__init__(*args, task='action', **kwargs)
        unknown = set(losses) - set(LOSSES)
        if unknown:
            raise ValueError(f'losses must be among {LOSSES}, got {tuple(losses)}')
        check_choice('optimization', optimization, ('alternate', 'joint'))
        check_choice('scene_labels', scene_labels, ('soft', 'hard'))
        self.adversarial = 'adversarial' in losses
        self.confusion = 'confusion' in losses
        if predict_scene and not self.adversarial:
            raise ValueError("predict_scene needs the scene classifier of the loss 'adversarial'")
        self.optimization = optimization
        self.scene_labels = scene_labels
        self.confusion_weight = confusion_weight
        self.predict_scene = predict_scene
        self.steps = 0
        self.weight_version = -1  # of the action classifier in the batch before
        if self.adversarial:
            if self.num_scene_classes < 1:
                raise ValueError('SceneAdversarial learns to unlearn scenes: set num_scene_classes')
            self.reversal = GradientReversal(reversal_scale)
            self.scene_head = scene_classifier(self.embed_dims, self.num_scene_classes)

    def get_extra_state(self) -> Tensor:
        """Return the number of optimizer steps so far, for the checkpoint."""
        return torch.tensor(self.steps)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on with the alternation where the checkpoint was written."""
        self.steps = int(state)

    def feature(self, clips: Tensor) -> Tensor:
        """Return ``G(x)``, ``(B, D)``, the mean token of clips ``(B, C, T, H, W)``."""
        pooled = self.extract_feat(clips).tokens.mean(1)
        return self.fc_norm(pooled)

    def action_logits(self, feature: Tensor) -> Tensor:
        """Return the action scores ``(B, Na)`` of features ``(B, D)``."""
        return self.head(self.dropout(feature))

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return action scores and, with ``predict_scene``, the adversary's; see the base class."""
        feature = self.feature(clips)
        scores = dict(action=self.action_logits(feature))
        if self.predict_scene:
            scores['scene'] = self.scene_head(feature)
        return scores

    def scene_targets(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, Optional[Tensor]]:
        """Return the scene labels; see the base class. A teacher gets the clips in its own size.

        The paper's teacher sees the video, the network crops of 112 pixels.
        """
        backbone = getattr(self.scene_teacher, 'backbone', None)
        input_size = getattr(backbone, 'input_size', clips.shape[2:])
        size = tuple(input_size[1:])
        if size != tuple(clips.shape[3:]):
            # the number of frames stays, so this is bilinear in space
            frames = clips.shape[2]
            clips = F.interpolate(clips, (frames, *size), mode='trilinear')
        return super().scene_targets(clips, targets)

    def original_loss(self, clips: Tensor, targets: ClipTargets) -> dict:
        """Return the losses of Eq. 5.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.
            targets (ClipTargets): of the clips.

        Returns:
            dict: ``loss_action``, ``loss_adversarial`` and monitors.
        """
        feature = self.feature(clips)
        action = self.action_logits(feature)
        losses = {}
        losses['loss_action'] = self.classification_loss(action, targets.action)
        losses['action_top1'] = accuracy(action, targets.action)
        if not self.adversarial:
            return losses
        hard, soft = self.scene_targets(clips, targets)
        scene = self.scene_head(self.reversal(feature))
        label = hard
        if self.scene_labels == 'soft' and soft is not None:
            label = soft.float().softmax(-1)
        losses['loss_adversarial'] = F.cross_entropy(scene, label)
        losses['adversary_top1'] = accuracy(scene, hard)
        return losses

    def confusion_loss(self, clips: Tensor, targets: ClipTargets) -> dict:
        """Return the negative entropy of Eq. 6 on clips without their humans.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.
            targets (ClipTargets): with masks of the humans.

        Returns:
            dict: ``loss_confusion`` and the monitor ``masked_entropy``, in nats.

        Raises:
            ValueError: the batch has no masks.
        """
        masks = targets.masks
        if masks is None:
            raise ValueError(
                'SceneAdversarial masks humans, but the batch has no masks: load boxes with '
                "LoadHumanBoxes in the pipeline, put dict(type='FAMEMasks') into the augments of "
                "the data preprocessor, or train without: losses=('adversarial', )")
        feature = self.feature(mask_humans(clips, masks))
        log_p = self.action_logits(feature).float().log_softmax(-1)
        entropy = -(log_p.exp() * log_p).sum(-1)
        # clips without a human do not count; a batch of such clips has the loss 0
        shown = has_human(masks).to(entropy.dtype)
        mean_entropy = (shown * entropy).sum() / shown.sum().clamp_min(1)
        return dict(
            loss_confusion=-self.confusion_weight * mean_entropy,
            masked_entropy=mean_entropy.detach())

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the losses of Eq. 5 or Eq. 6, by turns; see the base class.

        Raises:
            ValueError: the batch has no scene labels or, in a step of
                Eq. 6, no masks of humans.
        """
        clips = inputs.flatten(0, 1)
        step = self.current_step()
        if not self.confusion:
            return self.original_loss(clips, targets)
        if self.optimization == 'joint':
            losses = self.original_loss(clips, targets)
            losses.update(self.confusion_loss(clips, targets))
            return losses
        if step % 2 == 0:
            return self.original_loss(clips, targets)
        return self.confusion_loss(clips, targets)

    def current_step(self) -> int:
        """Return the number of the optimizer step that the next loss belongs to, from 0.

        While gradients are accumulated, those of the batch before are there and the weights have
        not changed since. Both equations give the action classifier a gradient.
        """
        weight = self.head.weight
        version = weight._version  # PyTorch counts the changes in place
        accumulates = weight.grad is not None and version == self.weight_version
        if not accumulates:
            self.steps += 1
        self.weight_version = version
        return self.steps - 1
