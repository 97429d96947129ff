# Linear probe (DEVIAS Table 21): lr = base lr x batch / 256, here 1e-3 x (8 x 16) / 256.
_base_ = ['./vit_downstream_50e.py']

optim_wrapper = dict(optimizer=dict(lr=1e-3 * 128 / 256), paramwise_cfg=dict(decay_rate=1.))
auto_scale_lr = dict(base_batch_size=128)
