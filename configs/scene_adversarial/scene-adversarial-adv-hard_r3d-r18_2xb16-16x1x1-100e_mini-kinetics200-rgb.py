# Table 4, "Hard label".
_base_ = ['./scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py']

model = dict(losses=('adversarial', ), scene_labels='hard')
