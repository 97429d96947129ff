"""What every method shares: token backbone, scene teacher, multi-view prediction."""
from abc import abstractmethod
from typing import Dict, Optional, Tuple

import torch
from mmaction.models.recognizers import BaseRecognizer
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from devias_mm.layers import TokenFeatures
from devias_mm.structures import ClipTargets


class DebiasRecognizer(BaseRecognizer):
    """Base of the scene-debiasing recognizers.

    A method implements :meth:`logits` and :meth:`loss`, and may override
    :meth:`probabilities`. Training and testing loops are MMEngine's.

    Args:
        backbone (dict): a token backbone, that is a module which returns
            :class:`~devias_mm.layers.TokenFeatures` and has ``embed_dims``.
        num_classes (int): action classes ``Na``.
        num_scene_classes (int): scene classes ``Ns``; 0 where the method
            does not use scenes. Defaults to 0.
        scene_teacher (dict, optional): a recognizer that predicts scenes. Kept
            frozen and in evaluation mode; its prediction on the *augmented*
            clip is the pseudo scene label (DEVIAS supp. A). ``None``: the
            labels of the dataset are used.
        dropout (float): in front of the classifier, in [0, 1).
            Defaults to 0.
        data_preprocessor (dict, optional): usually ``DebiasDataPreprocessor``.
        init_cfg (dict, optional): of MMEngine's ``BaseModule``.
    """

    def __init__(self,
                 backbone: dict,
                 num_classes: int,
                 num_scene_classes: int = 0,
                 scene_teacher: Optional[dict] = None,
                 dropout: float = 0.,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        # built here, by MMAction2's registry, whatever the default scope is
        super().__init__(backbone=backbone, data_preprocessor=MODELS.build(
            data_preprocessor or dict(type='DebiasDataPreprocessor')))
        self.init_cfg = init_cfg
        self.num_classes = num_classes
        self.num_scene_classes = num_scene_classes
        self.embed_dims = self.backbone.embed_dims
        self.dropout = nn.Dropout(dropout)
        self.scene_teacher = None
        if scene_teacher is not None:
            self.scene_teacher = MODELS.build(scene_teacher).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> 'DebiasRecognizer':
        """Set the mode of everything but the teacher, which stays in evaluation."""
        super().train(mode)
        if self.scene_teacher is not None:
            self.scene_teacher.eval()
        return self

    def extract_feat(self, inputs: Tensor, **kwargs) -> TokenFeatures:
        """Encode clips.

        Args:
            inputs (Tensor): normalised clips, ``(B, C, T, H, W)``.

        Returns:
            TokenFeatures: of the backbone.
        """
        return self.backbone(inputs)

    @abstractmethod
    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Class scores before the softmax.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            dict: ``action`` ``(B, Na)`` and / or ``scene`` ``(B, Ns)``.
        """

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Losses of a batch.

        Args:
            inputs (Tensor): normalised clips, ``(B, V, C, T, H, W)``.
            data_samples (list): not used; labels are in ``targets``.
            targets (ClipTargets): of the ``B * V`` clips.

        Returns:
            dict: keys with ``loss`` are summed by MMEngine, others logged.
        """

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Class probabilities, keys and shapes as :meth:`logits`."""
        # float: under autocast a softmax in half precision ties classes
        return {name: scores.float().softmax(-1) for name, scores in self.logits(clips).items()}

    def scene_targets(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, Optional[Tensor]]:
        """Scene labels of a batch, from the teacher or the dataset.

        Args:
            clips (Tensor): augmented, normalised, ``(B, C, T, H, W)``.
            targets (ClipTargets): of the clips.

        Returns:
            tuple: hard labels, int64 ``(B,)``, and what they are the argmax
            of, ``(B, Ns)``: the teacher's logits, or the log of the
            dataset's soft labels; ``None`` where the dataset's are hard.

        Raises:
            ValueError: when neither gives a label.
        """
        if self.scene_teacher is not None:
            with torch.no_grad():
                soft = self.scene_teacher.logits(clips)['scene']
            return soft.argmax(-1), soft
        if targets.scene is None:
            raise ValueError(
                f'{type(self).__name__} learns scenes, but the training list has no scene labels '
                'and no scene_teacher is configured: add a scene column to the list file or '
                'set model.scene_teacher')
        if targets.scene.dim() == 1:
            return targets.scene, None
        return targets.scene.argmax(-1), targets.scene.clamp_min(1e-12).log()

    def predict(self, inputs: Tensor, data_samples: SampleList, **kwargs) -> SampleList:
        """Predict, averaging the probabilities of the views of a video.

        Args:
            inputs (Tensor): normalised clips, ``(B, V, C, T, H, W)``.
            data_samples (list): get ``pred_score`` ``(Na,)`` and / or
                ``pred_scene_score`` ``(Ns,)``, on the CPU.

        Returns:
            list: the data samples.
        """
        batch, views = inputs.shape[:2]
        for name, probability in self.probabilities(inputs.flatten(0, 1)).items():
            scores = probability.unflatten(0, (batch, views)).mean(1).float().cpu()
            for sample, score in zip(data_samples, scores):
                if name == 'action':
                    sample.set_pred_score(score)
                    sample.set_pred_label(score.argmax(-1, keepdim=True))
                else:
                    sample.set_field(score, 'pred_scene_score')
        return data_samples

    def _forward(self, inputs: Tensor, **kwargs) -> Dict[str, Tensor]:
        """Logits of ``(B, V, C, T, H, W)`` clips, for ``mode='tensor'``."""
        return self.logits(inputs.flatten(0, 1))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of correct predictions of a batch in percent, a 0-dim tensor.

    A monitor: it stays on the device, and its keys hold no ``loss``.
    """
    return 100 * (logits.argmax(-1) == labels).float().mean()
