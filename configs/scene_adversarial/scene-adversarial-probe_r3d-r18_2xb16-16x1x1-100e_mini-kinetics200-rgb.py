# Section 4.3: the scene classifier on a backbone that is trained without debiasing.
_base_ = ['./scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py']

model = dict(losses=('adversarial', ), reversal_scale=0., predict_scene=True)
