_base_ = ['./moco-pretrain_i3d-r50_16xb8-16x4x1-200e_ucf101-rgb.py']

train_dataloader = dict(dataset=dict(pipeline=_base_.dsm_pipeline))
model = dict(type='DSMTriplet', data_preprocessor=dict(views=_base_.dsm))
