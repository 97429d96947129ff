"""``tools/test_bias.py`` on models that ship with MMAction2, their weights random."""
import pandas as pd
import pytest
from test_train_and_test_tools import run_tool

from devias_mm.store.predictions import read_predictions

ZOO = 'mmaction::recognition/'
SUITE = """
from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.harness import Data, Protocol, Suite
suite = Suite(
    name='tiny', title='Tiny', data=Data(r'{config}'), methods={{}}, protocol=Protocol(
        splits=('seen', 'unseen'),
        metrics=(*seen_unseen(action_seen=('seen', ), action_unseen=('unseen', )),
                 *per_split(('seen', 'unseen')), *swap_metrics(('unseen', )),
                 *ratios(('seen', ), background_only='unseen', human_only='unseen'))))
"""
DATA = """
_base_ = [r'{root}/configs/_base_/datasets/puppets.py']
test_dataloader = dict(dataset=dict(data_root=r'{data}'))
test_cfg = dict(splits=dict(_delete_=True, seen=dict(ann_file='annotations/seen.txt'),
                            unseen=dict(ann_file='annotations/unseen.txt')))
"""
# one clip a video, and less of the two largest networks
CLIP = 'test_dataloader.dataset.pipeline.0.sampler.num_clips=1'
MODELS = {
    'tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb': [CLIP],
    'tsm/tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb': [],
    'slowonly/slowonly_imagenet-pretrained-r50_8xb16-4x16x1-steplr-150e_kinetics400-rgb':
        [CLIP, 'test_dataloader.dataset.pipeline.0.sampler.clip_len=2'],
    'x3d/x3d_s_13x6x1_facebook-kinetics400-rgb': [CLIP],
    'videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400':
        [CLIP, 'model.backbone.depth=1'],
}


@pytest.fixture
def suite(tmp_path, tiny_data):
    from tiny_runs import ROOT
    config = tmp_path / 'data.py'
    config.write_text(DATA.format(root=ROOT, data=tiny_data))
    path = tmp_path / 'tiny_suite.py'
    path.write_text(SUITE.format(config=config))
    return path


@pytest.mark.parametrize('name', MODELS, ids=lambda name: name.split('/')[0])
def test_models_of_mmaction(monkeypatch, capsys, tmp_path, suite, name):
    options = ['--suite', suite, '--work-dir', tmp_path / 'out', '--limit-test', 2]
    if MODELS[name]:
        options += ['--cfg-options', *MODELS[name]]
    assert run_tool(monkeypatch, 'test_bias.py', f'{ZOO}{name}.py', 'none', *options) is None
    for split in ('seen', 'unseen'):
        table = read_predictions(tmp_path / 'out' / 'predictions' / f'{split}.parquet')
        assert len(table) == 2 and table['error'].isna().all()
        assert all(len(row) == 8 and abs(row.sum() - 1) < 1e-4 for row in table['action_scores'])
        assert (table['background_label'] >= 0).all()
    row = pd.read_csv(tmp_path / 'out' / 'leaderboard.csv').iloc[0]
    for column in ('seen', 'unseen', 'shacc_unseen', 'sberr_unseen'):
        assert 0 <= row[f'{column}_mean'] <= 100
    assert (tmp_path / 'out' / 'run.json').is_file()
    printed = capsys.readouterr().out
    assert 'SHAcc unseen' in printed and 'SMOKE RUN' in printed


def test_data_elsewhere_needs_no_manifest(monkeypatch, capsys, suite, tiny_data):
    suite.write_text(suite.read_text().replace(
        "py')", "py', manifest='data/none/manifest.json', command='make')", 1))
    arguments = [f'{ZOO}{next(iter(MODELS))}.py', 'none', '--suite', suite, '--dry-run']
    error = run_tool(monkeypatch, 'test_bias.py', *arguments)
    assert 'there is no data/none/manifest.json' in error and 'make' in error
    assert run_tool(monkeypatch, 'test_bias.py', *arguments, '--data-root', tiny_data) is None
    assert 'seen: 7 videos' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, message', [
    (['none.py', 'none'], 'config not found: none.py'),
    ([f'{ZOO}{next(iter(MODELS))}.py', 'gone.pth'], 'checkpoint not found: gone.pth'),
    ([f'{ZOO}{next(iter(MODELS))}.py', 'none', '--splits', 'no'], "unknown split(s) ['no']"),
    ([f'{ZOO}{next(iter(MODELS))}.py', 'none', '--cfg-options', 'model.cls_head.no=1'],
     "100e_kinetics400-rgb.py: the model cannot be built on this suite: "),
])
def test_one_clear_error(monkeypatch, suite, arguments, message):
    error = run_tool(monkeypatch, 'test_bias.py', *arguments, '--suite', suite)
    assert error.startswith('error: ') and message in error
