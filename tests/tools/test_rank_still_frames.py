"""The frame bank of StillMix, from a reference network to a training batch."""
import json
import runpy
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from recipe_rows import read_row
from tiny_runs import ROOT
from tool_calls import run_tool

from devias_mm.augments.still_mix import open_frame_bank
from devias_mm.files import file_sha256

STILL = ROOT / 'configs/still_mix'
MIX = STILL / 'still-mix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'


def reference_network() -> Config:
    """The recipe that the suite trains before StillMix."""
    return read_row('benchmarks/puppets.py:still-mix-reference/pretrain')


@pytest.fixture
def reference(tmp_path):
    """The recipe as a file."""
    path = tmp_path / 'reference.py'
    reference_network().dump(path)
    return path


def rank(monkeypatch, *arguments):
    """Run the tool in this process; return the message of a mistake, ``None`` without one."""
    options = ('--cfg-options', 'val_dataloader.num_workers=0', 'val_dataloader.batch_size=3')
    return run_tool(monkeypatch, 'data/rank_still_frames.py', *arguments, *options)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """A reference network that is not trained but decided."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(reference_network().model)
    torch.nn.init.normal_(model.head.weight)
    path = tmp_path_factory.mktemp('reference') / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path, model.eval()


def still_frames(data, mode: str):
    """Every clip that the reference network sees of the training list, ``(N, 3, T, H, W)``."""
    cfg = reference_network()
    cfg.train_dataloader.dataset.update(data_root=str(data))
    if mode == 'val':
        cfg.train_dataloader.dataset.update(
            pipeline=cfg.val_dataloader.dataset.pipeline, test_mode=True)
    with DefaultScope.overwrite_default_scope('mmaction'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    return torch.stack([dataset[i]['inputs'][0] for i in range(len(dataset))])


def test_the_reference_network_sees_one_frame(tiny_data):
    for mode in ('train', 'val'):
        clips = still_frames(tiny_data, mode)
        assert clips.shape == (8, 3, 8, 48, 48)
        assert torch.equal(clips, clips[:, :, :1].expand_as(clips))
    np.random.seed(0)
    frames = [still_frames(tiny_data, 'train')[7, 0, 0] for _ in range(4)]
    assert any(not torch.equal(frames[0], frame) for frame in frames[1:])


def test_bank(reference, tiny_data, checkpoint, tmp_path, monkeypatch, capsys):
    path, model = checkpoint
    out = tmp_path / 'bank'
    arguments = (reference, path, '--data-root', tiny_data, '--out', out)
    assert rank(monkeypatch, *arguments) is None
    assert 'wrote 6 of 8 frames' in capsys.readouterr().out
    clips = still_frames(tiny_data, 'val')
    with torch.no_grad():
        inputs = model.data_preprocessor(dict(inputs=[clip[None] for clip in clips],
                                              data_samples=[]))['inputs'].flatten(0, 1)
        expected, predicted = model.probabilities(inputs)['action'].max(-1)
    table = pd.read_csv(out / 'ranking.csv', dtype=dict(video_id=str))
    assert table.video_id.tolist() == [f'{i:02d}' for i in range(8)]
    np.testing.assert_allclose(table.probability, expected, rtol=1e-4)
    assert table.predicted.tolist() == predicted.tolist()
    # above the first quartile: all but the two that the network is least sure of
    least = table.probability.nsmallest(2).index
    assert table.index[~table.kept].tolist() == sorted(least)
    bank = open_frame_bank(out)
    np.testing.assert_array_equal(bank, clips[:, :, 0][torch.from_numpy(table.kept.to_numpy())])
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['sha256'] == file_sha256(out / 'frames.npy')
    assert manifest['checkpoint_sha256'] == file_sha256(path)
    assert manifest['ranked'] == 8 and manifest['frames'] == 6 and manifest['unreadable'] == {}
    assert sorted(item.name for item in out.iterdir()) == [
        'frames.npy', 'manifest.json', 'ranking.csv']

    # the bank goes into a training by config
    cfg = Config.fromfile(MIX)
    cfg.merge_from_dict({'model.data_preprocessor.augments.0.bank': str(out),
                         'model.data_preprocessor.augments.0.ratio': 1.})
    with DefaultScope.overwrite_default_scope('mmaction'):
        mix = MODELS.build(cfg.model.data_preprocessor).augments[0]
    black, _ = mix(torch.zeros(4, 3, 8, 48, 48), None)
    assert black.amax() > .2 and torch.equal(black, black[:, :, :1].expand_as(black))


def test_ties_do_not_empty_the_bank():
    """The published rule: the upper 1 - q of the sorted list, ties or not."""
    choose = runpy.run_path(str(ROOT / 'tools/data/rank_still_frames.py'))['choose']
    probability = np.array([1.] * 80 + list(np.linspace(.1, .9, 20)))
    np.random.default_rng(0).shuffle(probability)
    for quantile, count in ((.25, 75), (0., 100), (.1, 90), (.75, 25)):
        chosen, lowest = choose(probability, quantile, None, 0)
        assert len(set(chosen.tolist())) == len(chosen) == count
        kept, left = probability[chosen], np.delete(probability, chosen)
        assert sorted(kept) == sorted(probability)[100 - count:]
        assert lowest == kept.min() and (not len(left) or left.max() <= kept.min())
        assert chosen.tolist() == sorted(chosen)
    assert len(choose(np.ones(1), .9, None, 0)[0]) == 1
    assert len(choose(probability, .25, 30, 0)[0]) == 30


def test_several_frames_and_a_limit(reference, tiny_data, checkpoint, tmp_path, monkeypatch):
    def bank(name, *options):
        out = tmp_path / name
        assert rank(monkeypatch, reference, checkpoint[0], '--data-root', tiny_data, '--out', out,
                    '--frames-per-video', 2, *options) is None
        return pd.read_csv(out / 'ranking.csv'), file_sha256(out / 'frames.npy')

    table, _ = bank('all', '--quantile', .5)
    assert table.view.tolist() == [0, 1] * 8 and table.kept.sum() == 8
    limited = [bank(str(i), '--max-frames', 3, '--seed', seed) for i, seed in enumerate((1, 1, 2))]
    assert all(table.kept.sum() == 3 for table, _ in limited)
    assert limited[0][1] == limited[1][1]
    assert limited[0][1] != limited[2][1]


def test_unreadable_videos_are_named(reference, tiny_data, checkpoint, tmp_path, monkeypatch,
                                     capsys):
    data = shutil.copytree(tiny_data, tmp_path / 'data')
    (data / 'videos' / '03.mp4').write_bytes(b'')
    assert rank(monkeypatch, reference, checkpoint[0], '--data-root', data,
                '--out', tmp_path / 'bank') is None
    assert 'not ranked: 03: ' in capsys.readouterr().out
    assert '03' in json.loads((tmp_path / 'bank/manifest.json').read_text())['unreadable']
    assert len(pd.read_csv(tmp_path / 'bank/ranking.csv')) == 7


def test_errors(reference, tiny_data, checkpoint, tmp_path, monkeypatch):
    def message(*arguments):
        return rank(monkeypatch, *arguments, '--out', tmp_path / 'bank', '--data-root', tiny_data)

    assert 'frame_interval=0' in message(MIX, checkpoint[0])
    assert 'checkpoint not found' in message(reference, tmp_path / 'none.pth')
    assert 'config not found' in message(tmp_path / 'none.py', checkpoint[0])
    assert '--quantile must lie in [0, 1)' in message(reference, checkpoint[0], '--quantile', 1)
    assert '--max-frames 0' in message(reference, checkpoint[0], '--max-frames', 0)
    assert not (tmp_path / 'bank' / 'manifest.json').exists()
