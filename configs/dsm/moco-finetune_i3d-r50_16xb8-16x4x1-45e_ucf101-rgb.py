_base_ = ['./scratch_i3d-r50_16xb8-16x4x1-45e_ucf101-rgb.py']

load_from = 'work_dirs/moco-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb/epoch_200.pth'
