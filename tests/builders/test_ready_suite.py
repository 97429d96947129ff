"""From videos to a score: build a test set, test a model on it."""
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from mmengine.config import Config
from run_tool import run

from devias_mm.builders.puppets import PRESETS, PuppetsWriter
from devias_mm.engine.inference import load_recognizer
from devias_mm.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
METHODS = """
from devias_mm.harness import Method
methods = {{'mine': Method({config!r}, 'Mine', predicts=('action', ), checkpoint={weights!r})}}
"""


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp('puppets')
    PuppetsWriter(PRESETS['tiny'], root).run()
    data = root / 'tiny'
    lines = (data / 'annotations/seen.txt').read_text().splitlines()[:8]
    (root / 'list.txt').write_text('\n'.join(lines))
    return data, ['--list', root / 'list.txt', '--data-root', data / 'videos', '--columns',
                  'filename', 'label', 'scene_label', 'background_label', '--masks',
                  data / 'masks']


def options_of(data, tool):
    if tool == 'build_hat':
        return ['--classes', data / 'annotations/action_classes.txt', '--draws', 2]
    return ['--stripes', '--scufo', '--num-classes', 8, '--min-area', .01]


@pytest.mark.parametrize('tool, splits, columns, form', [
    ('build_hat', {'seen': 8, 'hat-scene-only': 8, 'hat-human-only': 8, 'hat-random/1': 8,
                   'hat-random/2': 8}, ['shacc_hat-random_mean', 'bor_mean'], ['--layout', 'hat']),
    ('build_hat', {'hat-random/2': 8}, ['shacc_hat-random_mean'], ['--layout', 'devias-ucf101']),
    ('build_scuba', {'scuba': 8, 'scufo': 8}, ['action_unseen_mean'], []),
    ('build_scuba', {'scuba': 8, 'scufo': 8}, ['action_unseen_mean'], ['--format', 'video'])])
def test_a_built_set_is_tested_at_once(source, tmp_path, capsys, tool, splits, columns, form):
    data, arguments = source
    built = tmp_path / 'built'
    run(f'data/{tool}', *arguments, *options_of(data, tool), *form, '--out', built)
    moved = tmp_path / 'my set'
    built.rename(moved)  # the suite names no folder but its own
    run('test_bias', CONFIG, 'none', '--suite', moved / 'suite.py', '--work-dir',
        tmp_path / 'work', *(['--splits', *splits] if len(splits) == 1 else []))
    for split, videos in splits.items():
        table = pd.read_parquet(tmp_path / 'work/predictions' / f'{split}.parquet')
        assert len(table) == videos and table['error'].isna().all()
        assert table['action_scores'].map(len).eq(8).all()
        assert sorted(table['action_label']) == list(range(8))
    row = pd.read_csv(tmp_path / 'work/leaderboard.csv').iloc[0]
    assert all(row[column] >= 0 for column in columns)
    out = tmp_path / 'classes.csv'
    run('analysis/per_class', tmp_path / 'work', '--split', split.split('/')[0], '--csv', out)
    assert pd.read_csv(out)['n'].sum() == sum(
        videos for name, videos in splits.items() if name.split('/')[0] == split.split('/')[0])


def test_the_methods_of_a_built_set_are_run(source, tmp_path, capsys):
    data, arguments = source
    run('data/build_scuba', *arguments, *options_of(data, 'build_scuba'), '--out', tmp_path / 's')
    cfg = Config.fromfile(str(CONFIG))
    weights = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=load_recognizer(cfg, None).state_dict()), weights)
    suite = [tmp_path / 's/suite.py', '--out', tmp_path / 'runs']
    command = ['benchmark', 'run', *suite, '--gpus', 0]
    with pytest.raises(UserError, match='methods.py'):
        run(*command)
    (tmp_path / 's/methods.py').write_text(METHODS.format(config=str(CONFIG),
                                                          weights=str(weights)))
    run(*command, '--dry-run')
    printed = capsys.readouterr().out
    assert 'dist_test.sh' in printed and str(weights) in printed
    run(*command)
    run('benchmark', 'table', *suite)
    assert '| Mine ' in capsys.readouterr().out
    assert json.loads((tmp_path / 's/manifest.json').read_text())['num_classes'] == 8
