"""Parts that methods share."""
from .conv_tokens import ConvTokenEncoder
from .feature_map_tokens import C3DFeatureMap, FeatureMapTokens
from .gradient_reversal import GradientReversal
from .mask_decoder import MaskDecoder
from .slot_assignment import assign_slots
from .slot_attention import SlotAttention
from .token_attention import attention_input, extra_token_attention
from .token_features import TokenFeatures, pool_masks
from .token_vit import TokenViT

__all__ = [
    'C3DFeatureMap', 'ConvTokenEncoder', 'FeatureMapTokens', 'GradientReversal', 'MaskDecoder',
    'SlotAttention', 'TokenFeatures', 'TokenViT', 'assign_slots', 'attention_input',
    'extra_token_attention', 'pool_masks'
]
