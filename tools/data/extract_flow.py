"""Estimate the optical flow of a config's training videos once, for `BackwardFlow(cache=OUT)`.

    python tools/data/extract_flow.py configs/dsm/dsm-pretrain_<...>.py \\
        --out data/ucf101/flow --workers 8
    python tools/train.py configs/dsm/dsm-pretrain_<...>.py \\
        --cfg-options train_dataloader.dataset.pipeline.2.cache=data/ucf101/flow

The distance of the frames of a pair is the config's `frame_interval`, the preset that of its
BackwardFlow. Written: OUT/<video_id>.npz (devias_mm/datasets/flow.py says what is in it) and
OUT/settings.json. Start it again after an interruption: videos that have a file are left out.
"""
import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Tuple

from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.registry import init_default_scope
from rich.progress import track

from devias_mm.errors import ListFileError
from devias_mm.datasets.flow import write_flow
from devias_mm.datasets.transforms import ReadClip, VideoReadError
from devias_mm.engine.launch import KeyValueAction, load_config
from devias_mm.errors import UsageError
from devias_mm.files import read_json, write_json
from devias_mm.processes import map_in_processes


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a training with BackwardFlow')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR',
                        help='folder of the flow files')
    parser.add_argument('--workers', type=int, default=1, metavar='N',
                        help='processes (default: 1)')
    parser.add_argument('--short-side', type=int, default=256, metavar='PIXELS',
                        help='larger frames are reduced to it first (default: %(default)s)')
    parser.add_argument('--reduction', type=int, default=4, metavar='N',
                        help='N x N pixels of these frames become one of the file '
                        '(default: %(default)s)')
    parser.add_argument('--data-root', help='replaces `data_root` of every dataset')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValueAction, metavar='KEY=VALUE',
                        help='overrides of the config')
    parser.set_defaults(launcher='none', work_dir=None)  # what load_config reads besides
    return parser.parse_args()


def flow_settings(cfg, args: argparse.Namespace) -> dict:
    """Arguments of :func:`write_flow` that go with the training of the config."""
    pipeline = cfg.train_dataloader.dataset.pipeline
    presets = [step.get('preset', 'fast') for step in pipeline if step.type == 'BackwardFlow']
    if not presets:
        raise UsageError(f'{args.config}: its training pipeline has no BackwardFlow, so it needs '
                         'no flow. Those of configs/dsm/dsm-pretrain_* have one.')
    stride = pipeline[0].sampler.get('frame_interval', 1)
    if stride < 1:
        raise UsageError(f'{args.config}: its clips have frame_interval={stride}, and nothing '
                         'moves in them.')
    return dict(stride=stride, preset=presets[0], short_side=args.short_side,
                reduction=args.reduction)


def extract(job: Tuple[Path, dict], read: ReadClip, settings: dict) -> str:
    """Write the flow file of one video; returns why it cannot be read, or nothing."""
    path, info = job
    try:
        frames = read(info)['imgs']
    except VideoReadError as error:
        return str(error)
    write_flow(path, frames, **settings)
    return ''


def main() -> None:
    args = parse_args()
    for name in ('workers', 'short_side', 'reduction'):
        if getattr(args, name) < 1:
            raise UsageError(f'--{name.replace("_", "-")} must be at least 1, got '
                             f'{getattr(args, name)}.')
    cfg = load_config(args)
    init_default_scope(cfg.default_scope)
    settings = flow_settings(cfg, args)
    # every frame, read as the training reads it
    node = cfg.train_dataloader.dataset
    every_frame = dict(node.pipeline[0], sampler=dict(type='ConsecutiveClips', clip_len=1))
    dataset = DATASETS.build(dict(node, pipeline=[]))
    earlier = read_json(args.out / 'settings.json')
    if earlier is not None and earlier != settings:
        raise UsageError(f'{args.out} holds flow of other settings: {earlier}, now: {settings}. '
                         'Take another --out, or the same settings.')
    write_json(args.out / 'settings.json', settings)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    jobs = [(path, info) for info in infos
            if not (path := args.out / f"{info['video_id']}.npz").is_file()]
    work = partial(extract, read=TRANSFORMS.build(every_frame), settings=settings)
    reasons = [reason for reason in track(map_in_processes(work, jobs, args.workers), 'videos',
                                          total=len(jobs)) if reason]
    print(f'{args.out}: flow of {len(jobs) - len(reasons)} videos added, '
          f'{len(infos) - len(jobs)} had theirs before')
    if reasons:
        raise ListFileError(f'{len(reasons)} video(s) of {dataset.ann_file} have no flow: '
                            f'{"; ".join(reasons[:3])}{"; ..." if len(reasons) > 3 else ""}. '
                            'Mend them or take them out of the list.')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ListFileError, UsageError) as error:
        sys.exit(f'error: {error}')
