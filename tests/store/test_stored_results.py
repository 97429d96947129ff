"""Prediction tables and run.json: content, types and atomicity."""
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from mmengine.config import Config

from devias_mm.files import file_sha256
from devias_mm.store.identity import config_identity
from devias_mm.store.predictions import SCHEMA, read_predictions, write_predictions
from devias_mm.store.run_folder import RunFolder
from devias_mm.store.run_record import run_record, write_run_record

BASE = dict(model=dict(depth=2), data=dict(data_root='/a/toy', batch=4), work_dir='x',
            load_from='/here/runs/naive/seed0-0123abcd/epoch_3.pth')


def row(name, **changes):
    return dict(dict(video_id=name, action_label=1, scene_label=-1, background_label=2,
                     action_scores=np.array([0.25, 0.75], dtype=np.float32),
                     scene_scores=None, error=None), **changes)


def test_table_round_trip(tmp_path):
    path = tmp_path / 'predictions' / 'seen.parquet'
    write_predictions(path, [row('b'), row('a', action_scores=None, error='empty')])
    assert pq.read_schema(path).equals(SCHEMA)
    table = read_predictions(path)
    assert list(table['video_id']) == ['b', 'a']
    np.testing.assert_array_equal(table['action_scores'][0], np.float32([0.25, 0.75]))
    assert table['action_scores'][1] is None and table['error'][1] == 'empty'
    assert table['background_label'].dtype == np.int64


def test_failed_write_keeps_the_old_table(tmp_path):
    path = tmp_path / 'seen.parquet'
    write_predictions(path, [row('a')])
    with pytest.raises(KeyError):
        write_predictions(path, [dict(video_id='b')])
    assert list(read_predictions(path)['video_id']) == ['a']
    assert [item.name for item in tmp_path.iterdir()] == ['seen.parquet']


@pytest.mark.parametrize('changed', [
    dict(work_dir='y'), dict(data=dict(batch=4, data_root='/b/toy', num_workers=3)),
    dict(launcher='slurm', resume=True, env_cfg=dict(cudnn_benchmark=True)),
    dict(randomness=dict(seed=3)), dict(default_hooks=dict(logger=dict(interval=1))),
    dict(load_from='/elsewhere/runs/naive/seed1-0123abcd/epoch_3.pth'),
    dict(test_cfg=dict(selected=['seen'], on_error='skip'))])
def test_identity_does_not_see_the_machine(changed):
    assert config_identity(Config(dict(BASE, **changed))) == config_identity(Config(BASE))


@pytest.mark.parametrize('changed', [
    dict(model=dict(depth=3)), dict(data=dict(batch=5, data_root='/a/toy')),
    dict(data=dict(batch=4, data_root='/a/other')), dict(randomness=dict(deterministic=True)),
    dict(load_from='/here/runs/naive/seed0-ffffffff/epoch_3.pth'),
    dict(load_from='/here/runs/naive/seed0-0123abcd/epoch_2.pth'),
    dict(model=dict(depth=2, num_layers=1)), dict(default_hooks=dict(ema=dict(interval=1)))])
def test_identity_sees_the_experiment(changed):
    assert config_identity(Config(dict(BASE, **changed))) != config_identity(Config(BASE))


def test_identity_names_paths_by_what_they_are(tmp_path):
    def identity(root, path):
        return config_identity(Config(dict(bank=path)), root)
    inside = identity(tmp_path, f'{tmp_path}/data/bank.npy')
    assert inside == identity(tmp_path, 'data/bank.npy') != identity(tmp_path, 'other/bank.npy')
    assert inside == identity(tmp_path / 'clone', f'{tmp_path}/clone/data/bank.npy')
    assert identity(tmp_path, 'https://a/x.pth') != identity(tmp_path, 'https://b/x.pth')


@pytest.mark.parametrize('name, epoch, rule', [
    ('epoch_5.pth', 5, 'last'), ('best_acc_top1_epoch_3.pth', 3, 'best on val'),
    ('epoch_3.pth', 3, 'epoch 3 of 5'), ('weights.pth', None, 'last')])
def test_run_record(tmp_path, name, epoch, rule):
    path = tmp_path / name
    path.write_bytes(b'abc')
    cfg = Config(dict(train_cfg=dict(max_epochs=5)))
    meta = dict(seed=7) if epoch is None else dict(seed=7, epoch=epoch)
    for split in ('unseen', 'seen'):
        write_run_record(RunFolder(tmp_path), run_record(
            cfg, 'the hash', str(path), dict(meta=meta), 0, 1.5, [split]))
    record = json.loads((tmp_path / 'run.json').read_text())
    assert set(record) == {'config', 'config_hash', 'checkpoint', 'checkpoint_sha256', 'git',
                           'load_from_sha256', 'versions', 'environment', 'seed', 'wall_clock_s',
                           'selection', 'splits'}
    assert record['selection'] == rule and record['config_hash'] == 'the hash'
    assert record['seed'] == 7 and record['splits'] == ['unseen', 'seen']
    assert record['checkpoint_sha256'] == file_sha256(path)
    assert record['checkpoint_sha256'].startswith('ba7816bf')  # SHA-256 of "abc"
    assert record['load_from_sha256'] is None  # from scratch
    assert record['versions']['mmcv'] and record['environment']['cores'] >= 1


def test_the_seed_is_no_part_of_a_runs_identity():
    def identity(**randomness):
        return config_identity(Config(dict(randomness=randomness, lr=1)))

    assert identity(seed=0) == identity(seed=1)
    assert identity(seed=0) != identity(seed=0, deterministic=True)
