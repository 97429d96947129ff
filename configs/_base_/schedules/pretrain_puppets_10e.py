# A short pre-training on the embedded benchmark: minutes on one core.
_base_ = ['./puppets.py']

train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=1., convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1., end=10, eta_min=0., convert_to_iter_based=True),
]
