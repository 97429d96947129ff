# The scene model, DEVIAS Table 15: lr = base lr x batch / 256 of 8 GPUs x 32 images. Two such
# batches make an update ("update frequency 2"), which the paper's rule does not count.
_base_ = ['./vit_adamw_100e.py']

optim_wrapper = dict(
    optimizer=dict(lr=5e-4 * 256 / 256),
    accumulative_counts=2,
    paramwise_cfg=dict(decay_rate=0.65))
auto_scale_lr = dict(base_batch_size=256)
