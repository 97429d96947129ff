"""A trained recognizer as the encoder of another task: fine-tuning and linear probes."""
import copy
from typing import Dict, List, Sequence, Set

import torch
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from torch import Tensor, nn

from devias_mm.layers import init_linears
from devias_mm.methods.base import DebiasRecognizer
from devias_mm.methods.naive import NaiveRecognizer
from devias_mm.weights.checkpoints import check_weights
from devias_mm.weights.layer_decay import LayerDecayOptimWrapperConstructor


@MODELS.register_module()
class FeatureClassifier(NaiveRecognizer):
    r"""Classify the features of a recognizer that was trained before.

    Example::

        load_from = 'work_dirs/<training of DEVIAS>/epoch_100.pth'
        model = dict(type='FeatureClassifier', num_classes=48, fusion='concat', encoder=dict(
            type='DEVIAS', backbone=backbone, num_classes=400, num_scene_classes=365))

    .. math:: L = CE(W [W_a f_{action}; W_s f_{scene}] + b, y)

    DEVIAS supp. F.3: action and scene token are projected to half the width each,
    concatenated and classified ("concat."), or the tokens of the last block are averaged
    over time and space ("GAP"). Everything is fine-tuned, or, with ``frozen``, a linear
    classifier on top alone (supp. F.2).

    ``load_from`` of the config takes the checkpoint of the encoder's own training: its
    weights become those of the encoder, and one that is missing is an error. Parts of the
    encoder that the features do not depend on (its classifiers, a mask decoder) stay as
    they are; DEVIAS goes on choosing its slots with its classifier.

    Args:
        encoder (dict): the config of a :class:`~.DebiasRecognizer` that has ``features``. Its
            scene teacher and data preprocessor are not built.
        inputs (sequence[str]): the encoder's features to classify, in this order:
            ``'action'``, ``'scene'``. Defaults to both.
        fusion (str): ``'concat'`` or ``'gap'``, which does not use ``inputs``.
            Defaults to 'concat'.
        frozen (bool): the encoder does not learn and stays in evaluation mode.
            Defaults to False.
        keep_predictions (bool): predict as well what the frozen encoder predicts, so
            that one test scores both tasks of DEVIAS Tables 9 and 10; it encodes
            the clips twice. Defaults to False.
        **kwargs: of :class:`~.NaiveRecognizer`: ``task``, the one that is learnt,
            ``num_classes``, ``num_scene_classes``, ``scene_teacher``, ``dropout`` ...

    Raises:
        ValueError: an unknown value, features that the encoder does not have, or
            ``keep_predictions`` of an encoder that changes.
    """

    def __init__(self,
                 encoder: dict,
                 inputs: Sequence[str] = ('action', 'scene'),
                 fusion: str = 'concat',
                 frozen: bool = False,
                 keep_predictions: bool = False,
                 **kwargs) -> None:
        encoder = dict(encoder, scene_teacher=None, data_preprocessor=None)
        super().__init__(backbone=encoder, **kwargs)
        if fusion not in ('concat', 'gap'):
            raise ValueError(f"fusion must be 'concat' or 'gap', got {fusion!r}")
        if keep_predictions and not frozen:
            raise ValueError('keep_predictions needs frozen=True: a fine-tuned encoder does not '
                             'go with its old classifiers')
        count = 1
        if fusion == 'concat':
            count = len(inputs)
        if not count or self.embed_dims % count:
            raise ValueError(f'inputs={tuple(inputs)} do not share the width {self.embed_dims} '
                             'of the features evenly')
        self.inputs = tuple(inputs)
        self.fusion = fusion
        self.frozen = frozen
        self.keep_predictions = keep_predictions
        self.projections = _build_projections(self.embed_dims, count)
        self.register_load_state_dict_pre_hook(_adopt_encoder)
        used = _used_parameters(self.backbone, self.inputs, fusion)
        for name, parameter in self.backbone.named_parameters():
            parameter.requires_grad_(not frozen and name in used)

    def train(self, mode: bool = True) -> 'FeatureClassifier':
        """Set the mode; a frozen encoder stays in evaluation."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return what the new classifier reads, ``(B, D)``; see the base class."""
        parts = _encode(self.backbone, clips, self.inputs, self.fusion)
        projected = [project(part) for project, part in zip(self.projections, parts)]
        feature = torch.cat(projected, dim=-1)
        return {self.task: self.fc_norm(feature)}

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return those of the new classifier and, with ``keep_predictions``, the encoder's own."""
        probabilities = {}
        if self.keep_predictions:
            probabilities.update(self.backbone.probabilities(clips))
        probabilities.update(super().probabilities(clips))
        return probabilities

    def adopt(self, state: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """Rename the weights of the encoder's own training; return those of this model as they are.

        Args:
            state (dict): of a checkpoint.

        Raises:
            CheckpointError: weights of the encoder are missing.
        """
        first = next(iter(self.backbone.state_dict()))
        if f'backbone.{first}' in state:
            return state  # a checkpoint of this model
        check_weights(self.backbone, dict(state_dict=state), 'of the encoder (load_from)')
        return {f'backbone.{key}': value for key, value in state.items()}


def _adopt_encoder(model: FeatureClassifier, state: dict, prefix: str, *args) -> None:
    """Rename what is loaded, in place, where it is a checkpoint of the encoder's own training."""
    if prefix:
        return
    renamed = model.adopt(dict(state))
    state.clear()
    state.update(renamed)


def _build_projections(width: int, count: int) -> nn.ModuleList:
    """Return the projections of ``count`` features, which share the width."""
    if count == 1:
        return nn.ModuleList([nn.Identity()])
    projections = nn.ModuleList()
    for _ in range(count):
        projections.append(nn.Linear(width, width // count))
    return init_linears(projections)


def _encode(encoder: DebiasRecognizer,
            clips: Tensor,
            inputs: Sequence[str],
            fusion: str) -> List[Tensor]:
    """Return the features to project and concatenate, ``(B, D)`` each."""
    if fusion == 'gap':
        return [encoder.extract_feat(clips).tokens.mean(1)]
    found = encoder.features(clips)
    missing = [name for name in inputs if name not in found]
    if missing:
        available = ', '.join(map(repr, found))
        raise ValueError(f'{type(encoder).__name__} has no feature {missing[0]!r}, but '
                         f'{available}: change inputs')
    return [found[name] for name in inputs]


def _used_parameters(encoder: DebiasRecognizer, *args) -> Set[str]:
    """Return the names of the encoder's parameters that the result of :func:`_encode` depends on.

    The others would get no gradient, which distributed training takes for an error. A copy
    without storage tells: nothing is computed.
    """
    encoder = copy.deepcopy(encoder).to('meta').eval()
    names, parameters = zip(*encoder.named_parameters())
    clip = torch.empty(1, 3, *encoder.backbone.input_size, device='meta')
    with torch.enable_grad():
        features = torch.cat(_encode(encoder, clip, *args))
        gradients = torch.autograd.grad(features.sum(), parameters, allow_unused=True)
    used = set()
    for name, gradient in zip(names, gradients):
        if gradient is not None:
            used.add(name)
    return used


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class FeatureClassifierOptimWrapperConstructor(LayerDecayOptimWrapperConstructor):
    """Layer-wise decay within the encoder of a :class:`FeatureClassifier`.

    The new classifier gets the whole learning rate. A frozen encoder is left out, and need not
    have ``blocks``. ``paramwise_cfg``: see the base class; prefixes of ``lr_mult`` are those of
    the encoder's own parameters.
    """

    def add_params(self, params: List[dict], module: nn.Module, **kwargs) -> None:
        """Add the groups of the encoder and those of the classifier to ``params``."""
        if not module.frozen:
            super().add_params(params, module.backbone)
        matrices = []
        vectors = []
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad or name.startswith('backbone.'):
                continue
            if parameter.dim() > 1:
                matrices.append(parameter)
            else:
                vectors.append(parameter)
        # biases and norms do not decay
        params.append(dict(params=matrices, lr=self.base_lr, weight_decay=self.base_wd))
        params.append(dict(params=vectors, lr=self.base_lr, weight_decay=0.0))
