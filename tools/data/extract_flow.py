"""Estimate the optical flow of a config's training videos once, for `BackwardFlow(cache=OUT)`.

    python tools/data/extract_flow.py configs/dsm/dsm-pretrain_<...>.py \\
        --out data/ucf101/flow --workers 8
    python tools/train.py configs/dsm/dsm-pretrain_<...>.py \\
        --cfg-options train_dataloader.dataset.pipeline.2.cache=data/ucf101/flow

The distance of the frames of a pair is the config's `frame_interval`, the preset that of its
BackwardFlow. Written: OUT/<video_id>.npz (devias_mm/datasets/flow.py says what is in it), and what
the settings and the checksums are. Start it again after an interruption: what is done is kept.
"""
from devias_mm.builders.cli import check_at_least
from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the flow files')
    parser.add_argument('--workers', type=int, default=1, metavar='N',
                        help='processes (default: 1)')
    parser.add_argument('--short-side', type=int, default=256, metavar='PIXELS',
                        help='larger frames are reduced to it first (default: %(default)s)')
    parser.add_argument('--reduction', type=int, default=4, metavar='N',
                        help='N x N pixels of these frames become one of the file '
                        '(default: %(default)s)')
    add_config_options(parser)


def flow_settings(cfg, args):
    """Return the arguments of `write_flow` that go with the training of the config."""
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


def main(args):
    from mmaction.registry import DATASETS, TRANSFORMS
    from mmengine.registry import init_default_scope

    from devias_mm.builders.flow import FlowMaker
    from devias_mm.builders.media import file_state
    from devias_mm.builders.output_folder import FORMAT_VERSION, Job, OutputFolder
    from devias_mm.builders.videos import check_output_names
    from devias_mm.engine.config import load_config
    check_at_least(args, workers=1, short_side=1, reduction=1)
    cfg = load_config(args)
    init_default_scope(cfg.default_scope)
    settings = flow_settings(cfg, args)
    node = cfg.train_dataloader.dataset
    dataset = DATASETS.build(dict(node, pipeline=[]))
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    check_output_names([info['video_id'] for info in infos], dataset.ann_file)
    # every frame, read as the training reads it
    every_frame = dict(node.pipeline[0], sampler=dict(type='ConsecutiveClips', clip_len=1))
    work = FlowMaker(TRANSFORMS.build(every_frame), settings)
    folder = OutputFolder(args.out, dict(settings, tool='extract_flow',
                                         format_version=FORMAT_VERSION))
    jobs = [Job(info['video_id'], info, file_state(info['filename'])) for info in infos]
    had = sum(folder.is_done('flow', job) for job in jobs)
    folder.run('flow', jobs, work, args.workers)
    folder.finish(videos=len(jobs))
    print(f'{args.out}: flow of {len(jobs) - had} videos added, {had} had theirs before')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
