"""Reading stored predictions in parts into what was right."""
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from devias_mm.evaluation import hits
from devias_mm.evaluation.accuracy import agreement, predicted_classes, topk_correct
from devias_mm.evaluation.hits import read_hits
from devias_mm.store.predictions import write_predictions

CLASSES = 6


def rows(n=50, **changes):
    rng = np.random.default_rng(1)
    table = []
    for video in range(n):
        scores = rng.integers(0, 4, (2, CLASSES)).astype(np.float32)
        action, scene, background = rng.integers(-1, CLASSES, 3)
        table.append(dict(
            video_id=f'v{video}', action_label=action, scene_label=scene,
            background_label=background, action_scores=scores[0], scene_scores=scores[1],
            error=None, **changes))
    for video in (3, 20, 21):
        table[video].update(action_scores=None, scene_scores=None, error='broken')
    return table


@pytest.mark.parametrize('batch', [7, 1000])
def test_parts_equal_the_whole(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(hits, '_BATCH_VIDEOS', batch)
    write_predictions(tmp_path / 'x.parquet', rows())
    read = read_hits(tmp_path / 'x.parquet', {'action': 1, 'scene': 2})
    table = pd.DataFrame(rows())
    actions, scenes = list(table['action_scores']), list(table['scene_scores'])
    np.testing.assert_array_equal(read.values, [
        topk_correct(actions, table['action_label']), topk_correct(scenes, table['scene_label'], 2),
        agreement(predicted_classes(actions), table['background_label'])])
    # the second guess counts, and what is broken is wrong
    first = topk_correct(scenes, table['scene_label'])
    assert np.nansum(read.values[1]) > np.nansum(first) > 0
    assert read.values[0, 20] == 0 and list(read.videos) == list(table['video_id'])
    assert read.errors.to_dict() == dict.fromkeys(['v3', 'v20', 'v21'], 'broken')
    assert read.without_scores == {'action': 0, 'scene': 0}


def test_a_task_that_is_not_asked_for_is_not_scored(tmp_path):
    write_predictions(tmp_path / 'x.parquet', rows())
    values = read_hits(tmp_path / 'x.parquet', {'scene': 1}).values
    assert np.isnan(values[[0, 2]]).all() and np.isfinite(values[1]).any()


def test_readable_videos_without_scores_are_counted(tmp_path):
    table = rows()
    for row in table[:5]:
        row['action_scores'] = None
    write_predictions(tmp_path / 'x.parquet', table)
    # one of the five is unreadable
    assert read_hits(tmp_path / 'x.parquet', {'action': 1}).without_scores == {'action': 4}


@pytest.mark.parametrize('change, message', [
    (dict(video_id='v1'), "video 'v1' more than once"),
    (dict(action_scores=np.ones(3, dtype=np.float32)), r'different numbers of classes: \[3, 6\]'),
    (dict(action_label=9), 'label 9 is outside')])
def test_bad_tables_are_named(tmp_path, change, message):
    table = rows()
    table[0].update(change)
    write_predictions(tmp_path / 'x.parquet', table)
    with pytest.raises(ValueError, match=f'x.parquet.*{message}'):
        read_hits(tmp_path / 'x.parquet', {'action': 1})
    with pytest.raises(FileNotFoundError, match='none.parquet'):
        read_hits(tmp_path / 'none.parquet', {'action': 1})


def test_tables_are_made_without_torch():
    code = ('import sys, devias_mm.evaluation, devias_mm.harness, devias_mm.harness.render, '
            'devias_mm.harness.report, devias_mm.evaluation.per_class; '
            'heavy = {"torch", "mmengine", "mmaction", "scipy", "sklearn", "matplotlib"}; '
            'assert not heavy & set(sys.modules), heavy & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True)
