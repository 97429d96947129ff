# DSM, "Fine-tuning Settings"; momentum and weight decay are those of the pre-training, the
# paper names none.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=45, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=45, milestones=[10, 20, 30, 40], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=128)
# 10 clips a test video: the first step of the test pipeline
ten_clips_reader = dict(
    type='ReadClip',
    sampler=dict(
        type='SampleFrames', clip_len=16, frame_interval=4, num_clips=10, test_mode=True))
