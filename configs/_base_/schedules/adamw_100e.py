# As vit_adamw_100e.py for backbones without transformer blocks: no layer-wise decay.
_base_ = ['./vit_adamw_100e.py']

optim_wrapper = dict(
    constructor='DefaultOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, norm_decay_mult=0., bias_decay_mult=0.))
