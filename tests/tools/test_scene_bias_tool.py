"""``tools/analysis/scene_bias.py`` where the bias is known: the scene gives the action, or not."""
import math

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from test_knn_tool import CONFIG
from tiny_runs import ROOT
from tool_calls import run_tool

from devias_mm.engine.inference import load_recognizer

TOOL = 'analysis/scene_bias.py'


def write_part(folder, name, tied, rng, videos=400):
    """A list of 8 actions, and the scene probabilities of its videos; one cannot be read."""
    actions = np.arange(videos) % 8
    scenes = actions if tied else rng.integers(8, size=videos)
    scores = .1 / 8 + .9 * np.eye(8)[scenes]
    names = [f'{name}/{number}' for number in range(videos)]
    (folder / f'{name}.txt').write_text(''.join(
        f'{video}.mp4 {action}\n' for video, action in zip(names, actions)))
    rows = [None, *scores.astype(np.float32)[1:]]
    pd.DataFrame(dict(video_id=names, probabilities=rows)).to_parquet(folder / f'{name}.parquet')
    return ['--' + name, folder / f'{name}.parquet', f'--{name}-list', folder / f'{name}.txt']


@pytest.mark.parametrize('tied, low, high', [(True, 2.0, math.log(8) + 1e-6), (False, -.4, .4)])
def test_cached_probabilities(monkeypatch, tmp_path, capsys, tied, low, high):
    rng = np.random.default_rng(0)
    files = [part for name in ('train', 'test') for part in write_part(tmp_path, name, tied, rng)]
    out = tmp_path / 'bias.csv'
    assert run_tool(monkeypatch, TOOL, *files, '--out', out) is None
    row = pd.read_csv(out).iloc[0]
    assert low <= row['bias'] <= high and row['chance_percent'] == 12.5
    assert abs(row['bias'] - math.log(row['accuracy_percent'] / 12.5)) < 1e-3
    assert (row['train_videos'], row['test_videos'], row['unreadable']) == (399, 399, 2)
    assert 'M_rand = 12.50 %' in capsys.readouterr().out
    assert run_tool(monkeypatch, TOOL, *files, '--out', out, '--num-classes', 16) is None
    assert pd.read_csv(out)['chance_percent'][0] == 6.25


def test_a_scene_model_on_the_lists_of_its_config(monkeypatch, tmp_path, tiny_data):
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.format(root=ROOT, data=tiny_data).replace(
        'tokens/two-token', 'naive/naive-scene'))
    model = load_recognizer(Config.fromfile(str(config)), None, seed=1)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'last.pth')
    out = tmp_path / 'bias.csv'
    assert run_tool(monkeypatch, TOOL, config, tmp_path / 'last.pth', '--out', out, '--splits',
                    'seen', 'unseen') is None
    table = pd.read_csv(out)
    assert list(table['split']) == ['seen', 'unseen'] and list(table['test_videos']) == [7, 4]
    assert (table['num_classes'] == 8).all()


@pytest.mark.parametrize('change, message', [
    (lambda files: files[:2], 'give CONFIG and CHECKPOINT'),
    (lambda files: files[:2] + files[4:6], 'no column action_label'),
    (lambda files: [*files[:4], *files[4:6], '--test-list', files[3]], 'has no row for 400')])
def test_one_clear_error(monkeypatch, tmp_path, change, message):
    rng = np.random.default_rng(0)
    files = [part for name in ('train', 'test') for part in write_part(tmp_path, name, True, rng)]
    error = run_tool(monkeypatch, TOOL, *change(files), '--out', tmp_path / 'x.csv')
    assert error.startswith('error: ') and message in error
    assert not (tmp_path / 'x.csv').exists()
