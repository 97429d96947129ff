# DEVIAS supp. B, Tables 16-22: lr = base lr x batch / 256, here 5e-4 x (8 x 12) / 256.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=10)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-4 * 96 / 256, betas=(0.9, 0.999), weight_decay=0.05),
    constructor='LayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, end=100, eta_min_ratio=1e-3,
         convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=96)
