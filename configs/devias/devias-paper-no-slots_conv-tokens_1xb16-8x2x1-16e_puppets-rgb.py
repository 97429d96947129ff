_base_ = ['./devias-paper_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# DEVIAS Table 6 (a): two encoder tokens instead of the slots
model = dict(
    disentangling='tokens', slot_attention=None, backbone=dict(num_extra_tokens=2))
