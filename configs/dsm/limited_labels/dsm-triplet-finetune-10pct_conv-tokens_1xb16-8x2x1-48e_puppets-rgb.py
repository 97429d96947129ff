_base_ = ['./scratch-10pct_conv-tokens_1xb16-8x2x1-48e_puppets-rgb.py']

load_from = 'work_dirs/dsm-triplet-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb/epoch_10.pth'
