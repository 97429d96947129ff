_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py']

# as on UCF-101: the released schedule, one rate for all layers, from `naive-action`; three batches
# a step
train_cfg = dict(max_epochs=50)
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    optimizer=dict(lr=1e-5), paramwise_cfg=dict(decay_rate=1.), accumulative_counts=3)
auto_scale_lr = dict(base_batch_size=32)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=50)]

load_from = 'checkpoints/vit-base-p16_kinetics400.pth'

# the classifier comes with the encoder; a new one starts from PyTorch's own weights
model = dict(type='ALBAR', init_scale=None)
