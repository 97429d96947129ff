_base_ = ['./devias-paper_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# DEVIAS Table 6 (b): without the action mask decoder, its attention guidance included
model = dict(mask_weight=0., guidance_weight=0.)
