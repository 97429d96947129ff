_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (i): learned person masks, extra `segformer` (docs/scenes_and_masks.md)
model = dict(data_preprocessor=dict(augments=[
    dict(type='SegFormerMasks'), _base_.model.data_preprocessor.augments[1]]))
