# Linear probe of a FeatureClassifier (DEVIAS Table 21): lr = base lr x batch / 256, here
# 1e-3 x (8 x 16) / 256; no layers, no decay over them.
_base_ = ['./vit_adamw_100e.py']

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3 * 128 / 256),
    constructor='FeatureClassifierOptimWrapperConstructor',
    paramwise_cfg=dict(decay_rate=1.))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, end=50, eta_min_ratio=1e-3,
         convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=128)
