"""Label the scenes of lists of videos with a scene teacher, once, for every method.

    python tools/data/pseudo_label_scenes.py CONFIG CHECKPOINT --split train --out FILE.parquet
    python tools/data/pseudo_label_scenes.py CONFIG CHECKPOINT --split seen 'hat-far/*' --out FOLDER

CONFIG is one of the data set: its `model.scene_teacher`, or a model that predicts scenes itself,
sees the videos in the pipeline of the test splits; the class probabilities of a video's views
are averaged. Datasets read FILE, or FOLDER/<split>.parquet, with `scene_label_file`
(docs/scenes_and_masks.md).
"""
import argparse
import copy
import os.path as osp
import sys
from pathlib import Path
from typing import Dict, List

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper

from devias_mm.datasets.scene_labels import (
    read_scene_labels,
    weights_sha256,
    write_scene_labels,
)
from devias_mm.engine.launch import (
    add_common_arguments,
    build_runner,
    choose_splits,
    describe_loader,
    describe_model,
    load_config,
    split_dataset,
)
from devias_mm.errors import CheckpointError, ListFileError, UsageError
from devias_mm.store.predictions import read_predictions
from devias_mm.store.identity import config_identity
from devias_mm.weights.checkpoints import check_weights, load_checkpoint_file

#: what a dataset must not read while it is being labelled
LABEL_OPTIONS = ('scene_label_file', 'scene_teacher_sha256')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help="the teacher's weights; default: those that "
                        'its own config names')
    parser.add_argument('--split', required=True, nargs='+', metavar='NAME',
                        help="train, val, names of test splits of the config, or patterns of "
                        "these such as 'hat-*'")
    parser.add_argument('--out', required=True, metavar='PATH',
                        help='file to write, FILE.parquet; or a folder, for a file a split')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_common_arguments(parser)
    return parser.parse_args()


def teacher_config(model: ConfigDict) -> ConfigDict:
    """Config of the teacher as a model of its own, on clips as the recognizer gets them."""
    teacher = copy.deepcopy(model.get('scene_teacher') or model)
    teacher.pop('scene_teacher', None)
    preprocessor = copy.deepcopy(model.get('data_preprocessor') or ConfigDict(
        type='DebiasDataPreprocessor'))
    preprocessor.pop('augments', None)
    teacher.data_preprocessor = preprocessor
    return teacher


def set_splits(cfg: Config, patterns: List[str]) -> None:
    """Make the named splits the only test splits, as they are when they are tested."""
    splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits') or {}
    template, lists = cfg.test_dataloader.dataset, ('train', 'val')
    chosen = {}
    for split in choose_splits(dict.fromkeys([*lists, *splits]), patterns):
        if split in splits:
            chosen[split] = copy.deepcopy(splits[split])
        elif split in patterns:  # a pattern is one of test splits
            chosen[split] = dict(copy.deepcopy(cfg[f'{split}_dataloader'].dataset), _delete_=True,
                                 pipeline=template.pipeline, test_mode=True)
    for options in (template, *chosen.values()):
        for name in LABEL_OPTIONS:
            options.pop(name, None)
    cfg.test_cfg = dict(type='MultiSplitTestLoop', splits=chosen)
    cfg.test_evaluator = []


def output_files(out: str, splits: List[str]) -> Dict[str, Path]:
    """The file of each split."""
    path = Path(out)
    if path.suffix != '.parquet':
        return {split: path / f'{split}.parquet' for split in splits}
    if len(splits) > 1:
        raise UsageError(f'--out {out} is one file, but the splits are {", ".join(splits)}: name '
                         'a folder, or one split.')
    return {splits[0]: path}


def load_teacher(runner, checkpoint) -> str:
    """Load the teacher's weights; return their SHA-256."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if checkpoint is not None:
        content = load_checkpoint_file(checkpoint)
        check_weights(model, content, checkpoint)
        model.load_state_dict(content['state_dict'], strict=False)
    elif model.init_cfg and model.init_cfg.get('type') == 'Pretrained':
        path = model.init_cfg['checkpoint']
        check_weights(model if not hasattr(model, 'classifier') else model.classifier,
                      load_checkpoint_file(path), path)
        model.init_weights()
    elif not hasattr(model, 'weights'):
        raise UsageError('this teacher has random weights: give its CHECKPOINT, or '
                         "init_cfg=dict(type='Pretrained', checkpoint=FILE) in its config.")
    return weights_sha256(model.weights() if hasattr(model, 'weights') else model.state_dict())


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    if args.work_dir is None:
        cfg.work_dir = osp.join('work_dirs', 'scene_labels', Path(args.out).stem)
    set_splits(cfg, args.split)
    splits = cfg.test_cfg.splits
    files = output_files(args.out, list(splits))
    cfg.model = teacher_config(cfg.model)
    cfg.test_cfg.fp16 = args.amp
    cfg.load_from, cfg.resume = None, False
    made_by = config_identity(Config(dict(model=cfg.model.to_dict(),
                                          pipeline=cfg.test_dataloader.dataset.pipeline)))
    runner = build_runner(cfg, args.threads)
    teacher = load_teacher(runner, args.checkpoint)
    if args.dry_run:
        loop = runner.test_loop
        print('\n'.join(['dry run, nothing was labelled', describe_model(runner),
                         f'teacher: {teacher}', *(
                             describe_loader(split, loop.build_dataloader(split))
                             for split in loop.selected)]))
        return
    runner.test()
    if not is_main_process():
        return
    for split, path in files.items():
        rows = read_predictions(osp.join(cfg.work_dir, 'predictions', f'{split}.parquet'))
        unreadable = rows[rows['error'].notna()]
        if rows['scene_scores'].notna().sum() + len(unreadable) != len(rows):
            raise UsageError(f'{cfg.model.type} predicts no scenes: give a config with a '
                             '`model.scene_teacher`, or a model that does.')
        list_file = split_dataset(cfg.test_dataloader.dataset, splits[split]).ann_file
        write_scene_labels(path, list(rows['video_id']), list(rows['scene_scores']), teacher,
                           teacher=cfg.model.type, config_hash=made_by, split=split,
                           list_file=osp.basename(list_file))
        for row in unreadable.itertuples():
            print(f'unreadable, without a label: {split}: {row.video_id}: {row.error}')
        labels = read_scene_labels(path)
        print(f"{path}: {len(labels.rows)} videos, {labels.metadata['num_scene_classes']} scene "
              f'classes, teacher {teacher}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ImportError, ListFileError, OSError, UsageError) as error:
        sys.exit(f'error: {error}')
