# from scratch: ../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py
_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

load_from = 'work_dirs/dsm-triplet-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb/epoch_10.pth'
