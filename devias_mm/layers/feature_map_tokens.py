"""Any backbone that ends in a feature map as a token backbone."""

from typing import Dict, Optional, Tuple

import torch
from mmaction.models.backbones import C3D
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader
from torch import Tensor
from torch.func import functional_call

from devias_mm.layers.token_features import TokenFeatures


@MODELS.register_module()
class C3DFeatureMap(C3D):
    """MMAction2's C3D up to its last convolution, ``conv5b``.

    The fully connected layers fit one clip size only and lose the places; the map has stride
    8 in time and 16 in space (16 x 112 x 112 pixels: 512 channels, 2 x 7 x 7).

    Example::

        backbone = dict(type='FeatureMapTokens', input_size=(16, 112, 112),
                        backbone=dict(type='C3DFeatureMap'))

    Args:
        **kwargs: of ``C3D``: ``pretrained``, ``norm_cfg`` ...
    """

    LAYERS = ('conv1a', 'pool1', 'conv2a', 'pool2', 'conv3a', 'conv3b', 'pool3', 'conv4a', 'conv4b',
              'pool4', 'conv5a', 'conv5b')

    def __init__(self, **kwargs) -> None:
        super().__init__(out_dim=1, **kwargs)
        # weights that get no gradient stop a distributed training
        del self.fc6, self.fc7

    def forward(self, x: Tensor) -> Tensor:
        """Encode ``(B, 3, T, H, W)`` to ``(B, 512, T / 8, H / 16, W / 16)``."""
        for name in self.LAYERS:
            x = getattr(self, name)(x)
        return x


@MODELS.register_module()
class FeatureMapTokens(BaseModule):
    """Tokens are the cells of a backbone's feature map (DEVIAS Table 14 c, d).

    DEVIAS' slots attend to the tokens and its masks are pooled to the grid; the token
    baselines read the pooled feature, so One- and Two-Token become a multi-task network with
    two classifiers.

    The weights of a whole MMAction2 recognizer have the right names: give its checkpoint as
    ``init_cfg=dict(type='Pretrained', checkpoint=...)`` of this module.

    Example::

        backbone = dict(type='FeatureMapTokens', input_size=(16, 112, 112),
                        backbone=dict(type='C3DFeatureMap'))

    Args:
        backbone (dict): an MMAction2 backbone that returns ``(B, D, t, h, w)``,
            or several such maps, of which the last is taken: ``ResNet3d``, ``ResNet3dSlowOnly``,
            ``ResNet2Plus1d``, ``SwinTransformer3D``, ``C3DFeatureMap`` ...
        input_size (tuple): ``(T, H, W)`` of a clip.
            Defaults to ``(16, 224, 224)``.
        num_extra_tokens (int): copies of the mean token handed out as extra
            tokens. Defaults to 0.
        frame_wise (bool): the backbone takes frames, ``(B * T, 3, H, W)``, and
            returns ``(B * T, D, h, w)``: ``ResNet``. Defaults to False.
        init_cfg (dict, optional): see above.

    Raises:
        ValueError: when the backbone cannot take such clips or its output is
            no feature map.
    """

    def __init__(self,
                 backbone: dict,
                 input_size: Tuple[int, int, int] = (16, 224, 224),
                 num_extra_tokens: int = 0,
                 frame_wise: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        # Conv2plus1d is found only where MMAction2's scope is the default
        with DefaultScope.overwrite_default_scope('mmaction'):
            self.backbone = MODELS.build(backbone)
        self.input_size = tuple(input_size)
        self.num_extra_tokens = num_extra_tokens
        self.frame_wise = frame_wise
        self.embed_dims, *grid = self._probe()
        self.grid = tuple(grid)

    def init_weights(self) -> None:
        """Initialise as the base class; weights of ``init_cfg`` that do not fit are an error.

        MMEngine would log them and train the rest from scratch.

        Raises:
            ValueError: a weight is missing in the checkpoint or has another shape.
        """
        super().init_weights()
        init = self.init_cfg or {}
        if init.get('type') != 'Pretrained':
            return
        path = init['checkpoint']
        given = _checkpoint_shapes(path, init.get('prefix'))
        wrong = []
        for name, value in self.named_parameters():
            expected = tuple(value.shape)
            found = given.get(name, 'missing')
            if found != expected:
                wrong.append(f'{name} is {found}, not {expected}')
        if wrong:
            raise ValueError(f'{path} does not fit {type(self.backbone).__name__}: {wrong[0]}; '
                             f'{len(wrong)} weights in all. docs/checkpoints.md says what fits')

    def _feature_map(self, x: Tensor, weights: Optional[Dict[str, Tensor]] = None) -> Tensor:
        """Return the map ``(B, D, t, h, w)``, with other ``weights`` of the backbone if given."""
        batch = len(x)
        num_axes = 5
        wanted = '(B, D, t, h, w) (for C3D use C3DFeatureMap, for images frame_wise=True)'
        if self.frame_wise:
            x = x.transpose(1, 2).flatten(0, 1)
            num_axes = 4
            wanted = '(B * T, D, h, w)'
        if weights is None:
            x = self.backbone(x)
        else:
            x = functional_call(self.backbone, weights, x)
        if not isinstance(x, Tensor):
            x = x[-1]  # the last of several maps
        shape = tuple(getattr(x, 'shape', ()))
        if len(shape) != num_axes:
            raise ValueError(
                f'returns {type(x).__name__} {shape}, which is no feature map {wanted}')
        if self.frame_wise:
            x = x.unflatten(0, (batch, -1)).transpose(1, 2)
        return x

    @torch.no_grad()
    def _probe(self) -> Tuple[int, int, int, int]:
        """Find the shape ``(D, t, h, w)`` of the map on PyTorch's meta device, not computing it."""
        weights = dict(self.backbone.named_parameters())
        weights.update(self.backbone.named_buffers())
        weights = {name: value.to('meta') for name, value in weights.items()}
        training = self.backbone.training
        self.backbone.eval()  # batch norm refuses single values in training
        try:
            clip = torch.empty(1, 3, *self.input_size, device='meta')
            feature_map = self._feature_map(clip, weights)
            return tuple(feature_map.shape[1:])
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(f'FeatureMapTokens: {type(self.backbone).__name__} on clips of '
                             f'{self.input_size} (T, H, W): {error}') from error
        finally:
            self.backbone.train(training)

    def forward(self, x: Tensor) -> TokenFeatures:
        """Encode normalised clips.

        Args:
            x (Tensor): ``(B, 3, T, H, W)`` of ``input_size``.

        Returns:
            TokenFeatures: tokens of width ``embed_dims``, and the mean token
            ``num_extra_tokens`` times.

        Raises:
            ValueError: when the clips are of another size.
        """
        if tuple(x.shape[2:]) != self.input_size:
            raise ValueError(f'FeatureMapTokens was built for clips of {self.input_size} '
                             f'(T, H, W), got {tuple(x.shape[2:])}: change input_size of the '
                             'backbone or the crop size/clip_len of the pipeline')
        tokens = self._feature_map(x).flatten(2).transpose(1, 2)
        mean_token = tokens.mean(1, keepdim=True)
        extra = mean_token.expand(-1, self.num_extra_tokens, -1)
        return TokenFeatures(tokens, extra, self.grid)


def _checkpoint_shapes(path: str, prefix: Optional[str]) -> Dict[str, Tuple[int, ...]]:
    """Return the shapes of a checkpoint's weights by name.

    Args:
        path (str): the checkpoint.
        prefix (str, optional): keep the names that begin with it, without it: ``'backbone'`` of
            a recognizer's checkpoint.
    """
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    state = checkpoint.get('state_dict', checkpoint)
    start = ''
    if prefix:
        start = prefix.rstrip('.') + '.'
    shapes = {}
    for key, value in state.items():
        name = key.removeprefix('module.')
        if name.startswith(start):
            shapes[name.removeprefix(start)] = tuple(value.shape)
    return shapes
