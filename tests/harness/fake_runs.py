"""Runs of a suite with random predictions, made in a moment and always the same."""
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Tuple
from zlib import crc32

import numpy as np
import pandas as pd

CLASSES = 4
SWAPS = ('swap/1', 'swap/2', 'swap/3')
SPLITS = ('seen', 'unseen', 'texture', 'scene-only', 'human-only', 'still', *SWAPS)
PREDICTS = {'both': ('action', 'scene'), 'action': ('action', ), 'scene': ('scene', )}


@dataclass
class FakeJob:
    """What a table needs to know of a finished run."""
    method: str
    seed: int
    work_dir: Path
    splits: Tuple[str, ...] = SPLITS
    variant: str = ''
    tested: bool = True

    @property
    def name(self):
        return f'{self.method} {self.variant} seed {self.seed}'

    @property
    def folder(self):
        return SimpleNamespace(identity='the same', marker=lambda step: None)

    def predictions(self, split):
        return self.work_dir / 'predictions' / f'{split}.parquet'


def make_runs(folder, seeds=(0, 1, 2), variants=('', ), methods=tuple(PREDICTS)):
    """Jobs of each method, seed and variant, with their prediction tables."""
    jobs = []
    for method in methods:
        for variant in variants:
            for seed in seeds:
                job = FakeJob(method, seed, folder / method / variant / str(seed),
                              variant=variant)
                for split in SPLITS:
                    write_random(job, split)
                jobs.append(job)
    return jobs


def write_random(job, split):
    """Write random scores with many ties, labels that are missing and videos that are broken."""
    # the scuba and scufo splits share their videos
    numbers = {'seen': 40, 'scene-only': 25, 'human-only': 25}
    n = numbers.get(split, 30)
    labels = np.random.default_rng(n)
    rng = np.random.default_rng(crc32(f'{job.name} {split}'.encode()))
    action, scene, background = (labels.integers(0, CLASSES, n) for _ in range(3))
    action[labels.random(n) < 0.1] = -1
    if split == 'scene-only':
        action[:] = -1
    if split not in (*SWAPS, 'unseen', 'scene-only'):
        background[:] = -1
    scores = {}
    for task, truth in (('action', action), ('scene', scene)):
        values = rng.integers(0, 6, (n, CLASSES)).astype(np.float32)
        values[np.arange(n), truth] += rng.integers(0, 4, n)
        scores[task] = list(values / values.sum(axis=1, keepdims=True).clip(1))
        if task not in PREDICTS[job.method]:
            scores[task] = [None] * n
    error = np.full(n, None)
    for video in np.flatnonzero(rng.random(n) < 0.05):
        error[video] = 'cannot decode'
        scores['action'][video] = scores['scene'][video] = None
    table = pd.DataFrame({
        'video_id': [f'v{i:02d}' for i in range(n)], 'action_label': action, 'scene_label': scene,
        'background_label': background, 'action_scores': scores['action'],
        'scene_scores': scores['scene'], 'error': error})
    path = job.predictions(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    table.sample(frac=1, random_state=job.seed).to_parquet(path, index=False)
