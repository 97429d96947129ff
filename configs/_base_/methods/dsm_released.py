# DSM as its published code trains it, where that differs from the paper: a change of a recipe with
# the views of DSM. The anchor is warped, and all views are rotated and jittered. Flow is estimated
# on the crop, so the negative's motion is scaled before the rotation.
train_cfg = dict(max_epochs=240)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
param_scheduler = [
    dict(type='MultiStepLR', begin=0, end=240, milestones=[120, 160, 200], gamma=0.1)]

basic = [
    dict(type='RandomRotation', degrees=10),
    dict(type='ClipColorJitter', brightness=0.5, contrast=0.5, saturation=0.25, hue=0.5),
]
model = dict(
    data_preprocessor=dict(
        views=[
            [dict(type='LocalShifts', maximum=3), *basic],
            basic,
            [dict(type='MotionScaling', maximum=5.), *basic],
        ]))
del basic
