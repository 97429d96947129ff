"""Building MMEngine's runner."""
import time

import pytest
import torch
from mmengine.config import Config
from tiny_runs import make_config

from devias_mm.engine.runner import build_runner
from devias_mm.engine.start import check_pretrained
from devias_mm.errors import CheckpointError


def test_two_runners_within_one_second_write_into_their_own_folders(
        tmp_path, tiny_data, monkeypatch):
    now = time.time()
    monkeypatch.setattr('mmengine.runner.runner.time.time', lambda: now)
    for name in ('first', 'second'):
        (tmp_path / name).mkdir()
        cfg = make_config(tmp_path / name, tiny_data)
        cfg.pop('experiment_name')  # named by the file and the second, as a user's is
        runner = build_runner(cfg)
        runner.logger.info(f'this is {name}')
        runner.visualizer.add_config(cfg)
        log_dir = tmp_path / name / 'work' / runner.timestamp
        assert (log_dir / 'vis_data' / 'config.py').is_file()
        assert f'this is {name}' in (log_dir / f'{runner.timestamp}.log').read_text()


def teacher(**kwargs) -> Config:
    """Config of a recognizer with a scene teacher."""
    return Config(dict(model=dict(type='NaiveRecognizer', scene_teacher=kwargs), load_from=None))


def test_a_scene_teacher_has_weights(tmp_path):
    path = str(tmp_path / 'a.pth')
    torch.save(dict(state_dict={'head.bias': torch.ones(1)}), path)
    own = dict(type='Pretrained', checkpoint=path)
    for parts in (dict(backbone=dict(type='TokenViT')), dict(classifier=dict(type='resnet'))):
        for init_cfg in (None, dict(type='Pretrained'), dict(own, checkpoint=None)):
            cfg = teacher(type='SomeTeacher', init_cfg=init_cfg, **parts)
            with pytest.raises(CheckpointError, match=r'SomeTeacher\) has no weights'):
                check_pretrained(cfg)
            cfg.load_from = path
            with pytest.raises(CheckpointError, match='has no weights'):
                check_pretrained(cfg)
        check_pretrained(teacher(type='SomeTeacher', init_cfg=own, **parts))
    check_pretrained(teacher(type='ClipSceneTeacher', checkpoint='openai/clip'))
    check_pretrained(Config(dict(model=dict(type='NaiveRecognizer', scene_teacher=None))))
    # a resumed training finds them in its checkpoint
    torch.save(dict(state_dict={'scene_teacher.head.bias': torch.ones(1)}), path)
    cfg.load_from, cfg.model.scene_teacher.init_cfg = path, None
    check_pretrained(cfg)


def test_an_encoder_without_its_file_is_named():
    cfg = teacher(type='ClipSceneTeacher')
    cfg.model.backbone = dict(type='FeatureMapTokens', init_cfg=dict(type='Pretrained'))
    with pytest.raises(CheckpointError, match='has no checkpoint: name a file.*init_cfg=None'):
        check_pretrained(cfg)
