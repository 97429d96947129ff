# The scene model, DEVIAS Table 15: 8 GPUs x 32 images, and two such batches make an update ("update
# frequency 2"). VideoMAE's code, in which it was trained, counts both batches in its rule
# lr = base lr x batch / 256.
_base_ = ['./vit_adamw_100e.py']

optim_wrapper = dict(
    optimizer=dict(lr=5e-4 * 2 * 256 / 256),
    accumulative_counts=2,
    paramwise_cfg=dict(decay_rate=0.65))
auto_scale_lr = dict(base_batch_size=256)
