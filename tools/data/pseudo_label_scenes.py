"""Label the scenes of a list of videos with a scene teacher, once, for every method.

    python tools/data/pseudo_label_scenes.py CONFIG CHECKPOINT --split train --out FILE.parquet

CONFIG is one of the data set: its `model.scene_teacher`, or a model that predicts scenes itself,
sees the videos in the pipeline of the test splits; the class probabilities of a video's views
are averaged. Datasets read FILE with `scene_label_file` (docs/scenes_and_masks.md).
"""
import argparse
import copy
import os.path as osp
import sys
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper

from devias_mm.datasets import ListFileError
from devias_mm.datasets.scene_labels import (
    SceneLabelError,
    read_scene_labels,
    weights_sha256,
    write_scene_labels,
)
from devias_mm.engine.checkpoints import CheckpointError, check_weights, load_checkpoint_file
from devias_mm.engine.launch import (
    UsageError,
    add_common_arguments,
    build_runner,
    describe_loader,
    describe_model,
    load_config,
)
from devias_mm.engine.prediction_table import read_predictions
from devias_mm.engine.run_record import config_hash

#: what a dataset must not read while it is being labelled
LABEL_OPTIONS = ('scene_label_file', 'scene_teacher_sha256')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help="the teacher's weights; default: those that "
                        'its own config names')
    parser.add_argument('--split', required=True,
                        help='train, val, or the name of a test split of the config')
    parser.add_argument('--out', required=True, metavar='FILE.parquet', help='file to write')
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


def set_split(cfg: Config, split: str) -> None:
    """Make one split the only test split, as it is when it is tested."""
    splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits') or {}
    dataset, changes = copy.deepcopy(cfg.test_dataloader.dataset), {}
    if split in splits:
        changes = copy.deepcopy(splits[split])
    elif split in ('train', 'val'):
        pipeline = dataset.pipeline
        dataset = copy.deepcopy(cfg[f'{split}_dataloader'].dataset)
        dataset.update(pipeline=pipeline, test_mode=True)
    else:
        raise UsageError(f'--split {split!r} is unknown; accepted: '
                         f'{sorted({"train", "val", *splits})}.')
    for options in (dataset, changes):
        for name in LABEL_OPTIONS:
            options.pop(name, None)
    cfg.test_dataloader.dataset = dataset
    cfg.test_cfg = dict(type='MultiSplitTestLoop', splits={split: changes})
    cfg.test_evaluator = []


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
    if Path(args.out).suffix != '.parquet':
        raise UsageError(f'--out must end with .parquet, got {args.out!r}.')
    cfg = load_config(args)
    if args.work_dir is None:
        cfg.work_dir = osp.join('work_dirs', 'scene_labels', Path(args.out).stem)
    set_split(cfg, args.split)
    cfg.model = teacher_config(cfg.model)
    cfg.test_cfg.fp16 = args.amp
    cfg.load_from, cfg.resume = None, False
    made_by = config_hash(Config(dict(model=cfg.model.to_dict(),
                                      pipeline=cfg.test_dataloader.dataset.pipeline)))
    runner = build_runner(cfg, args.threads)
    teacher = load_teacher(runner, args.checkpoint)
    if args.dry_run:
        loader = runner.test_loop.build_dataloader(args.split)
        print('\n'.join(['dry run, nothing was labelled', describe_model(runner),
                         f'teacher: {teacher}', describe_loader(args.split, loader)]))
        return
    runner.test()
    if not is_main_process():
        return
    rows = read_predictions(osp.join(cfg.work_dir, 'predictions', f'{args.split}.parquet'))
    unreadable = rows[rows['error'].notna()]
    if rows['scene_scores'].notna().sum() + len(unreadable) != len(rows):
        raise UsageError(f'{cfg.model.type} predicts no scenes: give a config with a '
                         '`model.scene_teacher`, or a model that does.')
    write_scene_labels(args.out, list(rows['video_id']), list(rows['scene_scores']), teacher,
                       teacher=cfg.model.type, config_hash=made_by, split=args.split,
                       list_file=osp.basename(str(runner.test_loop.dataloader.dataset.ann_file)))
    for row in unreadable.itertuples():
        print(f'unreadable, without a label: {row.video_id}: {row.error}')
    labels = read_scene_labels(args.out)
    print(f"{args.out}: {len(labels.rows)} videos, {labels.metadata['num_scene_classes']} scene "
          f'classes, teacher {teacher}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ImportError, ListFileError, OSError, SceneLabelError,
            UsageError) as error:
        sys.exit(f'error: {error}')
