# Fine-tuning of a FeatureClassifier (DEVIAS Table 23): the recipe of the training, 50 epochs.
_base_ = ['./vit_adamw_100e.py']

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(constructor='FeatureClassifierOptimWrapperConstructor')
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, end=50, eta_min_ratio=1e-3,
         convert_to_iter_based=True),
]
