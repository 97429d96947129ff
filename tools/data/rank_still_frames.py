"""Make StillMix's frame bank: the training frames that a network of single frames is sure about.

    python tools/data/rank_still_frames.py RUN/config.py RUN/epoch_16.pth --out work_dirs/frame_bank

A suite with the row `still-mix-reference` does this itself, after training that network.

Frames of the training videos, evenly spaced, are ranked by the probability of the class that
the network predicts for them; those above the quantile are kept (Li et al., ICCV 2023).
Written: OUT/frames.npy, OUT/ranking.csv (all frames) and, last, OUT/manifest.json.
"""
import tempfile
from pathlib import Path

import numpy as np

from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=f'of the reference network: {CONFIG_HELP}')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--out', required=True, metavar='FOLDER', help='the bank to write')
    parser.add_argument('--quantile', type=float, default=0.25,
                        help='share of the frames, those of the lowest probability, that is left '
                        'out (default: %(default)s)')
    parser.add_argument('--frames-per-video', type=int, default=1, metavar='N',
                        help='frames ranked of each video (default: %(default)s, the middle one)')
    parser.add_argument('--max-frames', type=int, metavar='N',
                        help='keep at most N frames, drawn at random (default: all)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the draw of --max-frames (default: %(default)s)')
    add_config_options(parser)


def check(args):
    """Check the options.

    Raises:
        UsageError: one is out of range.
    """
    from devias_mm.builders.cli import check_at_least
    if not 0 <= args.quantile < 1:
        raise UsageError(f'--quantile must lie in [0, 1), got {args.quantile}')
    check_at_least(args, frames_per_video=1, max_frames=1)


def build_loader(cfg, frames_per_video):
    """Build the training list with the validation pipeline, ``frames_per_video`` views each.

    Raises:
        UsageError: the validation pipeline does not show single frames.
    """
    from mmengine.runner import Runner
    loader = cfg.val_dataloader.copy()
    pipeline = cfg.val_dataloader.dataset.pipeline
    sampler = pipeline[0].get('sampler')
    if sampler is None or sampler.get('frame_interval', 1) != 0:
        raise UsageError(f'{cfg.filename} is no network of single frames: the sampler of its '
                         'validation pipeline must have frame_interval=0, as in '
                         'the training that `still-mix-reference` of a suite starts from')
    sampler.num_clips = frames_per_video
    loader.dataset = dict(cfg.train_dataloader.dataset, pipeline=pipeline, test_mode=True)
    return Runner.build_dataloader(loader, seed=0)


def build_model(cfg, checkpoint):
    """Build the reference network with its weights, in evaluation mode."""
    import torch
    from mmaction.registry import MODELS

    from devias_mm.weights.checkpoints import load_weights
    model = MODELS.build(cfg.model)
    load_weights(model, checkpoint)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return model.to(device).eval()


def readable_part(batch, unreadable):
    """Return a batch without its unreadable videos; note why these could not be read.

    Args:
        batch: collated ``inputs`` and ``data_samples``.
        unreadable: reason by video; added to.
    """
    readable = []
    for index, sample in enumerate(batch['data_samples']):
        if sample.get('error') is None:
            readable.append(index)
        else:
            unreadable[sample.video_id] = sample.error
    part = {}
    for key, values in batch.items():
        part[key] = [values[index] for index in readable]
    return part


def rank(model, loader, folder):
    """Score all frames.

    Args:
        model: the reference network.
        loader: of clips whose frames are all the same, ``(V, C, T, H, W)``.
        folder: where all frames are kept meanwhile.

    Returns:
        tuple: a table with a row for each frame (``video_id``, ``view``, ``predicted``,
        ``probability``), the frames ``(M, 3, H, W)``, and why videos could not be read, by id.

    Raises:
        UsageError: no video can be read.
    """
    import pandas as pd
    import torch
    from rich.progress import track
    rows = []
    unreadable = {}
    frames = None
    for batch in track(loader, description='ranking'):
        batch = readable_part(batch, unreadable)
        if not batch['inputs']:
            continue
        clips = torch.stack(batch['inputs'])  # (B, V, C, T, H, W)
        views = clips.shape[1]
        if frames is None:
            total = len(loader.dataset) * views
            shape = (total, clips.shape[2], *clips.shape[-2:])
            # on disk: the frames of a large data set do not fit into memory
            frames = np.lib.format.open_memmap(
                folder / 'frames.npy', mode='w+', dtype=np.uint8, shape=shape)
        with torch.no_grad():
            inputs = model.data_preprocessor(batch, training=False)['inputs']
            scores = model.probabilities(inputs.flatten(0, 1))['action']
        probability, predicted = scores.max(-1)
        stills = clips[:, :, :, 0].flatten(0, 1)
        count = len(rows)
        frames[count:count + len(stills)] = stills.numpy()
        guesses = zip(predicted.tolist(), probability.tolist())
        for sample in batch['data_samples']:
            for view in range(views):
                rows.append((sample.video_id, view, *next(guesses)))
    if frames is None:
        raise UsageError('none of the training videos can be read')
    table = pd.DataFrame(rows, columns=('video_id', 'view', 'predicted', 'probability'))
    return table, frames[:len(rows)], unreadable


def choose(probability, quantile, max_frames, seed):
    """Choose the frames of the bank: the upper share of the sorted list, as published.

    A threshold would drop all frames that tie at it, and a network that is sure of most frames
    would leave none.

    Args:
        probability (np.ndarray): of each frame, ``(M,)``.
        quantile (float): share of the frames that are left out, in [0, 1).
        max_frames (int, optional): keep so many of the others at most, drawn at random.
        seed (int): of the draw.

    Returns:
        tuple: the rows of the chosen frames in order, and the lowest probability above the
        quantile.
    """
    ascending = np.argsort(probability, kind='stable')
    left_out = int(quantile * len(ascending))
    chosen = ascending[left_out:]
    threshold = float(probability[chosen[0]])
    if max_frames is not None and max_frames < len(chosen):
        rng = np.random.default_rng(seed)
        chosen = rng.choice(chosen, max_frames, replace=False)
    return np.sort(chosen), threshold


def main(args):
    check(args)
    from mmengine.registry import init_default_scope

    from devias_mm.augments.still_mix import write_frame_bank
    from devias_mm.engine.config import load_config
    from devias_mm.engine.runner import set_threads
    from devias_mm.files import atomic_path, file_sha256
    cfg = load_config(args)
    set_threads(args.threads)
    init_default_scope(cfg.default_scope)
    loader = build_loader(cfg, args.frames_per_video)
    model = build_model(cfg, args.checkpoint)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    # an old bank is no longer complete
    (out / 'manifest.json').unlink(missing_ok=True)
    list_file = loader.dataset.ann_file
    with tempfile.TemporaryDirectory(dir=out, prefix='.ranking-') as folder:
        table, frames, unreadable = rank(model, loader, Path(folder))
        probability = table['probability'].to_numpy()
        chosen, threshold = choose(probability, args.quantile, args.max_frames, args.seed)
        table['kept'] = table.index.isin(chosen)
        with atomic_path(out / 'ranking.csv') as path:
            table.to_csv(path, index=False)
        source = dict(
            config=args.config,
            checkpoint_sha256=file_sha256(args.checkpoint),
            list=list_file,
            list_sha256=file_sha256(list_file),
            frames_per_video=args.frames_per_video,
            quantile=args.quantile,
            threshold=threshold,
            max_frames=args.max_frames,
            seed=args.seed,
            ranked=len(table),
            unreadable=unreadable)
        write_frame_bank(out, frames, chosen, source)
    for name, reason in unreadable.items():
        print(f'not ranked: {name}: {reason}')
    print(f'wrote {len(chosen)} of {len(table)} frames, probability >= {threshold:.4f}, to {out}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
