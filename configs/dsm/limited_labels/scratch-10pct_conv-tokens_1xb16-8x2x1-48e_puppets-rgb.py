# 104 labelled clips; epochs so that there are enough steps. The list is made by
# make_label_subset.py --percent 10 with all label columns.
_base_ = ['../../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

train_cfg = dict(max_epochs=48, val_interval=48)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=4, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=4, end=48, eta_min=0., convert_to_iter_based=True),
]
train_dataloader = dict(dataset=dict(ann_file='annotations/train_10pct_seed0.txt'))
