"""Parts that methods share."""
from .conv_tokens import ConvTokenEncoder
from .mask_decoder import MaskDecoder
from .slot_assignment import assign_slots
from .slot_attention import SlotAttention
from .token_features import TokenFeatures, pool_masks
from .token_vit import TokenViT

__all__ = [
    'ConvTokenEncoder', 'MaskDecoder', 'SlotAttention', 'TokenFeatures', 'TokenViT',
    'assign_slots', 'pool_masks'
]
