_base_ = ['./scratch_r3d-r34_16xb8-16x4x1-45e_hmdb51-rgb.py']

load_from = 'work_dirs/moco-pretrain_r3d-r34_16xb8-16x4x1-200e_kinetics400-rgb/epoch_200.pth'
