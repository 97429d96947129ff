"""tools/data/extract_flow.py: from a config to flow files that its training reads."""
import argparse
import importlib.util
import json
import random
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from recipe_rows import read_row

from devias_mm.errors import UserError

CONFIG = 'configs/dsm/dsm-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py'


def call(monkeypatch, root, *args):
    spec = importlib.util.spec_from_file_location('flow', root / 'tools/data/extract_flow.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    monkeypatch.chdir(root)
    tool.main(parser.parse_args([str(arg) for arg in args]))


def first_sample(root, data, options, seed=0):
    cfg = Config.fromfile(root / CONFIG)
    cfg.merge_from_dict({'train_dataloader.dataset.data_root': str(data), **options})
    init_default_scope(cfg.default_scope)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    random.seed(seed)
    np.random.seed(seed)
    return dataset[0]['data_samples'].flow.float()


def test_training_reads_what_the_tool_writes(root, tiny_data, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'flow'
    options = (CONFIG, '--data-root', tiny_data, '--out', out, '--reduction', 2)
    call(monkeypatch, root, *options)
    assert 'flow of 8 videos added, 0 had' in capsys.readouterr().out
    files = sorted(out.glob('*.npz'))
    assert [file.stem for file in files] == [f'{i:02d}' for i in range(8)]
    settings = json.loads((out / 'parameters.json').read_text())
    assert settings.items() >= dict(stride=2, preset='fast', short_side=256, reduction=2).items()
    estimated = first_sample(root, tiny_data, {})
    cached = first_sample(root, tiny_data,
                          {'train_dataloader.dataset.pipeline.2.cache': str(out)})
    assert cached.shape == estimated.shape == (2, 7, 48, 48)
    moving = estimated.norm(dim=0) > 1.5
    assert (cached - estimated).norm(dim=0)[moving].median() < .3 * estimated.norm(
        dim=0)[moving].median()
    # started again it makes what lacks, in as many processes as one likes, and nothing else
    content = files[3].read_bytes()
    files[3].unlink()
    kept = files[0].stat().st_mtime_ns
    # a forked worker would wait for the threads that OpenCV has in this process by now
    cv2.setNumThreads(1)
    call(monkeypatch, root, *options, '--workers', 2)
    assert 'flow of 1 videos added, 7 had' in capsys.readouterr().out
    assert files[0].stat().st_mtime_ns == kept
    with np.load(files[3]) as again:
        files[0].with_name('earlier.npz').write_bytes(content)
        with np.load(out / 'earlier.npz') as earlier:
            assert all((again[key] == earlier[key]).all() for key in ('flow', 'scale', 'stride'))
    with pytest.raises(UserError, match=r'reduction \(there: 2, asked: 4\).*--out'):
        call(monkeypatch, root, *options[:-1], 4)


def test_broken_videos_and_bad_options(root, tiny_data, tmp_path, monkeypatch, capsys):
    data = Path(shutil.copytree(tiny_data, tmp_path / 'data'))
    (data / 'annotations/train.txt').write_text('00.mp4 0 1 2\nbroken.mp4 1 1 2\n')
    (data / 'videos/broken.mp4').write_bytes(b'no video')
    options = ('--data-root', data, '--out', tmp_path / 'flow')
    with pytest.raises(UserError, match=r'1 of 2 videos cannot be used(?s:.*)broken.mp4'):
        call(monkeypatch, root, CONFIG, *options)
    assert (tmp_path / 'flow/00.npz').is_file() and not (tmp_path / 'flow/manifest.json').exists()
    assert not (tmp_path / 'flow/broken.npz').exists()
    moco = tmp_path / 'moco.py'
    read_row('benchmarks/puppets_pretraining.py:moco/pretrain').dump(moco)
    for arguments, message in (((moco, *options), 'no BackwardFlow'),
                               ((CONFIG, *options, '--workers', 0), '--workers'),
                               (('none.py', *options), 'not found: none.py')):
        with pytest.raises(UserError, match=message):
            call(monkeypatch, root, *arguments)


@pytest.mark.parametrize('name', ['../out.mp4', '{root}/out.mp4', '../videos/../out.mp4'])
def test_names_that_lead_out_are_refused(root, tiny_data, tmp_path, monkeypatch, name):
    data = Path(shutil.copytree(tiny_data, tmp_path / 'data'))
    shutil.copy(data / 'videos/00.mp4', data / 'out.mp4')
    name = name.format(root=data)
    (data / 'annotations/train.txt').write_text(f'00.mp4 0 1 2\n{name} 1 1 2\n')
    with pytest.raises(UserError, match='name'):
        call(monkeypatch, root, CONFIG, '--data-root', data, '--out', tmp_path / 'flow')
    assert not (tmp_path / 'flow').exists()
