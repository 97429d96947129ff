"""Label the scenes of lists of videos with a scene teacher, once, for every method.

    python tools/data/pseudo_label_scenes.py CONFIG CHECKPOINT --split train --out FILE.parquet
    python tools/data/pseudo_label_scenes.py CONFIG CHECKPOINT --split seen 'hat-far/*' --out FOLDER

CONFIG is one of the data set: its `model.scene_teacher`, or a model that predicts scenes itself,
sees the videos in the pipeline of the test splits; the class probabilities of a video's views
are averaged. Datasets read FILE, or FOLDER/<split>.parquet, with `scene_label_file`
(docs/scenes_and_masks.md).
"""
import copy
import os.path as osp
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, add_launch_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('checkpoint', nargs='?', help="the teacher's weights; default: those that "
                        'its own config names')
    parser.add_argument('--split', required=True, nargs='+', metavar='NAME',
                        help="train, val, names of test splits of the config, or patterns of "
                        "these such as 'hat-*'")
    parser.add_argument('--out', required=True, metavar='PATH',
                        help='file to write, FILE.parquet; or a folder, for a file a split')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_config_options(parser)
    add_launch_options(parser)


def teacher_config(model):
    """Return the config of the teacher as a model of its own, on the recognizer's clips."""
    teacher = copy.deepcopy(model.get('scene_teacher') or model)
    teacher.pop('scene_teacher', None)
    preprocessor = model.get('data_preprocessor') or dict(type='DebiasDataPreprocessor')
    teacher.data_preprocessor = copy.deepcopy(preprocessor)
    teacher.data_preprocessor.pop('augments', None)
    return teacher


def set_splits(cfg, patterns):
    """Make the named splits the only test splits, as they are when they are tested."""
    from devias_mm.datasets.scene_labels import LABEL_OPTIONS
    from devias_mm.splits import choose_splits
    splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits') or {}
    template = cfg.test_dataloader.dataset
    chosen = {}
    for split in choose_splits(dict.fromkeys(['train', 'val', *splits]), patterns):
        if split in splits:
            chosen[split] = copy.deepcopy(splits[split])
        elif split in patterns:  # a pattern is one of test splits
            loader = cfg.get(f'{split}_dataloader')
            if not loader:
                raise UsageError(f'--split {split}: the config has no {split}_dataloader; '
                                 f'accepted: {", ".join(splits)}.')
            chosen[split] = dict(copy.deepcopy(loader.dataset), _delete_=True,
                                 pipeline=template.pipeline, test_mode=True)
    for options in (template, *chosen.values()):
        for name in LABEL_OPTIONS:
            options.pop(name, None)
    cfg.test_cfg = dict(type='MultiSplitTestLoop', splits=chosen)
    cfg.test_evaluator = []


def output_files(out, splits):
    """Return the file of each split."""
    path = Path(out)
    if path.suffix != '.parquet':
        return {split: path / f'{split}.parquet' for split in splits}
    if len(splits) > 1:
        raise UsageError(f'--out {out} is one file, but the splits are {", ".join(splits)}: name '
                         'a folder, or one split.')
    return {splits[0]: path}


def load_teacher(model, checkpoint):
    """Load the teacher's weights; return their SHA-256."""
    from devias_mm.datasets.scene_labels import weights_sha256
    from devias_mm.weights.checkpoints import check_weights, load_checkpoint_file, load_weights
    if checkpoint is not None:
        load_weights(model, checkpoint)
    elif model.init_cfg and model.init_cfg.get('type') == 'Pretrained':
        path = model.init_cfg['checkpoint']
        network = getattr(model, 'classifier', model)
        check_weights(network, load_checkpoint_file(path), path)
        model.init_weights()
    elif not hasattr(model, 'weights'):
        raise UsageError('this teacher has random weights: give its CHECKPOINT, or '
                         "init_cfg=dict(type='Pretrained', checkpoint=FILE) in its config.")
    weights = model.weights() if hasattr(model, 'weights') else model.state_dict()
    return weights_sha256(weights)


def print_plan(runner, digest):
    """Say what would be labelled."""
    from devias_mm.engine.runner import describe_loader, describe_model
    print('dry run, nothing was labelled')
    print(describe_model(runner))
    print(f'teacher: {digest}')
    for split in runner.test_loop.selected:
        print(describe_loader(split, runner.test_loop.build_dataloader(split)))


def write_labels(path, table, digest, **origin):
    """Write the labels of a split, and say which videos have none.

    Args:
        path (Path): the file.
        table (pd.DataFrame): the teacher's predictions on the split.
        digest (str): SHA-256 of the teacher's weights.
        **origin: what the file says about its origin.
    """
    from devias_mm.datasets.scene_labels import read_scene_labels, write_scene_labels
    unreadable = table[table['error'].notna()]
    if table['scene_scores'].notna().sum() + len(unreadable) != len(table):
        raise UsageError(f'{origin["teacher"]} predicts no scenes: give a config with a '
                         '`model.scene_teacher`, or a model that does.')
    write_scene_labels(path, list(table['video_id']), list(table['scene_scores']), digest,
                       **origin)
    for row in unreadable.itertuples():
        print(f'unreadable, without a label: {origin["split"]}: {row.video_id}: {row.error}')
    labels = read_scene_labels(path)
    print(f"{path}: {len(labels.rows)} videos, {labels.metadata['num_scene_classes']} scene "
          f'classes, teacher {digest}')


def main(args):
    from mmengine.config import Config
    from mmengine.dist import is_main_process
    from mmengine.model import is_model_wrapper

    from devias_mm.engine.config import load_config
    from devias_mm.engine.runner import build_runner
    from devias_mm.engine.splits import split_dataset
    from devias_mm.store.predictions import read_predictions
    from devias_mm.store.identity import config_identity
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
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    digest = load_teacher(model, args.checkpoint)
    if args.dry_run:
        print_plan(runner, digest)
        return
    runner.test()
    if not is_main_process():
        return
    for split, path in files.items():
        table = read_predictions(osp.join(cfg.work_dir, 'predictions', f'{split}.parquet'))
        listed = split_dataset(cfg.test_dataloader.dataset, splits[split]).ann_file
        write_labels(path, table, digest, teacher=cfg.model.type, config_hash=made_by,
                     split=split, list_file=osp.basename(listed))


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
