_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# as on UCF-101: the released learning rate for all layers, from `naive-action`; the epochs, 50,
# are those of the other methods here
optim_wrapper = dict(optimizer=dict(lr=1e-5), paramwise_cfg=dict(decay_rate=1.))

load_from = 'checkpoints/vit-base-p16_hvu.pth'

model = dict(type='ALBAR')
