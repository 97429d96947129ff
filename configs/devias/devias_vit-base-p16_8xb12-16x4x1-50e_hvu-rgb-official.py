_base_ = [
    './devias_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    '../_base_/methods/devias_official.py'
]

# What the published code does differently from the paper on HVU, with 1 clip x 1 crop. Of hard
# labels its two scene criteria are the same.
model = dict(
    **_base_.official,
    unified_argmax='both',
    data_preprocessor=dict(augments=[
        dict(**_base_.model.data_preprocessor.augments[0], blur_size=11),
        _base_.model.data_preprocessor.augments[1]]))

test_dataloader = dict(dataset=dict(pipeline=[
    _base_.val_pipeline[0], _base_.official_crops[0], *_base_.val_pipeline[2:]]))
