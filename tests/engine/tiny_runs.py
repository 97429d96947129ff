"""Videos of a few frames and a model of a few weights."""
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / 'shared'
CONFIG = '''
_base_ = ['{root}/configs/_base_/default_runtime.py', '{root}/configs/_base_/datasets/puppets.py']
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3dSlowOnly', depth=18, pretrained=None, lateral=False, base_channels=4,
        conv1_kernel=(1, 7, 7), inflate=(0, 0, 1, 1), norm_eval=False),
    cls_head=dict(
        type='I3DHead', in_channels=32, num_classes=8, dropout_ratio=0.5, average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[114.75] * 3, std=[57.38] * 3,
        format_shape='NCTHW'))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.05))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=3, by_epoch=True)]
data_root = '{data}'
train_dataloader = dict(batch_size=4, dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(batch_size=3, dataset=dict(data_root=data_root))
test_cfg = dict(splits=dict(
    _delete_=True, seen=dict(ann_file='annotations/seen.txt'),
    unseen=dict(ann_file='annotations/unseen.txt')))
'''


def write_clip(path, grey, frames=16, size=64):
    """Write a clip in which a bright square walks to the right over a grey ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 8, (size, size))
    for t in range(frames):
        frame = np.full((size, size, 3), grey, dtype=np.uint8)
        frame[24:40, 2 * t:2 * t + 16] = 255
        writer.write(frame)
    writer.release()


def make_data(root):
    """Write 23 clips and the lists of the Puppets layout."""
    root = Path(root)
    for i in range(23):
        write_clip(root / 'videos' / f'{i:02d}.mp4', 10 * i)
    lines = [f'{i:02d}.mp4 {i % 8} {(i + 1) % 8} {(i + 2) % 8}' for i in range(23)]
    parts = dict(train=lines[:8], val=lines[8:12], seen=lines[12:19], unseen=lines[19:])
    (root / 'annotations').mkdir()
    for name, part in parts.items():
        (root / 'annotations' / f'{name}.txt').write_text('\n'.join(part) + '\n')
    return root


def make_config(folder, data_root, **overrides):
    """Write the config into a folder and load it."""
    path = Path(folder) / 'tiny.py'
    path.write_text(CONFIG.replace('{root}', str(ROOT)).replace('{data}', str(data_root)))
    cfg = Config.fromfile(str(path))
    cfg.launcher = 'none'
    cfg.work_dir = str(Path(folder) / 'work')
    cfg.experiment_name = Path(folder).name + str(len(list(Path(folder).iterdir())))
    cfg.merge_from_dict(overrides)
    return cfg
