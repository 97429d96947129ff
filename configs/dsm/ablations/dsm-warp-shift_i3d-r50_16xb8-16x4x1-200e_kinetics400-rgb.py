# Table 4, row "S-warping / T-Shift": the negative is shifted, its motion not scaled.
_base_ = ['../moco-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py']

pipeline = _base_.dsm_pipeline
pipeline.pop(2)  # the flow

train_dataloader = dict(dataset=dict(pipeline=pipeline))
model = dict(type='DSM', data_preprocessor=dict(views=_base_.dsm[:2] + [[]]))
del pipeline
