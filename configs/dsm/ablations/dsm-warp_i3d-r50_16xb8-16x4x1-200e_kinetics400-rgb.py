# Table 4, row "S-warping / -": the positive is warped, there is no negative.
_base_ = ['../moco-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py']

pipeline = _base_.moco_pipeline
pipeline[1].views[1] = pipeline[1].views[1][:2]  # c2 gets no basic augmentation

train_dataloader = dict(dataset=dict(pipeline=pipeline))
model = dict(data_preprocessor=dict(views=_base_.dsm[:2]))
del pipeline
