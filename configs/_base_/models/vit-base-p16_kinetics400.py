# ViT-B/16 that starts from VideoMAE's weights of Kinetics-400, which HVU starts from, too (DEVIAS
# supp. B, docs/real_data.md).
_base_ = ['./vit-base-p16.py']

load_from = 'checkpoints/vit-base-p16_videomae-kinetics400.pth'
