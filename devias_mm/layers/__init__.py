"""Parts that methods share."""
from devias_mm import compat

compat.apply()

from devias_mm.layers.conv_tokens import ConvTokenEncoder
from devias_mm.layers.feature_map_tokens import C3DFeatureMap, FeatureMapTokens
from devias_mm.layers.gradient_reversal import GradientReversal
from devias_mm.layers.initialisation import init_head, init_linears
from devias_mm.layers.mask_decoder import MaskDecoder
from devias_mm.layers.slot_assignment import assign_slots
from devias_mm.layers.slot_attention import SlotAttention
from devias_mm.layers.token_attention import attention_input, extra_token_attention
from devias_mm.layers.token_features import TokenFeatures, pool_masks
from devias_mm.layers.token_vit import TokenViT

__all__ = [
    'C3DFeatureMap', 'ConvTokenEncoder', 'FeatureMapTokens', 'GradientReversal', 'MaskDecoder',
    'SlotAttention', 'TokenFeatures', 'TokenViT', 'assign_slots', 'attention_input',
    'extra_token_attention', 'init_head', 'init_linears', 'pool_masks'
]
