_base_ = ['./moco-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py']

train_dataloader = dict(dataset=dict(pipeline=_base_.dsm_pipeline))
model = dict(type='DSM', data_preprocessor=dict(views=_base_.dsm))
