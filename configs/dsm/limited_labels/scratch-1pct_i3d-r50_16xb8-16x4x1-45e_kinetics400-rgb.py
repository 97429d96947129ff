# Fig. 4: make_label_subset.py --percent 1 makes the list
_base_ = ['../scratch_i3d-r50_16xb8-16x4x1-45e_kinetics400-rgb.py']

train_dataloader = dict(
    dataset=dict(ann_file='annotations/kinetics400_train_list_videos_1pct_seed0.txt'))
