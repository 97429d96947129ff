_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# as on UCF-101: the released learning rate for all layers, from `naive-action`; the epochs, 50,
# are those of the other methods here; three batches a step
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    optimizer=dict(lr=1e-5), paramwise_cfg=dict(decay_rate=1.), accumulative_counts=3)
auto_scale_lr = dict(base_batch_size=32)

load_from = 'checkpoints/vit-base-p16_hvu.pth'

# the classifier comes with the encoder; a new one starts from PyTorch's own weights
model = dict(type='ALBAR', init_scale=None)
