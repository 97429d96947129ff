# Table 4, "Soft label" = Table 5, L_Adv alone.
_base_ = ['./scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py']

model = dict(losses=('adversarial', ))
