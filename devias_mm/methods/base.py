"""What every method shares: token backbone, scene teacher, multi-view prediction."""
from abc import abstractmethod
from typing import Dict, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from mmaction.models.recognizers import BaseRecognizer
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmaction.utils import SampleList
from torch import Tensor, nn

from devias_mm.layers import TokenFeatures, init_head
from devias_mm.structures import ClipTargets
from devias_mm.weights.checkpoints import check_weights, load_checkpoint_file


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
        dropout (float): before the classifier, in [0, 1).
            Defaults to 0.
        init_scale (float): factor of the classifier's initial weights, see
            :func:`~devias_mm.layers.init_head`. ``None``: PyTorch's own, for an encoder that is
            trained from scratch. Defaults to 0.001, as published for fine-tuning.
        data_preprocessor (dict, optional): usually ``DebiasDataPreprocessor``.
        init_cfg (dict, optional): of MMEngine's ``BaseModule``.
    """

    def __init__(self,
                 backbone: dict,
                 num_classes: int,
                 num_scene_classes: int = 0,
                 scene_teacher: Optional[dict] = None,
                 dropout: float = 0.0,
                 init_scale: Optional[float] = 0.001,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        if not data_preprocessor:
            data_preprocessor = dict(type='DebiasDataPreprocessor')
        # built here, by MMAction2's registry, whatever the default scope is
        preprocessor = MODELS.build(data_preprocessor)
        super().__init__(backbone=backbone, data_preprocessor=preprocessor)
        self.init_cfg = init_cfg
        self.num_classes = num_classes
        self.num_scene_classes = num_scene_classes
        self.embed_dims = self.backbone.embed_dims
        self.dropout = nn.Dropout(dropout)
        self.init_scale = init_scale
        self.scene_teacher = None
        if scene_teacher is not None:
            self.scene_teacher = _build_teacher(scene_teacher, data_preprocessor)
            if _pretrained_file(self.scene_teacher) is not None:
                # its weights have a file of their own, and need no copy in each checkpoint
                self.register_state_dict_post_hook(_leave_teacher_out)
                self.register_load_state_dict_post_hook(_miss_no_teacher)

    def build_head(self, num_outputs: int) -> nn.Linear:
        """Return a new classifier of features ``(B, D)`` with its initial weights.

        Args:
            num_outputs (int): classes.
        """
        head = nn.Linear(self.embed_dims, num_outputs)
        if self.init_scale is None:
            return head
        return init_head(head, self.init_scale)

    def init_weights(self) -> None:
        """Initialise; a teacher must find all its weights in its file.

        Raises:
            CheckpointError: it does not. MMEngine would log that and go on.
        """
        super().init_weights()
        if not isinstance(self.scene_teacher, DebiasRecognizer):
            return  # other teachers check their weights themselves
        path = _pretrained_file(self.scene_teacher)
        if path is not None:
            check_weights(self.scene_teacher, load_checkpoint_file(path), path)

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

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the representations of action and scene, which the classifiers read.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            dict: ``action`` ``(B, D)`` and / or ``scene`` ``(B, D)``.

        Raises:
            NotImplementedError: the method does not say what they are.
        """
        raise NotImplementedError(f'{type(self).__name__} defines no `features`')

    @abstractmethod
    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the class scores before the softmax.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            dict: ``action`` ``(B, Na)`` and / or ``scene`` ``(B, Ns)``.
        """

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the losses of a batch.

        Args:
            inputs (Tensor): normalised clips, ``(B, V, C, T, H, W)``.
            data_samples (list): not used; labels are in ``targets``.
            targets (ClipTargets): of the ``B * V`` clips.

        Returns:
            dict: keys with ``loss`` are summed by MMEngine, others logged.
        """

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the class probabilities of each clip, keys and shapes as :meth:`logits`.

        :meth:`predict` averages these over the views of a video. A method that normalises the
        classes of a view in another way overrides this.
        """
        return class_probabilities(self.logits(clips))

    def scene_targets(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, Optional[Tensor]]:
        """Return the scene labels of a batch, from the teacher or the dataset.

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
        log_probabilities = targets.scene.clamp_min(1e-12).log()
        return targets.scene.argmax(-1), log_probabilities

    def predict(self, inputs: Tensor, data_samples: SampleList, **kwargs) -> SampleList:
        """Predict, averaging the probabilities of the views of a video.

        Args:
            inputs (Tensor): normalised clips, ``(B, V, C, T, H, W)``.
            data_samples (list): get ``pred_score`` ``(Na,)`` and / or
                ``pred_scene_score`` ``(Ns,)``, on the CPU; what else a method's
                :meth:`probabilities` holds becomes a field of that name.

        Returns:
            list: the data samples.
        """
        probabilities = self.probabilities(inputs.flatten(0, 1))
        return set_predictions(data_samples, probabilities)

    def _forward(self, inputs: Tensor, **kwargs) -> Dict[str, Tensor]:
        """Return the logits of ``(B, V, C, T, H, W)`` clips, for ``mode='tensor'``."""
        return self.logits(inputs.flatten(0, 1))


def class_probabilities(logits: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Return the softmax of each entry, in full precision.

    Args:
        logits (dict): of each task, ``(B, N)``.

    Returns:
        dict: keys and shapes as ``logits``.
    """
    probabilities = {}
    for name, scores in logits.items():
        # under autocast a softmax in half precision ties classes
        probabilities[name] = scores.float().softmax(-1)
    return probabilities


def set_predictions(data_samples: SampleList, probabilities: Dict[str, Tensor]) -> SampleList:
    """Average the probabilities of each video's views and put them into its data sample.

    Args:
        data_samples (list): of ``B`` videos; see :meth:`DebiasRecognizer.predict`.
        probabilities (dict): of the ``B * V`` views, those of a video in a row, ``(B * V, N)``.

    Returns:
        list: the data samples.
    """
    for name, probability in probabilities.items():
        of_views = probability.unflatten(0, (len(data_samples), -1))
        scores = of_views.mean(1).float().cpu()
        for sample, score in zip(data_samples, scores):
            _set_prediction(sample, name, score)
    return data_samples


def _set_prediction(sample: ActionDataSample, name: str, score: Tensor) -> None:
    """Put the scores ``(N,)`` of one task of a video into its data sample."""
    if name == 'action':
        sample.set_pred_score(score)
        sample.set_pred_label(score.argmax(-1, keepdim=True))
    elif name == 'scene':
        sample.set_field(score, 'pred_scene_score')
    else:
        sample.set_field(score, name)


def check_choice(name: str, value: str, known: Tuple[str, ...]) -> None:
    """Check an option of a method.

    Raises:
        ValueError: ``value`` is not one of ``known``.
    """
    if value not in known:
        raise ValueError(f'{name} must be one of {known}, got {value!r}')


def hard_labels(labels: Tensor) -> Tensor:
    """Return the classes of labels, which mixing may have turned into probabilities.

    Args:
        labels (Tensor): int64 ``(B,)`` or float ``(B, N)``.

    Returns:
        Tensor: the most probable class, int64 ``(B,)``.
    """
    if labels.is_floating_point():
        return labels.argmax(-1)
    return labels


def pad_labels(labels: Tensor, num_outputs: int) -> Tensor:
    """Return labels for a classifier that has further classes after those of the labels.

    Args:
        labels (Tensor): int64 ``(B,)``, which stay, or float ``(B, N)``.
        num_outputs (int): outputs of the classifier, ``Na + Ns`` of a unified one.

    Returns:
        Tensor: int64 ``(B,)`` or float ``(B, num_outputs)``.
    """
    if not labels.is_floating_point():
        return labels
    further = num_outputs - labels.shape[1]
    return F.pad(labels, (0, further))


def _build_teacher(teacher: dict, data_preprocessor: dict) -> nn.Module:
    """Build a frozen scene teacher.

    Args:
        teacher (dict): its config.
        data_preprocessor (dict): of the recognizer, whose clips the teacher gets: it may have to
            know how they were normalised.
    """
    preprocessor = dict(data_preprocessor)
    preprocessor.pop('augments', None)
    model = MODELS.build({'data_preprocessor': preprocessor, **teacher})
    return model.requires_grad_(False).eval()


def _pretrained_file(model: nn.Module) -> Optional[str]:
    """Return the checkpoint that ``init_cfg`` of a model names, if it does."""
    init = model.init_cfg or {}
    if init.get('type') != 'Pretrained':
        return None
    return init['checkpoint']


def _leave_teacher_out(model: nn.Module, state: dict, prefix: str, *args) -> None:
    """Take the teacher's weights out of a state dict."""
    for key in list(state):
        if key.startswith(prefix + 'scene_teacher.'):
            del state[key]


def _miss_no_teacher(model: nn.Module, keys: NamedTuple) -> None:
    """Do not report the teacher's weights, which :func:`_leave_teacher_out` took out."""
    keys.missing_keys[:] = [key for key in keys.missing_keys if 'scene_teacher.' not in key]


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of correct predictions of a batch in percent, a 0-dim tensor.

    A monitor: it stays on the device, and its keys hold no ``loss``. Mixed
    labels ``(B, N)`` count as their most probable class.
    """
    correct = logits.argmax(-1) == hard_labels(labels)
    return 100 * correct.float().mean()
