"""Single-task baselines: one encoder, one label, no debiasing (DEVIAS supp. C.1)."""
from typing import Dict

import torch.nn as nn
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.structures import ClipTargets

from .base import DebiasRecognizer, accuracy


@MODELS.register_module()
class NaiveRecognizer(DebiasRecognizer):
    """Naive Action or Naive Scene: mean-pooled tokens and a linear classifier.

    With ``augments`` in its data preprocessor it is also "FAME" and "BE" of
    the tables, and frozen it is the scene teacher of the others.

    Args:
        task (str): ``'action'`` or ``'scene'``. Defaults to 'action'.
        pool_norm (bool): LayerNorm after mean pooling, as in VideoMAE's
            fine-tuning; use with ``final_norm=False`` of the backbone.
            Defaults to False.
        **kwargs: of :class:`DebiasRecognizer`.
    """

    def __init__(self, *args, task: str = 'action', pool_norm: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if task not in ('action', 'scene'):
            raise ValueError(f"task must be 'action' or 'scene', got {task!r}")
        classes = self.num_classes if task == 'action' else self.num_scene_classes
        if classes < 1:
            raise ValueError(f'task {task!r} needs at least one class: set '
                             f'{"num_classes" if task == "action" else "num_scene_classes"}')
        self.task = task
        self.fc_norm = nn.LayerNorm(self.embed_dims, eps=1e-6) if pool_norm else nn.Identity()
        self.head = nn.Linear(self.embed_dims, classes)
        nn.init.trunc_normal_(self.head.weight, std=.02)
        nn.init.zeros_(self.head.bias)

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Scores of the task's classes; see the base class."""
        feature = self.fc_norm(self.extract_feat(clips).tokens.mean(1))
        return {self.task: self.head(self.dropout(feature))}

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Cross entropy with the task's label; see the base class."""
        clips = inputs.flatten(0, 1)
        label = targets.action if self.task == 'action' else self.scene_targets(clips, targets)[0]
        logits = self.logits(clips)[self.task]
        return {f'loss_{self.task}': F.cross_entropy(logits, label),
                f'{self.task}_top1': accuracy(logits, label)}
