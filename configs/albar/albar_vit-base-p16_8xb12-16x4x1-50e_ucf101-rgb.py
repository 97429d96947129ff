_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# The released schedule (HMDB-51, Swin-T): a fine-tuning whose steps are small, because nothing
# bounds the adversarial term. `load_from` should be a ViT-B that knows actions already.
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=50)]

model = dict(type='ALBAR')
