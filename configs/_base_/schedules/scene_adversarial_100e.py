# Choi et al. 2019, section 4.2: SGD, the learning rate is divided by 10 "whenever the validation
# loss saturates". When it has, the paper leaves open: ten epochs without a lower one, PyTorch's
# default. Batch 32; Hara et al. (CVPR 2018) fine-tune with the same rate, momentum and decay.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=1e-5))
param_scheduler = [
    dict(
        type='ReduceOnPlateauLR',
        monitor='action_nll',
        rule='less',
        factor=0.1,
        patience=10,
        begin=0,
        end=100)
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
