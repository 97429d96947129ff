_base_ = ['./scratch_c3d_16xb8-16x4x1-45e_ucf101-rgb.py']

load_from = 'work_dirs/dsm-triplet-pretrain_c3d_16xb8-16x4x1-200e_ucf101-rgb/epoch_200.pth'
