_base_ = ['./scratch_i3d-r50_16xb8-16x4x1-45e_hmdb51-rgb.py']

load_from = 'work_dirs/dsm-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb/epoch_200.pth'
