_base_ = ['./one-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# DEVIAS Fig. 4 (d)
model = dict(unified_head=True)
