"""Options and errors that the analysis tools share."""
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from test_knn_tool import CONFIG
from tiny_runs import ROOT
from tool_calls import run_tool

from devias_mm.datasets.scene_labels import SceneLabelError, write_scene_labels
from devias_mm.engine.inference import list_loader, load_recognizer, test_splits, training_list

test_splits.__test__ = False  # a function of the package
MASKED = ROOT / 'configs/actor_cutmix/actor-cutmix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'


def save_model(folder, data, name):
    """Write a config of a tiny model and random weights for it."""
    config = folder / 'tiny.py'
    config.write_text(CONFIG.format(root=ROOT, data=data).replace('tokens/two-token', name))
    model = load_recognizer(Config.fromfile(str(config)), None, seed=1)
    torch.save(dict(state_dict=model.state_dict()), folder / 'last.pth')
    return config, folder / 'last.pth'


@pytest.mark.parametrize('tool', ['knn', 'retrieval', 'scene_bias'])
@pytest.mark.parametrize('option', [['--dry-run'], ['--launcher', 'pytorch'], ['--work-dir', 'w']])
def test_options_that_they_do_not_obey_are_refused(monkeypatch, tmp_path, tool, option):
    out = tmp_path / 'table.csv'
    out.write_text('mine')
    error = run_tool(monkeypatch, f'analysis/{tool}.py', 'a.py', 'b.pth', '--out', out, *option)
    assert f'unrecognized arguments: {" ".join(option)}' in error
    assert out.read_text() == 'mine'


def test_slots_of_another_data_root_and_model(monkeypatch, tmp_path, tiny_data, capsys):
    config, weights = save_model(tmp_path, '/nowhere', 'devias/devias')
    tool = 'analysis/show_slots.py'
    options = ['--out', tmp_path / 'slots.png', '--clips', 2, '--data-root', tiny_data]
    assert run_tool(monkeypatch, tool, config, weights, *options, '--split', 'unseen') is None
    assert (tmp_path / 'slots.png').stat().st_size > 1000
    error = run_tool(monkeypatch, tool, config, weights, *options, '--cfg-options',
                     'model.num_scene_classes=9')
    assert 'does not fit the model' in error
    for arguments, message in ((['--split', 'no'], "unknown split(s) ['no']"),
                               (['--clips', 0], '--clips must be at least 1, got 0'),
                               (['--out', 'a.jpg'], '--out must end with .png'),
                               (['--cfg-options', 'model.type=TwoTokenRecognizer'], 'no slots')):
        assert message in run_tool(monkeypatch, tool, config, weights, *options, *arguments)


def test_data_root_of_masks_moves_with_the_videos(monkeypatch, tmp_path, tiny_data):
    from argparse import Namespace

    from devias_mm.engine.config import load_config
    args = Namespace(config=str(MASKED), data_root='/moved', cfg_options=None)
    cfg = load_config(args)
    steps = str(cfg.train_dataloader.dataset.pipeline)
    assert 'LoadMasks' in steps and "'data_root': '/moved'" in steps
    assert 'data/puppets' not in steps


@pytest.mark.parametrize('tool, arguments, message', [
    ('analysis/scene_bias.py', ['--train', 'nothere', '--test', 'nothere'],
     'file of scene features not found: nothere'),
    ('analysis/scene_bias.py', ['nothere.py', 'a.pth'], 'config not found: nothere.py'),
    ('analysis/knn.py', ['nothere.py', 'a.pth'], 'config not found: nothere.py'),
    ('analysis/retrieval.py', ['nothere.py', 'a.pth'], 'config not found: nothere.py'),
    ('analysis/per_class.py', ['nothere.parquet'], 'prediction table not found: nothere.parquet'),
    ('data/make_label_subset.py', ['nothere.txt', '--percent', '10'],
     'list file not found: nothere.txt'),
    ('data/pseudo_label_scenes.py', ['nothere.py', '--split', 'train'],
     'config not found: nothere.py')])
def test_what_is_missing_is_named_in_one_line(monkeypatch, tmp_path, tool, arguments, message):
    error = run_tool(monkeypatch, tool, *arguments, '--out', tmp_path / 'out.csv')
    assert error.startswith('error: ') and message in error
    assert not (tmp_path / 'out.csv').exists()


def test_a_damaged_table_is_named(monkeypatch, tmp_path):
    (tmp_path / 'a.parquet').write_bytes(b'no table')
    error = run_tool(monkeypatch, 'analysis/scene_bias.py', '--train', tmp_path / 'a.parquet',
                     '--test', tmp_path / 'a.parquet', '--out', tmp_path / 'out.csv')
    assert 'a.parquet is no Parquet file, or truncated' in error


def scene_config(data, teacher):
    """A config whose split `seen` has cached labels, and whose model learns from a teacher."""
    cfg = Config.fromfile(str(ROOT / 'configs/_base_/datasets/puppets.py'))
    cfg.model = dict(scene_teacher=dict(type=teacher))
    cfg.test_dataloader.dataset.update(
        data_root=str(data), columns=('filename', 'label'), scene_label_file='scenes.parquet')
    cfg.test_dataloader.num_workers = 0
    return cfg


def test_labels_of_another_kind_of_teacher_are_refused(tmp_path, tiny_data):
    for folder in ('annotations', 'videos'):
        (tmp_path / folder).symlink_to(tiny_data / folder)
    listed = (tiny_data / 'annotations/seen.txt').read_text().split('\n')
    names = [line.split()[0] for line in listed if line]
    (tmp_path / 'annotations').unlink()
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations/seen.txt').write_text(''.join(f'{name} 0\n' for name in names))
    video_ids = [name.rsplit('.', 1)[0] for name in names]
    write_scene_labels(tmp_path / 'scenes.parquet', video_ids, [torch.full((8, ), 0.125).numpy()] *
                       len(names), 'f' * 64, teacher='NaiveRecognizer')
    DATASETS.build(scene_config(tmp_path, 'NaiveRecognizer').test_dataloader.dataset)
    split = dict(ann_file='annotations/seen.txt')
    loader = list_loader(scene_config(tmp_path, 'NaiveRecognizer'), split)
    assert loader.dataset.get_data_info(0)['scene_label'] == 0
    with pytest.raises(SceneLabelError, match='labels of a NaiveRecognizer, and .* ClipSceneT'):
        list_loader(scene_config(tmp_path, 'ClipSceneTeacher'), split)


def test_a_config_of_other_scenes_names_its_own_label_files():
    split = dict(seen=dict(scene_label_file='places.parquet'))
    cfg = Config(dict(
        test_splits=split, test_cfg=dict(splits=dict(seen=dict(scene_label_file='sun.parquet'))),
        train_dataloader=dict(dataset=dict(type='ActionSceneDataset', ann_file='train.txt',
                                           scene_label_file='train.parquet'))))
    # as tools/test.py does: `test_splits` alone is what the base config ships
    assert test_splits(cfg)['seen']['scene_label_file'] == 'sun.parquet'
    assert test_splits(Config(dict(test_splits=split))) == split
    assert training_list(cfg)['scene_label_file'] == 'train.parquet'
    # the labels of one list are not those of another
    assert 'scene_label_file' not in training_list(cfg, 'other.txt')
