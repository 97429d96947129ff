_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# from scratch, the released static_weight of 1 makes the adversarial term diverge (README.md)
model = dict(type='ALBAR', static_weight=0.2)
