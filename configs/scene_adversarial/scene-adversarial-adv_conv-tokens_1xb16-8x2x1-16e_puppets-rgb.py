# Table 5, L_Adv alone.
_base_ = ['./scene-adversarial_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

model = dict(losses=('adversarial', ))
