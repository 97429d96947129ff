"""Scene teachers that look at single frames (DEVIAS supp. F.4).

A recognizer with ``task='scene'`` is a teacher without further ado. The teachers here take the
recognizer's normalised clips back to pixels, then classify frames in their own size and
normalisation. They are in `methods/`, because a teacher predicts like a recognizer and the tool
that labels videos builds it in the place of one.
"""
import math
from abc import abstractmethod
from typing import Dict, Optional, Sequence, Union

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from mmengine.model import BaseModel
from torch import Tensor

from devias_mm.datasets.class_names import scene_titles
from devias_mm.layers.hub_model import HubModel, import_transformers
from devias_mm.methods.base import class_probabilities, set_predictions
from devias_mm.weights.checkpoints import load_weights

IMAGENET = dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
# of CLIP's image encoders, 255 x (0.481, 0.458, 0.408) and so on
CLIP = dict(mean=(122.7709383, 116.7460125, 104.09373615),
            std=(68.5005327, 66.6321579, 70.32316305))


class FrameTeacher(BaseModel):
    """Base of the teachers that classify frames; frozen.

    Args:
        num_scene_classes (int): scene classes ``Ns``.
        frames (str): ``'centre'``, the frame in the middle, or ``'mean'``: the mean of the
            class probabilities of all frames. Defaults to 'centre'.
        size (int): side in pixels of the squares it sees; clips are resized to it.
        mean (sequence[float]): pixel mean in [0, 255], per channel, of its images.
        std (sequence[float]): pixel deviation in [0, 255].
        data_preprocessor (dict, optional): the one that normalised the clips;
            ``DebiasRecognizer`` passes its own.
        init_cfg (dict, optional): of MMEngine's ``BaseModule``.

    Raises:
        ValueError: for another ``frames``.
    """

    def __init__(self,
                 num_scene_classes: int,
                 frames: str = 'centre',
                 size: int = 224,
                 mean: Sequence[float] = IMAGENET['mean'],
                 std: Sequence[float] = IMAGENET['std'],
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        if frames not in ('centre', 'mean'):
            raise ValueError(f"frames must be 'centre' or 'mean', got {frames!r}")
        if not data_preprocessor:
            data_preprocessor = dict(type='DebiasDataPreprocessor')
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        self.num_scene_classes = num_scene_classes
        self.frames = frames
        self.size = size
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)

    @abstractmethod
    def image_logits(self, images: Tensor) -> Tensor:
        """Return the scores ``(N, Ns)`` of normalised images ``(N, 3, size, size)``."""

    def images(self, clips: Tensor) -> Tensor:
        """Return the teacher's images of normalised clips.

        Args:
            clips (Tensor): as the recognizer sees them, ``(B, 3, F, H, W)``.

        Returns:
            Tensor: ``(B * F, 3, size, size)``, frames of a clip in a row.
        """
        pixels = clips.float()
        preprocessor = self.data_preprocessor
        if preprocessor._enable_normalize:
            pixels = pixels * preprocessor.std + preprocessor.mean
        frames = pixels.transpose(1, 2).flatten(0, 1)
        square = (self.size, self.size)
        resized = F.interpolate(
            frames, size=square, mode='bicubic', align_corners=False, antialias=True)
        # bicubic interpolation leaves the range of pixels at sharp edges
        resized = resized.clamp(0, 255)
        return (resized - self.mean) / self.std

    @torch.no_grad()
    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the scores of the scene classes.

        Args:
            clips (Tensor): normalised, ``(B, 3, T, H, W)``.

        Returns:
            dict: ``scene`` ``(B, Ns)``, whose softmax gives the class probabilities.

        Raises:
            ValueError: the classifier has another number of classes.
        """
        if self.frames == 'centre':
            centre = clips.shape[2] // 2
            clips = clips[:, :, centre, None]
        batch = len(clips)
        frames = clips.shape[2]
        scores = self.image_logits(self.images(clips)).float()
        if scores.shape[1:] != (self.num_scene_classes, ):
            raise ValueError(f'the scene teacher returned {tuple(scores.shape)} for '
                             f'{batch * frames} frames, but num_scene_classes is '
                             f'{self.num_scene_classes}')
        if frames > 1:
            # the logarithm of the frames' mean probability
            log_p = scores.log_softmax(-1).unflatten(0, (batch, -1))
            scores = log_p.logsumexp(1) - math.log(frames)
        return dict(scene=scores)

    def forward(self,
                inputs: Tensor,
                data_samples: Optional[SampleList] = None,
                mode: str = 'tensor',
                **kwargs) -> Union[Dict[str, Tensor], SampleList]:
        """Label videos; there is nothing to train.

        Raises:
            ValueError: for ``mode='loss'``.
        """
        if mode == 'loss':
            raise ValueError(f'{type(self).__name__} is frozen, it cannot be trained')
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return self.logits(inputs.flatten(0, 1))

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the class probabilities of clips: ``scene`` ``(B, Ns)``."""
        return class_probabilities(self.logits(clips))

    def predict(self, inputs: Tensor, data_samples: SampleList) -> SampleList:
        """Predict as a recognizer does: softmax of each view, then the mean of the views."""
        probabilities = self.probabilities(inputs.flatten(0, 1))
        return set_predictions(data_samples, probabilities)


@MODELS.register_module()
class ImageSceneTeacher(FrameTeacher):
    """Use any image classifier as a scene teacher.

    Example::

        scene_teacher = dict(
            type='ImageSceneTeacher', num_scene_classes=365,
            classifier=dict(type='torchvision.models.resnet50', num_classes=365),
            init_cfg=dict(type='Pretrained', checkpoint='checkpoints/resnet50_places365.pth'))

    Args:
        classifier (dict): config of a module that maps ``(N, 3, size, size)`` to scores
            ``(N, Ns)``, or to an object with ``logits``, or to a tuple that begins with them.
            ``type`` is a name of MMAction2's registry or the full name of a class, such as
            ``'torchvision.models.resnet50'``.
        **kwargs: of :class:`FrameTeacher`. ``init_cfg=dict(type='Pretrained',
            checkpoint=...)`` names the classifier's weights, which must be complete.
    """

    def __init__(self, classifier: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.classifier = MODELS.build(classifier)
        self.classifier.requires_grad_(False).eval()

    def init_weights(self) -> None:
        """Load the classifier's weights.

        Raises:
            CheckpointError: the file is missing, or does not hold all of them.
        """
        if not self.init_cfg:
            return
        load_weights(self.classifier, self.init_cfg['checkpoint'])

    def image_logits(self, images: Tensor) -> Tensor:
        """Return the classifier's scores; see the base class."""
        output = self.classifier(images)
        scores = getattr(output, 'logits', output)
        if isinstance(scores, (tuple, list)):
            return scores[0]
        return scores


@MODELS.register_module()
class ClipSceneTeacher(FrameTeacher):
    """Take the scene whose name fits the frame best, by CLIP, zero-shot (DEVIAS supp. F.4).

    Example::

        scene_teacher = dict(type='ClipSceneTeacher', num_scene_classes=365,
                             class_names='checkpoints/categories_places365.txt')

    Needs the extra ``clip``. Model and class names are loaded at first use, and the
    features of the names are computed then, once.

    Args:
        class_names (str | sequence[str]): the names, or a file for
            :func:`~devias_mm.datasets.class_names.scene_titles`.
        checkpoint (str): folder of a saved ``CLIPModel`` with its tokenizer, or a name on
            the hub. Defaults to ``'openai/clip-vit-base-patch16'``.
        prompt (str): with ``{}`` for the name. Defaults to ``'a photo of a {}.'``.
        size (int): side of the images that the model takes. Defaults to 224.
        **kwargs: of :class:`FrameTeacher`.

    Raises:
        ValueError: a prompt without ``{}``.
    """

    def __init__(self,
                 class_names: Union[str, Sequence[str]],
                 checkpoint: str = 'openai/clip-vit-base-patch16',
                 prompt: str = 'a photo of a {}.',
                 **kwargs) -> None:
        if '{}' not in prompt:
            raise ValueError(f'prompt must contain {{}} for the class name, got {prompt!r}')
        super().__init__(**{**CLIP, **kwargs})
        self.class_names = class_names
        self.prompt = prompt
        self.network = HubModel('CLIPModel', checkpoint, 'clip')
        self._class_features: Optional[Tensor] = None

    def class_features(self, device: torch.device) -> Tensor:
        """Return the features of the prompts, ``(Ns, D)``, of length 1."""
        if self._class_features is None:
            self._class_features = self._encode_class_names(device)
        return self._class_features.to(device)

    def _encode_class_names(self, device: torch.device) -> Tensor:
        """Compute the features of the prompts."""
        names = self.class_names
        if isinstance(names, str):
            names = scene_titles(names)
        prompts = [self.prompt.format(name) for name in names]
        network = self.network(device)
        transformers = import_transformers('clip')
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.network.checkpoint)
        tokens = tokenizer(prompts, padding=True, truncation=True, return_tensors='pt')
        tokens = tokens.to(device)
        output = network.get_text_features(
            input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        features = _pooled(output).float()
        return F.normalize(features, dim=-1)

    def image_logits(self, images: Tensor) -> Tensor:
        """Return the cosines of image and class features, times CLIP's scale."""
        network = self.network(images.device)
        output = network.get_image_features(images)
        features = F.normalize(_pooled(output).float(), dim=-1)
        class_features = self.class_features(images.device)
        return network.logit_scale.exp() * features @ class_features.T

    @torch.no_grad()
    def weights(self) -> Dict[str, Tensor]:
        """Return the weights that the labels depend on: image encoder and class features."""
        device = self.mean.device
        weights = {}
        for name, value in self.network(device).state_dict().items():
            # the class features replace the text encoder
            if not name.startswith('text_'):
                weights[name] = value
        weights['class_features'] = self.class_features(device)
        return weights


def _pooled(output) -> Tensor:
    """Return projected features; transformers 5 has them in an object, earlier ones alone."""
    if isinstance(output, Tensor):
        return output
    return output.pooler_output
