# BE's fine-tuning (published code); the weight decay is that of the pre-training.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=45, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(
        type='MultiStepLR',
        begin=0,
        end=45,
        milestones=[10, 20, 25, 30, 35, 40],
        gamma=0.3)
]
auto_scale_lr = dict(enable=False, base_batch_size=64)
