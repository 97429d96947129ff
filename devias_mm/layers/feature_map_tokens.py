"""Any backbone that ends in a feature map as a token backbone."""
import re
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
        """As the base class; weights of ``init_cfg`` that do not fit are an error.

        MMEngine would log them and train the rest from scratch.

        Raises:
            ValueError: a weight is missing in the checkpoint or has another shape.
        """
        super().init_weights()
        if (self.init_cfg or {}).get('type') != 'Pretrained':
            return
        path = self.init_cfg['checkpoint']
        given = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        given = {re.sub(r'^module\.', '', key): tuple(value.shape)
                 for key, value in given.get('state_dict', given).items()}
        if prefix := self.init_cfg.get('prefix'):  # a recognizer's checkpoint: of its backbone
            prefix = prefix.rstrip('.') + '.'
            given = {key[len(prefix):]: shape for key, shape in given.items()
                     if key.startswith(prefix)}
        wrong = [f'{name} is {given.get(name, "missing")}, not {tuple(value.shape)}'
                 for name, value in self.named_parameters()
                 if given.get(name) != tuple(value.shape)]
        if wrong:
            raise ValueError(f'{path} does not fit {type(self.backbone).__name__}: {wrong[0]}; '
                             f'{len(wrong)} weights in all. docs/checkpoints.md says what fits')

    def _feature_map(self, x: Tensor, weights: Optional[Dict[str, Tensor]] = None) -> Tensor:
        """The chosen map ``(B, D, t, h, w)``, with other ``weights`` of the backbone if given."""
        batch = len(x)
        if self.frame_wise:
            x = x.transpose(1, 2).flatten(0, 1)
        x = self.backbone(x) if weights is None else functional_call(self.backbone, weights, x)
        if not isinstance(x, Tensor):
            x = x[-1]
        shape = tuple(getattr(x, 'shape', ()))
        if len(shape) != (4 if self.frame_wise else 5):
            raise ValueError(
                f'returns {type(x).__name__} {shape}, which is no feature map '
                + ('(B * T, D, h, w)' if self.frame_wise else
                   '(B, D, t, h, w) (for C3D use C3DFeatureMap, for images frame_wise=True)'))
        return x.unflatten(0, (batch, -1)).transpose(1, 2) if self.frame_wise else x

    @torch.no_grad()
    def _probe(self) -> Tuple[int, int, int, int]:
        """Shape ``(D, t, h, w)`` of the map, found on PyTorch's meta device, without arithmetic."""
        weights = {name: value.to('meta') for name, value in
                   [*self.backbone.named_parameters(), *self.backbone.named_buffers()]}
        training = self.backbone.training
        self.backbone.eval()  # batch norm refuses single values in training
        try:
            clip = torch.empty(1, 3, *self.input_size, device='meta')
            return tuple(self._feature_map(clip, weights).shape[1:])
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
        extra = tokens.mean(1, keepdim=True).expand(-1, self.num_extra_tokens, -1)
        return TokenFeatures(tokens, extra, self.grid)
