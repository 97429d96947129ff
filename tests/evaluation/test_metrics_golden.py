"""Agreement with numbers computed by, or from, the published reference code.

What is tested here is what prints the tables: the metrics of a protocol on per-video hits, and
the averaging of views in a recognizer's prediction.
"""
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from devias_mm.evaluation.accuracy import agreement, mean_percent, topk_accuracy
from devias_mm.evaluation.harmonic_mean import harmonic_mean
from devias_mm.evaluation.knn import knn_accuracy, knn_votes
from devias_mm.evaluation.metrics import ratios, seen_unseen, split_accuracies, swap_metrics
from devias_mm.evaluation.uncertainty import sample_std
from devias_mm.methods.base import DebiasRecognizer


def round_half_up(value: float) -> float:
    """Round to one decimal as tables are printed (16.75 -> 16.8), not to even."""
    return np.floor(value * 10 + 0.5 + 1e-9) / 10


def test_harmonic_mean_equals_the_papers_tables(golden, parity):
    rows = json.loads((golden / 'metrics/harmonic_mean.json').read_text())
    assert len(rows) == 13
    names = ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen')
    means, of_rounded = [], []
    for row in rows:
        # unseen lists are averaged arithmetically, before the harmonic mean
        parts = [np.mean(row[name]) for name in names]
        means.append(harmonic_mean(*parts))
        rounded = harmonic_mean(*(round_half_up(part) for part in parts))
        of_rounded.append(rounded)
        assert np.floor(rounded * 10 + 0.5) / 10 == pytest.approx(row['printed_hm'])
    parity('computed_hm', np.array(means), [row['computed_hm'] for row in rows], 1e-5)
    parity('computed_hm_from_1dp_means', np.array(of_rounded),
           [row['computed_hm_from_1dp_means'] for row in rows], 1e-5)


def test_columns_of_a_table_average_unseen_splits_first(golden):
    row = json.loads((golden / 'metrics/harmonic_mean.json').read_text())[0]
    actions, scenes = (np.atleast_1d(row[f'{task}_unseen']) for task in ('action', 'scene'))
    columns = seen_unseen(
        action_seen=('seen', ), action_unseen=[f'a{i}' for i in range(len(actions))],
        scene_seen=('seen', ), scene_unseen=[f's{i}' for i in range(len(scenes))])
    percent = {'seen': [row['action_seen'], row['scene_seen'], np.nan]}
    percent.update({f'a{i}': [value, np.nan, np.nan] for i, value in enumerate(actions)})
    percent.update({f's{i}': [np.nan, value, np.nan] for i, value in enumerate(scenes)})
    hits = {split: np.array([values]) for split, values in percent.items()}
    hm = columns[-1]
    value, = hm.value(split_accuracies(hits, hm.splits, {}))
    assert value == pytest.approx(row['computed_hm'], abs=1e-5)


def percent_of(split):
    """Percent ``(1 seed, 3 tasks)`` of a split of the golden file."""
    labels = split.get('foreground_label', split.get('label'))
    action = mean_percent(agreement(split['pred'], labels))
    background = np.nan
    if 'background_label' in split:
        background = mean_percent(agreement(split['pred'], split['background_label']))
    return np.array([[action, np.nan, background]])


def test_hat_metrics(golden):
    data = json.loads((golden / 'metrics/hat_metrics.json').read_text())
    expected = data['expected']
    draws = [f'swap/{number}' for number in range(len(data['splits']))]
    percent = {draw: percent_of(split) for draw, split in zip(draws, data['splits'])}
    percent.update({name: percent_of(data[name])
                    for name in ('original', 'background_only', 'human_only')})

    def value(metric, sets):
        result, = metric.value(split_accuracies(percent, metric.splits, sets))
        return result

    for metric, name in zip(swap_metrics(('swap', )), ('SHAcc', 'SBErr')):
        each = [value(metric, {'swap': [draw]}) for draw in draws]
        assert each == pytest.approx([split[f'expected_{name}_percent']
                                      for split in data['splits']])
        assert value(metric, {'swap': draws}) == pytest.approx(expected[f'{name}_mean'])
        assert sample_std(each) == pytest.approx(expected[f'{name}_std_sample'])
    bor, hor = ratios(('original', ), 'background_only', 'human_only')
    assert percent['original'][0, 0] == pytest.approx(expected['OrigAcc_percent'])
    assert value(bor, {}) == pytest.approx(expected['BOR_ratio'])
    assert value(hor, {}) == pytest.approx(expected['HOR_ratio'])
    assert not bor.higher_is_better and hor.higher_is_better


def test_views_are_merged_as_probabilities(golden, parity):
    data = np.load((golden / 'eval/multiview_merge.npz'), allow_pickle=False)
    # videos x views, whatever the order of the rows
    order = np.lexsort((data['row_crop'], data['row_chunk'], data['row_video']))
    videos = len(data['video_label'])
    logits = torch.from_numpy(data['view_logits'][order]).unflatten(0, (videos, -1))
    model = SimpleNamespace(probabilities=lambda views: dict(action=views.softmax(-1)))
    samples = [ActionDataSample() for _ in range(videos)]
    DebiasRecognizer.predict(model, logits, samples)
    merged = np.stack([sample.pred_score.numpy() for sample in samples])
    parity('merged_probability', merged, data['merged_probability'], 1e-7)
    predicted = np.array([int(sample.pred_label) for sample in samples])
    parity('merged_prediction', predicted, data['merged_prediction'], 0, 'share')
    top = [topk_accuracy(merged, data['video_label'], k) for k in (1, 5)]
    parity('top1_top5_percent', np.array(top), data['top1_top5_percent'], 1e-6)


def test_knn_equals_the_reference(golden, parity):
    data = np.load((golden / 'knn/knn.npz'), allow_pickle=False)
    train, test = (data[f'{name}_features'] for name in ('train', 'test'))
    accuracy = knn_accuracy(train, data['train_labels'], test, data['test_labels'],
                            data['k_values'])
    for k, expected in zip(data['k_values'], data['top1_top5_percent']):
        parity(f'top1_top5_percent, k = {k}', accuracy[k], expected, 1e-6)
        votes = knn_votes(train, data['train_labels'], test, int(k))
        parity(f'predicted_class_k{k}', votes.argmax(1), data[f'predicted_class_k{k}'], 0,
               'share')
