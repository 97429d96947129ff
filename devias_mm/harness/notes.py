"""What the reader of a table must know: the footnotes."""
from typing import Dict, List, Optional, Sequence

import numpy as np

from devias_mm.evaluation.metrics import SCENES, Metric, scene_accuracy, split_accuracies
from devias_mm.harness.protocol import Protocol
from devias_mm.harness.results import MethodResults
from devias_mm.harness.suite import Suite

DAGGER = '†'  # of rows with unreadable videos


def footnotes(suite: Suite, results: Sequence[MethodResults], unfinished: Sequence[str],
              smoke: Optional[Dict[str, object]] = None) -> List[str]:
    """Return the notes: smoke options, unreadable videos, runs that are not finished."""
    notes = []
    if smoke:
        changed = ', '.join(f'{key}={value}' for key, value in smoke.items())
        notes.append(f'SMOKE RUN, not the benchmark: {changed}.')
    for result in results:
        notes += _of_unreadable(suite, result)
        if result.missing_seeds:
            seeds = ', '.join(map(str, result.missing_seeds))
            notes.append(f'{_name(suite, result)}: incomplete, seed(s) {seeds} not finished.')
    unlabelled = _without_scene_labels(suite, results)
    if unlabelled:
        remedy = 'name a scene_label_file for them (docs/scenes_and_masks.md)'
        if suite.data.scene_label_command:
            remedy = f'run {suite.data.scene_label_command}'
        notes.append(f'No scene labels for {", ".join(unlabelled)}, and so no scene accuracy: '
                     f'{remedy}, delete test.done in the run folders, and test again.')
    if unfinished:
        notes.append(f'No finished run yet: {", ".join(unfinished)}.')
    return notes


def _name(suite: Suite, result: MethodResults) -> str:
    label = suite.methods[result.method].label or result.method
    return f'{label} {result.variant}'.strip()


def _of_unreadable(suite: Suite, result: MethodResults) -> List[str]:
    """Say which videos of a row could not be read, and what they do to its scores."""
    notes = []
    for split, videos in result.unreadable.items():
        if not videos:
            continue
        shown = ', '.join(videos[:3])
        if len(videos) > 3:
            shown += ', ...'
        fate, flattered = 'left out', ''
        if result.on_error != 'skip':
            fate, flattered = 'counted as wrong', _flattered(suite, split)
        notes.append(f'{DAGGER} {_name(suite, result)}, {split}: {len(videos)} unreadable '
                     f'video(s) {fate} ({shown}){flattered}.')
    return notes


def _flattered(suite: Suite, split: str) -> str:
    """Say which metrics, best when small, become smaller where a split has more mistakes."""
    headings = [metric.heading for metric in suite.protocol.columns
                if not metric.higher_is_better and _lowers(suite.protocol, metric, split)]
    if not headings:
        return ''
    return f', which lowers {", ".join(headings)} (lower is better), too'


def _lowers(protocol: Protocol, metric: Metric, split: str) -> bool:
    """Return whether a metric falls with the percentages of a split, by trying it out."""
    splits = protocol.tested(metric.splits)
    percent = {name: np.full((1, 3), 50.0) for name in protocol.splits_of(splits)}
    before = metric.value(split_accuracies(percent, splits, protocol.sets))
    percent[split] = np.full((1, 3), 40.0)
    after = metric.value(split_accuracies(percent, splits, protocol.sets))
    return bool((after < before).all())


def _without_scene_labels(suite: Suite, results: Sequence[MethodResults]) -> List[str]:
    """Return what the scene columns need and methods were tested on without labels."""
    results = [result for result in results if 'scene' in suite.methods[result.method].predicts]
    if not results:
        return []
    parts: Dict[str, None] = {}
    for metric in suite.protocol.columns:
        # a column per split may be empty: not every split has scenes
        if metric.function is scene_accuracy and metric.section not in (SCENES, None):
            parts.update(dict.fromkeys(suite.protocol.tested(metric.splits)))
    unlabelled = []
    for part in parts:
        splits = suite.protocol.splits_of((part, ))
        if all(result.per_video(split, 'scene').isna().all()
               for result in results for split in splits):
            unlabelled.append(part)
    return unlabelled
