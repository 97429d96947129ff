_base_ = [
    './devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/methods/devias_official.py'
]

# What the published code does differently from the paper. Its checkpoints, once converted
# (docs/real_data.md), load into this model.
model = dict(
    **_base_.official,
    **_base_.official_teacher,
    data_preprocessor=dict(augments=[
        dict(**_base_.model.data_preprocessor.augments[0], blur_size=11),
        _base_.model.data_preprocessor.augments[1]]))

test_dataloader = dict(dataset=dict(pipeline=[
    _base_.test_pipeline[0], *_base_.official_crops, *_base_.test_pipeline[3:]]))
