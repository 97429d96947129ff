# BE, self-supervised (published code): 8 GPUs, batch 64. Nothing is validated without labels.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=200, milestones=[120, 160, 200], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
