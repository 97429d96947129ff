# Tables 4 and 5, no debiasing: the baseline.
_base_ = ['./scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py']

model = dict(losses=(), scene_teacher=None)
