"""Configs that cannot work are refused in one line before anything is built."""
import argparse

import pytest
from mmengine.config import Config
from tiny_runs import ROOT, make_config

from devias_mm.engine.check_config import check_config
from devias_mm.engine.config import load_config, parse_options
from devias_mm.errors import MissingFileError, UsageError

CONFIG = ROOT / 'configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
BAD = [
    ({'train_cfg.max_epochs': 0}, 'train_cfg.max_epochs=0: accepted are integers of at least 1.'),
    ({'train_cfg.max_epochs': -3}, 'train_cfg.max_epochs=-3: '),
    ({'train_cfg.max_epochs': '5'}, "train_cfg.max_epochs='5': "),
    ({'train_cfg.val_interval': 0}, 'train_cfg.val_interval=0: '),
    ({'train_dataloader.batch_size': 0}, 'train_dataloader.batch_size=0: '),
    ({'val_dataloader.num_workers': -1}, 'val_dataloader.num_workers=-1: accepted are integers '
                                         'of at least 0.'),
    ({'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': True},
     'train_dataloader.persistent_workers=True: that needs num_workers of at least 1'),
    ({'optim_wrapper.optimizer.lr': -1.0}, 'optim_wrapper.optimizer.lr=-1.0: accepted are numbers'),
    ({'optim_wrapper.optimizer.lr': 'fast'}, "optim_wrapper.optimizer.lr='fast': "),
    ({'optim_wrapper.optimizer.lr': float('nan')}, 'optim_wrapper.optimizer.lr=nan: '),
    ({'optim_wrapper.optimizer.weight_decay': None}, 'optim_wrapper.optimizer.weight_decay=None: '),
    ({'optim_wrapper.accumulative_counts': 0}, 'optim_wrapper.accumulative_counts=0: '),
    ({'train_dataloader.batchsize': 4}, "a data loader takes no 'batchsize'; did you mean "
                                        "'batch_size'?"),
    ({'train_cfg.max_epoch': 4}, "did you mean 'max_epochs'?"),
    ({'optim_wraper': dict(lr=1)}, "a runner takes no 'optim_wraper'; did you mean "
                                   "'optim_wrapper'?"),
    ({'model.slot_atention': {}}, "DEVIAS takes no 'slot_atention'; did you mean "
                                  "'slot_attention'?"),
    ({'model.backbone.deepth': 3}, "did you mean 'depth'?"),
    ({'model.type': 'DEVIAZ'}, "model.type='DEVIAZ': nothing of that name is registered; did you "
                               "mean 'DEVIAS'?"),
    ({'train_dataloader.dataset.colums': 3}, "ActionSceneDataset takes no 'colums'"),
    ({'train_dataloader.dataset.pipeline.0.smapler': 3}, "ReadClip takes no 'smapler'"),
    ({'train_dataloader.dataset.type': 'ActionDataset'}, "type='ActionDataset': nothing of that"),
    ({'optim_wrapper.optimizer.momentun': 1}, "takes no 'momentun'"),
    ({'model.num_classes': 7}, 'model.num_classes=7: the data of train_dataloader has '
                               'num_classes=8; accepted is 8'),
    ({'model.num_classes': 9}, 'model.num_classes=9: '),
    ({'model.num_scene_classes': 5}, 'model.num_scene_classes=5: the data of train_dataloader has '
                                     'num_scene_classes=8'),
    ({'val_dataloader.dataset.num_classes': 9}, 'the data of val_dataloader has num_classes=9'),
]


@pytest.mark.parametrize('change, message', BAD, ids=[str(list(change)[-1]) for change, _ in BAD])
def test_a_bad_value_or_key_is_named(change, message):
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict(change)
    with pytest.raises(UsageError) as error:
        check_config(cfg, training=True)
    assert message in str(error.value) and '\n' not in str(error.value)


def test_what_a_test_needs_is_checked_for_a_test():
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict({'train_dataloader.batch_size': 0})
    check_config(cfg, training=False)
    cfg.merge_from_dict({'test_dataloader.batch_size': 0})
    with pytest.raises(UsageError, match='test_dataloader.batch_size=0'):
        check_config(cfg, training=False)


def test_a_teacher_of_other_scenes_is_named():
    cfg = Config.fromfile(CONFIG)
    cfg.model.scene_teacher = dict(type='NaiveRecognizer', task='scene', num_classes=8,
                                   num_scene_classes=5, backbone=dict(cfg.model.backbone))
    with pytest.raises(UsageError, match='model.num_scene_classes=8: the scene teacher has 5'):
        check_config(cfg, training=True)


def test_every_shipped_config_is_accepted():
    paths = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)
    assert len(paths) > 50
    for path in paths:
        cfg = Config.fromfile(path)
        for training in (True, False):
            check_config(cfg, training)


def test_a_model_of_mmaction2_is_accepted(tmp_path, tiny_data):
    cfg = make_config(tmp_path, tiny_data)
    check_config(cfg, training=True)
    cfg.model.cls_head.num_classes = 5
    with pytest.raises(UsageError, match='model.cls_head.num_classes=5: .* num_classes=8'):
        check_config(cfg, training=False)


def arguments(*pairs, config=CONFIG):
    return argparse.Namespace(config=str(config), cfg_options=list(pairs))


def test_options_that_change_nothing_are_named():
    with pytest.raises(UsageError, match="neither the config nor a runner has 'max_epochs'"):
        load_config(arguments('max_epochs=3'))
    with pytest.raises(UsageError, match="has 'modle'; did you mean 'model'"):
        load_config(arguments('modle.num_classes=3'))
    with pytest.raises(UsageError, match='--cfg-options do not go with the config'):
        load_config(arguments('param_scheduler.99.begin=3'))
    with pytest.raises(MissingFileError, match='config not found: none.py'):
        load_config(arguments(config='none.py'))
    # what the config leaves out, but a runner takes
    cfg = load_config(arguments('auto_scale_lr.base_batch_size=3', 'train_cfg.max_epochs=4'))
    assert cfg.auto_scale_lr.base_batch_size == 3 and cfg.train_cfg.max_epochs == 4
    assert cfg.launcher == 'none' and cfg.work_dir == f'work_dirs/{CONFIG.stem}'


def test_options_are_parsed_as_mmengine_does():
    parsed = parse_options(['a.b=1', 'c=[1,2.5]', 'd=None', 'e=text', 'f=x=y'])
    assert parsed == {'a.b': 1, 'c': [1, 2.5], 'd': None, 'e': 'text', 'f': 'x=y'}
    assert parse_options({'a': 1}) == {'a': 1}
