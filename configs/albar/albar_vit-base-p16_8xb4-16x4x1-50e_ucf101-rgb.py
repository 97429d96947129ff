_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# The released schedule (HMDB-51, Swin-T): a fine-tuning whose steps are small, because nothing
# bounds the adversarial term. It starts from the last checkpoint of `naive-action`. One rate for
# all layers: with the decay of the other methods the first would learn at 2e-7.
train_cfg = dict(max_epochs=50)
# 4 clips fit a GPU of 80 GB (README.md); three batches a step keep the other methods' batch of 96.
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    optimizer=dict(lr=1e-5), paramwise_cfg=dict(decay_rate=1.), accumulative_counts=3)
auto_scale_lr = dict(base_batch_size=32)  # it counts a batch, not a step
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=50)]

load_from = 'checkpoints/vit-base-p16_ucf101.pth'

# the classifier comes with the encoder; a new one starts from PyTorch's own weights
model = dict(type='ALBAR', init_scale=None)
