"""Single-task baselines: one encoder, one label, no debiasing (DEVIAS supp. C.1)."""
from typing import Dict

import torch.nn as nn
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.methods.base import DebiasRecognizer, accuracy
from devias_mm.structures import ClipTargets


@MODELS.register_module()
class NaiveRecognizer(DebiasRecognizer):
    """Classify mean-pooled tokens linearly: Naive Action or Naive Scene.

    With ``augments`` in its data preprocessor it is also "FAME" and "BE" of
    the tables, and frozen it is the scene teacher of the others.

    Example::

        model = dict(type='NaiveRecognizer', backbone=dict(type='TokenViT', final_norm=False),
                     pool_norm=True, num_classes=101)

    Args:
        task (str): ``'action'`` or ``'scene'``. Defaults to 'action'.
        pool_norm (bool): LayerNorm after mean pooling, as in VideoMAE's
            fine-tuning; use with ``final_norm=False`` of the backbone.
            Defaults to False.
        label_smoothing (float): of the cross entropy, in [0, 1) (the scene
            model of DEVIAS Table 15: 0.1). Defaults to 0.
        soft_scenes (bool): train on the dataset's scene probabilities, as
            they are after mixing, and not on their most probable class, which
            is the paper's pseudo label. Defaults to False.
        **kwargs: of :class:`DebiasRecognizer`.

    Raises:
        ValueError: an unknown task or one without classes, a smoothing outside its range, or
            options of scenes where only actions are learnt.
    """

    #: whether a training on actions reads scene labels as well
    action_needs_scenes = False

    def __init__(self,
                 *args,
                 task: str = 'action',
                 pool_norm: bool = False,
                 label_smoothing: float = 0.0,
                 soft_scenes: bool = False,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        counts = dict(action='num_classes', scene='num_scene_classes')
        if task not in counts:
            raise ValueError(f"task must be 'action' or 'scene', got {task!r}")
        classes = getattr(self, counts[task])
        if classes < 1:
            raise ValueError(f'task {task!r} needs at least one class: set {counts[task]}')
        if not 0 <= label_smoothing < 1:
            raise ValueError(f'label_smoothing must lie in [0, 1), got {label_smoothing}')
        if task == 'action' and soft_scenes:
            raise ValueError("soft_scenes trains on scene probabilities, which task='scene' does")
        reads_scenes = task == 'scene' or self.action_needs_scenes
        if self.scene_teacher is not None and not reads_scenes:
            raise ValueError(f"{type(self).__name__} with task='action' learns no scenes: set "
                             'scene_teacher=None')
        self.task = task
        self.label_smoothing = label_smoothing
        self.soft_scenes = soft_scenes
        self.fc_norm = nn.Identity()
        if pool_norm:
            self.fc_norm = nn.LayerNorm(self.embed_dims, eps=1e-6)
        self.head = self.build_head(classes)

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the scores of the task's classes; see the base class."""
        feature = self.features(clips)[self.task]
        scores = self.head(self.dropout(feature))
        return {self.task: scores}

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the pooled feature; see the base class."""
        pooled = self.extract_feat(clips).tokens.mean(1)
        return {self.task: self.fc_norm(pooled)}

    def classification_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross entropy with classes ``(B,)`` or probabilities ``(B, N)``."""
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)

    def labels(self, clips: Tensor, targets: ClipTargets) -> Tensor:
        """Return the labels of the task, int64 ``(B,)`` or float ``(B, N)``."""
        if self.task == 'action':
            return targets.action
        hard, soft = self.scene_targets(clips, targets)
        if self.soft_scenes and soft is not None:
            return soft.softmax(-1)
        return hard

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the cross entropy with the task's label; see the base class."""
        clips = inputs.flatten(0, 1)
        labels = self.labels(clips, targets)
        logits = self.logits(clips)[self.task]
        result = {}
        result[f'loss_{self.task}'] = self.classification_loss(logits, labels)
        result[f'{self.task}_top1'] = accuracy(logits, labels)
        return result
