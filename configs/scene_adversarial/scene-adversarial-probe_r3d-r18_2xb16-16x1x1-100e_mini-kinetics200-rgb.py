# Section 4.3: the scene classifier on a backbone that is trained without debiasing. It needs no
# human boxes.
_base_ = ['./scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py']

train_dataloader = dict(dataset=dict(pipeline=_base_.clips_16x1.train.dataset.pipeline))
model = dict(losses=('adversarial', ), reversal_scale=0., predict_scene=True)
