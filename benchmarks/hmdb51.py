"""HMDB-51 in ALBAR's released setting: Swin-T, 32 frames, every second; its first split."""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.harness import Data, Method, Protocol, Suite

suite = Suite(
    name='hmdb51',
    title='HMDB-51, Swin-T: top-1 accuracy in percent',
    methods={
        'naive': Method('configs/naive/naive-action_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py',
                        'Naive Action Swin-T', 'ECCV 2024, supp. C.1', predicts=('action', )),
        'albar': Method('configs/albar/albar_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py', 'ALBAR',
                        'ICLR 2025', predicts=('action', )),
    },
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', )),
    data=Data('configs/_base_/datasets/hmdb51.py'),
)
