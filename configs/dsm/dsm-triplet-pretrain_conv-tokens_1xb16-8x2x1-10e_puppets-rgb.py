_base_ = ['./dsm-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py']

model = dict(
    _delete_=True,
    type='DSMTriplet',
    backbone=_base_.backbone,
    data_preprocessor=_base_.model.data_preprocessor)
