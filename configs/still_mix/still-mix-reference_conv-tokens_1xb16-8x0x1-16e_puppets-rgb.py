_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# one frame, repeated: what the encoder knows of an action without motion
still = dict(type='SampleFrames', clip_len=8, frame_interval=0)
read = dict(type='ReadClip', backend='opencv')
train_dataloader = dict(dataset=dict(pipeline=[
    dict(**read, sampler=still), *_base_.train_pipeline[1:]]))
test_pipeline = [dict(**read, sampler=dict(**still, test_mode=True)), *_base_.test_pipeline[1:]]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
del still, read
