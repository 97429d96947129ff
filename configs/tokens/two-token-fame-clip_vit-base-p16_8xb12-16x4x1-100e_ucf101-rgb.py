_base_ = [
    './two-token_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/models/clip_teacher.py',
    '../_base_/augments/fame.py'
]

# DEVIAS Table 12: zero-shot CLIP names the scenes of Places365
model = dict(
    data_preprocessor=dict(augments=_base_.fame),
    scene_teacher=dict(_delete_=True, **_base_.clip_teacher))
