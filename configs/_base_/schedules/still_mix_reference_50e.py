# StillMix's reference network of images (published code): SGD, 0.04, 50 epochs. How the rate falls,
# momentum and weight decay are ours.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=10)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.04, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='CosineAnnealingLR', begin=0, end=50, eta_min=0., convert_to_iter_based=True)]
auto_scale_lr = dict(enable=False, base_batch_size=96)
