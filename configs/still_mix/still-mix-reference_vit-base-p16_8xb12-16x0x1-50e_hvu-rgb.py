_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# one frame, repeated: what the encoder knows of an action without motion
still = dict(type='SampleFrames', clip_len=16, frame_interval=0)
train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='ReadClip', sampler=still), *_base_.train_pipeline[1:]]))
read = dict(type='ReadClip', sampler=dict(**still, test_mode=True))
val_dataloader = dict(dataset=dict(pipeline=[read, *_base_.val_pipeline[1:]]))
test_dataloader = dict(dataset=dict(pipeline=[read, *_base_.test_pipeline[1:]]))
del still, read
