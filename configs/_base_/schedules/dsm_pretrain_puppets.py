# A short pre-training on Puppets: minutes on one core.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=10)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=1., convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1., end=10, eta_min=0., convert_to_iter_based=True),
]
