# The released setting; the encoder starts from Kinetics-400.
_base_ = ['../naive/naive-action_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py']

model = dict(type='ALBAR')
