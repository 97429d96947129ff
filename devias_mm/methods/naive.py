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

    def __init__(self, *args, task: str = 'action', pool_norm: bool = False,
                 label_smoothing: float = 0., soft_scenes: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if task not in ('action', 'scene'):
            raise ValueError(f"task must be 'action' or 'scene', got {task!r}")
        classes = self.num_classes if task == 'action' else self.num_scene_classes
        if classes < 1:
            raise ValueError(f'task {task!r} needs at least one class: set '
                             f'{"num_classes" if task == "action" else "num_scene_classes"}')
        if not 0 <= label_smoothing < 1:
            raise ValueError(f'label_smoothing must lie in [0, 1), got {label_smoothing}')
        if task == 'action' and soft_scenes:
            raise ValueError("soft_scenes trains on scene probabilities, which task='scene' does")
        if task == 'action' and self.scene_teacher is not None and not self.action_needs_scenes:
            raise ValueError(f"{type(self).__name__} with task='action' learns no scenes: set "
                             'scene_teacher=None')
        self.task = task
        self.label_smoothing = label_smoothing
        self.soft_scenes = soft_scenes
        self.fc_norm = nn.LayerNorm(self.embed_dims, eps=1e-6) if pool_norm else nn.Identity()
        self.head = self.build_head(classes)

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the scores of the task's classes; see the base class."""
        return {self.task: self.head(self.dropout(self.features(clips)[self.task]))}

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the pooled feature; see the base class."""
        return {self.task: self.fc_norm(self.extract_feat(clips).tokens.mean(1))}

    def classification_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy with classes ``(B,)`` or probabilities ``(B, N)``."""
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)

    def labels(self, clips: Tensor, targets: ClipTargets) -> Tensor:
        """Return the labels of the task, int64 ``(B,)`` or float ``(B, N)``."""
        if self.task == 'action':
            return targets.action
        hard, soft = self.scene_targets(clips, targets)
        return hard if soft is None or not self.soft_scenes else soft.softmax(-1)

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Cross entropy with the task's label; see the base class."""
        clips = inputs.flatten(0, 1)
        labels = self.labels(clips, targets)
        logits = self.logits(clips)[self.task]
        return {f'loss_{self.task}': self.classification_loss(logits, labels),
                f'{self.task}_top1': accuracy(logits, labels)}
