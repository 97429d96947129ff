# Table 4, row "- / M-disturb": the positive has basic augmentation, as MoCo's.
_base_ = ['../moco-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py']

pipeline = _base_.dsm_pipeline
pipeline[1].views[1] = pipeline[1].views[0]

train_dataloader = dict(dataset=dict(pipeline=pipeline))
model = dict(type='DSM', data_preprocessor=dict(views=[[], [], _base_.dsm[2]]))
del pipeline
