"""A repository in a folder, with fake tools: fabricated predictions instead of training."""
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from devias_mm.evaluation.metrics import (
    comprehensive,
    contrasted_metrics,
    per_split,
    ratios,
    seen_unseen,
    swap_metrics,
)
from devias_mm.harness import Data, Ladder, Method, Protocol, Suite, Variant
from devias_mm.store.identity import ROOT

CLASSES = 4
CONFIG = """
data_root = 'data/toy'
work_dir = '/somewhere/out'
model = dict(type='Toy', lr=0.1)
train_dataloader = dict(num_workers=2, dataset=dict(ann_file=f'{data_root}/train.txt',
                                                    data_root=data_root))
train_cfg = dict(max_epochs=3)
here = '{{ fileDirname }}/weights.pth'
"""


def make_repository(root: Path) -> Path:
    """Configs and data that a suite needs."""
    for folder in ('configs', 'data/toy', 'tools'):
        (root / folder).mkdir(parents=True)
    for name in ('naive', 'strong', 'scene'):
        (root / 'configs' / f'{name}.py').write_text(CONFIG + f"name = '{name}'\n")
    (root / 'data' / 'toy' / 'manifest.json').write_text('{"seed": 0}')
    return root


SPLITS = ('seen', 'unseen', 'texture', 'scene-only')
DATA = Data(manifest='data/toy/manifest.json', command='make toy data')


def make_protocol(splits=SPLITS, sets=None, action_unseen=('unseen', 'texture'),
                  scene_unseen=('unseen', 'scene-only'), all_unseen=None, swaps=('unseen', ),
                  human_only='texture', contrasts=None, **fields) -> Protocol:
    """Metrics of all kinds; ``all_unseen``: actions and scenes of the comprehensive protocol."""
    sets = sets or {}
    metrics = [*seen_unseen(('seen', ), action_unseen, ('seen', ), scene_unseen)]
    if all_unseen:
        metrics += comprehensive(('seen', ), all_unseen[0], ('seen', ), all_unseen[1])
    metrics += [*per_split(splits, sets), *swap_metrics(swaps)]
    if human_only:
        metrics += ratios(('seen', ), 'scene-only', human_only)
    metrics += contrasted_metrics(contrasts or {})
    return Protocol(tuple(splits), tuple(metrics), sets,
                    rank_by=('hm', 'action_unseen', 'scene_unseen'),
                    scatter={'Action': ('action_seen', 'action_unseen')}, **fields)


def make_suite(**changes) -> Suite:
    """Three methods, four splits, all columns."""
    settings = dict(
        name='toy', title='Toy suite', data=DATA,
        methods={'naive': Method('configs/naive.py', 'Naive', predicts=('action', )),
                 'strong': Method('configs/strong.py', 'Strong'),
                 'scene': Method('configs/scene.py', 'Scene', predicts=('scene', ))},
        protocol=make_protocol(), seeds=(0, 1))
    return Suite(**{**settings, **changes})


def make_ladder() -> Suite:
    """The suite at three settings."""
    variants = {}
    for x in (0.5, 0.7, 0.9):
        dataset = dict(ann_file=f'train-{x}.txt')
        variants[f'rho{x}'] = Variant(x, dict(train_dataloader=dict(dataset=dataset)))
    protocol = Protocol(('seen', 'unseen'), seen_unseen(('seen', ), ('unseen', )))
    return make_suite(name='toy_ladder', seeds=(0, ), protocol=protocol, ladder=Ladder(variants))


def scores(predicted) -> list:
    """Score rows with the given predictions."""
    return [np.eye(CLASSES, dtype=np.float32)[p] * .9 + .025 for p in predicted]


def write_table(path: Path, action=(), scene=(), background=None, n=20, has_action=True,
                has_scene=True, shuffle=None, broken=()) -> None:
    """Write a table in which the videos numbered in ``action``/``scene`` are right.

    Wrong predictions of the action are the background's class where there is one.
    """
    action_label = np.arange(n) % CLASSES
    scene_label = (np.arange(n) // 2) % CLASSES
    background_label = np.full(n, -1) if background is None else (action_label + 1) % CLASSES
    right = np.isin(np.arange(n), list(action))
    predicted = np.where(right, action_label, (action_label + (1 if background else 2)) % CLASSES)
    predicted_scene = np.where(np.isin(np.arange(n), list(scene)), scene_label,
                               (scene_label + 1) % CLASSES)
    table = pd.DataFrame({
        'video_id': [f'v{i:02d}' for i in range(n)], 'action_label': action_label,
        'scene_label': scene_label, 'background_label': background_label,
        'action_scores': scores(predicted) if has_action else None,
        'scene_scores': scores(predicted_scene) if has_scene else None, 'error': None})
    for i in broken:
        for column, value in (('action_scores', None), ('scene_scores', None),
                              ('error', 'cannot decode')):
            table.at[i, column] = value
    if shuffle is not None:
        table = table.sample(frac=1, random_state=shuffle)
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)


def fake_train(work_dir: Path) -> None:
    """What ``tools/train.py`` leaves behind."""
    work_dir.mkdir(parents=True, exist_ok=True)
    (work_dir / 'epoch_3.pth').write_text('weights')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_3.pth'))


TOOLS = {
    'train': """
        import pathlib, sys, time
        config, resume = sys.argv[1:3]
        assert resume == '--resume', sys.argv
        folder = pathlib.Path(config).parent
        assert str(folder) in pathlib.Path(config).read_text()  # the work dir
        print('2026/01/01 00:00:00 - mmengine - INFO - Epoch(train)  [2][ 10/64]  lr: 1e-3  '
              'eta: 0:01:02  time: 0.1', flush=True)
        if pathlib.Path('hang').exists():
            time.sleep(60)
        if 'naive' in config and pathlib.Path('break-naive').exists():
            print('the reason of the failure')
            sys.exit(3)
        (folder / 'epoch_3.pth').write_text('weights')
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_3.pth'))
        """,
    'test': """
        import pathlib, shutil, sys
        config, checkpoint, splits = sys.argv[1:4]
        assert pathlib.Path(checkpoint).is_file() and splits == '--splits', sys.argv
        folder = pathlib.Path(config).parent
        tables = folder / 'predictions'
        tables.mkdir(exist_ok=True)
        for split in sys.argv[4:]:
            if split.startswith('--'):
                break
            shutil.copy(pathlib.Path('tools') / (folder.parent.name + '.parquet'),
                        tables / (split + '.parquet'))
        """}


def write_tools(root: Path) -> None:
    """Fake ``tools/train.py`` and ``tools/test.py``; half of all predictions are right."""
    for script in ('dist_common.sh', 'dist_train.sh', 'dist_test.sh'):
        shutil.copy(ROOT / 'tools' / script, root / 'tools')
    for name, text in TOOLS.items():
        (root / 'tools' / f'{name}.py').write_text(textwrap.dedent(text))
    for name in ('naive', 'strong', 'scene'):
        write_table(root / 'tools' / f'{name}.parquet', range(10), range(10),
                    has_action=name != 'scene', has_scene=name != 'naive')
