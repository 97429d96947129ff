"""HMDB-51 in ALBAR's released setting: Swin-T, 32 frames, every second; its first split."""
from devias_mm.harness import Method, Suite

suite = Suite(
    name='hmdb51',
    title='HMDB-51, Swin-T: top-1 accuracy in percent',
    methods={
        'naive': Method('configs/naive/naive-action_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py',
                        'Naive Action Swin-T', 'ECCV 2024, supp. C.1', predicts=('action', )),
        'albar': Method('configs/albar/albar_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py', 'ALBAR',
                        'ICLR 2025', predicts=('action', )),
    },
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/hmdb51.py',
)
