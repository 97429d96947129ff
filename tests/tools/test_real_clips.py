"""The shipped UCF-101 and Kinetics configs train and test on real videos."""
import subprocess
import sys

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from devias_mm.store.predictions import read_predictions

CONFIGS = {
    'fame/fame_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py': 'ucf101',
    'devias/devias_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py': 'kinetics400',
}
# files and folders as the data set configs want them: list -> video folder
LAYOUTS = {
    'ucf101': {'ucf101_train_split_1_videos.txt': 'videos',
               'ucf101_val_split_1_videos.txt': 'videos'},
    'kinetics400': {'kinetics400_train_list_videos.txt': 'videos_train',
                    'kinetics400_val_list_videos.txt': 'videos_val'},
}
SMALL_VIT = dict(img_size=64, depth=2, embed_dims=48, num_heads=4)


def small_options(config):
    """Shrink clips to 64 pixels and encoders to two narrow blocks."""
    options = ['load_from=None', 'train_cfg.max_epochs=1', 'val_cfg=None', 'val_dataloader=None',
               'val_evaluator=None', 'train_dataloader.dataset.pipeline.2.scale=(64,64)',
               'test_dataloader.dataset.pipeline.1.scale=(80,80)',
               'test_dataloader.dataset.pipeline.2.crop_size=64']
    encoders = ['model.backbone']
    if 'devias' in config:
        encoders.append('model.scene_teacher.backbone')
    options += [f'{encoder}.{key}={value}'
                for encoder in encoders for key, value in SMALL_VIT.items()]
    options += [f'{loader}.{key}' for loader in ('train_dataloader', 'test_dataloader')
                for key in ('num_workers=1', 'batch_size=3')]
    return options


def save_teacher(config, path):
    """Save random weights of the config's scene teacher, made small."""
    cfg = Config.fromfile(config)
    cfg.model.scene_teacher.backbone.update(SMALL_VIT)
    cfg.model.scene_teacher.init_cfg = None
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        torch.save(dict(state_dict=MODELS.build(cfg.model.scene_teacher).state_dict()), path)


def tool(root, name, *args):
    command = [sys.executable, '-W', 'ignore', f'tools/{name}.py', *map(str, args)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout + result.stderr


@pytest.mark.parametrize('config, dataset', CONFIGS.items())
def test_train_and_test(root, shared, tmp_path, config, dataset):
    data = tmp_path / 'data'
    lines = (shared / 'real_clips' / 'list.txt').read_text().split('\n')
    lines = [line for line in lines if line]
    broken = shared / 'golden' / 'clips' / 'truncated.mp4'
    for name, folder in LAYOUTS[dataset].items():
        (data / 'annotations').mkdir(parents=True, exist_ok=True)
        (data / folder).mkdir(exist_ok=True)
        for line in lines:
            video = line.rsplit(' ', 1)[0]
            if not (data / folder / video).exists():
                (data / folder / video).symlink_to(shared / 'real_clips' / video)
        if not (data / folder / 'broken clip.mp4').exists():
            (data / folder / 'broken clip.mp4').symlink_to(broken)
        (data / 'annotations' / name).write_text('\n'.join([*lines, 'broken clip.mp4 2']) + '\n')

    common = ['--work-dir', tmp_path / 'run', '--data-root', data,
              '--cfg-options', *small_options(config)]
    if 'devias' in config:
        save_teacher(root / 'configs' / config, tmp_path / 'teacher.pth')
        common.append(f'model.scene_teacher.init_cfg.checkpoint={tmp_path / "teacher.pth"}')
    output = tool(root, 'train', f'configs/{config}', *common)
    assert output.count('cannot read video') == 1, 'the broken video is named once'
    assert 'broken clip' in output
    tool(root, 'test', f'configs/{config}', tmp_path / 'run' / 'epoch_1.pth', *common)
    table = read_predictions(tmp_path / 'run' / 'predictions' / 'seen.parquet')
    assert list(table['video_id']) == [
        line.rsplit(' ', 1)[0].rsplit('.', 1)[0] for line in lines] + ['broken clip']
    assert list(table['error'].notna()) == [False] * len(lines) + [True]
    scores = table['action_scores'][0]
    # in DEVIAS the 365 scenes compete with the actions
    assert len(scores) == {'ucf101': 101, 'kinetics400': 400 + 365}[dataset]
    assert 0 < sum(scores) <= 1 + 1e-4
