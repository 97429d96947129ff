# Table 4, row "S-warping / Scaling-Of": the negative's motion is scaled, not shifted.
_base_ = ['../moco-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py']

pipeline = _base_.dsm_pipeline
pipeline[0].sampler.shift_range = (0, 0)

train_dataloader = dict(dataset=dict(pipeline=pipeline))
model = dict(type='DSM', data_preprocessor=dict(views=_base_.dsm))
del pipeline
