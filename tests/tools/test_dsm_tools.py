"""The command lines of DSM: label subsets, and retrieval from a config and a checkpoint."""
import runpy
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

CONFIG = 'configs/dsm/dsm-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py'


def call(monkeypatch, tool, *args):
    monkeypatch.setattr(sys, 'argv', [str(tool), *map(str, args)])
    runpy.run_path(str(tool), run_name='__main__')


def test_label_subset(root, tmp_path, monkeypatch, capsys):
    tool = root / 'tools/data/make_label_subset.py'
    lines = [f'clip {i}.mp4 {i % 4}' for i in range(80)]  # a blank in the name
    (tmp_path / 'train.txt').write_text('\n'.join(lines) + '\n\n')
    call(monkeypatch, tool, tmp_path / 'train.txt', '--percent', 10, '--seed', 3)
    found = (tmp_path / 'train_10pct_seed3.txt').read_text().splitlines()
    assert [line for line in lines if line in found] == found  # as they are, in their order
    assert sorted(int(line.split()[-1]) for line in found) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert 'sha256' in capsys.readouterr().out
    for bad, message in ((('--percent', 0), 'percent'), (('--percent', 5, '--seed', -1), 'seed'),
                         (('--percent', 5, '--columns', 'scene_label'), 'lacks `label`'),
                         (('--percent', 5, '--out', tmp_path / 'train.txt'), 'itself'),
                         (('--percent', 5, '--columns', 'label', 'scene_label'), 'line 1')):
        with pytest.raises(SystemExit, match=message):
            call(monkeypatch, tool, tmp_path / 'train.txt', *bad)


def test_retrieval(root, tiny_data, tmp_path, monkeypatch, capsys):
    tool = root / 'tools/analysis/retrieval.py'
    monkeypatch.chdir(root)
    init_default_scope('mmaction')
    model = MODELS.build(Config.fromfile(root / CONFIG).model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    options = ('--data-root', tiny_data, '--out', tmp_path / 'table.csv', '--cfg-options',
               'test_dataloader.num_workers=0', 'test_dataloader.batch_size=3')
    call(monkeypatch, tool, CONFIG, tmp_path / 'model.pth', '--splits', 'seen', '--k', 1, 8,
         '--gallery', 'annotations/seen.txt', *options)
    table = pd.read_csv(tmp_path / 'table.csv')
    # the gallery is the query set itself: each clip finds itself
    assert table.recall_percent.tolist() == [100., 100.]
    assert table.k.tolist() == [1, 8]
    assert table.queries.tolist() == table.gallery_clips.tolist() == [7, 7]
    assert (table.checkpoint_sha256.str.len() == 64).all()
    call(monkeypatch, tool, CONFIG, '--random-init', '--splits', 'unseen', *options)
    table = pd.read_csv(tmp_path / 'table.csv')
    assert table.gallery.unique().tolist() == ['annotations/train.txt']
    assert table.recall_percent.is_monotonic_increasing
    assert table.queries.tolist() == [4] * 5
    call(monkeypatch, tool, CONFIG, '--random-init', *options, 'test_cfg.selected=[seen]')
    assert pd.read_csv(tmp_path / 'table.csv').split.unique().tolist() == ['seen']
    for bad, message in (((), 'either'), (('--random-init', '--pool', 0, 1, 1), '--pool'),
                         (('--random-init', '--splits', 'tset'), "'tset'"),
                         ((tmp_path / 'none.pth', ), 'not found')):
        with pytest.raises(SystemExit, match=message):
            call(monkeypatch, tool, CONFIG, *bad, *options)


def test_retrieval_of_videos_with_several_clips_and_of_broken_ones(
        root, tiny_data, tmp_path, monkeypatch, capsys):
    tool = root / 'tools/analysis/retrieval.py'
    monkeypatch.chdir(root)
    text = (root / CONFIG).read_text().replace("'../", f"'{root}/configs/").replace(
        "'./", f"'{root}/configs/dsm/")
    (tmp_path / 'units.py').write_text(text + (
        'test_pipeline = [dict(type="ReadClip", backend="opencv", sampler=dict(\n'
        '    type="ConsecutiveClips", clip_len=8)), *_base_.test_pipeline[1:]]\n'
        'test_dataloader = dict(dataset=dict(pipeline=test_pipeline))\n'))
    data = Path(shutil.copytree(tiny_data, tmp_path / 'data'))
    (data / 'videos' / 'broken.mp4').write_bytes(b'no video')
    (data / 'annotations' / 'broken.txt').write_text(
        '00.mp4 0 0 0\nbroken.mp4 1 0 0\n')
    call(monkeypatch, tool, tmp_path / 'units.py', '--random-init', '--splits', 'seen', '--out',
         tmp_path / 'table.csv', '--data-root', data, '--gallery', 'annotations/broken.txt',
         '--cfg-options', 'test_dataloader.num_workers=0',
         'test_splits.seen.ann_file=annotations/broken.txt')
    table = pd.read_csv(tmp_path / 'table.csv')
    # 16 frames: two clips of 8; the broken one is a query that misses, and not in the gallery
    assert table.gallery_clips.unique().tolist() == [2]
    assert table.queries.unique().tolist() == [3]
    assert table.unreadable.unique().tolist() == [1]
    assert table.recall_percent.tolist() == pytest.approx([100 * 2 / 3] * 5, abs=1e-3)
    assert 'broken' in capsys.readouterr().err
