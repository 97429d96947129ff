"""Make StillMix's frame bank: the training frames that a network of single frames is sure about.

    python tools/data/rank_still_frames.py RUN/config.py RUN/epoch_16.pth --out work_dirs/frame_bank

A suite with the row `still-mix-reference` does this itself, after training that network.

Frames of the training videos, evenly spaced, are ranked by the probability of the class that
the network predicts for them; those above the quantile are kept (Li et al., ICCV 2023).
Written: OUT/frames.npy, OUT/ranking.csv (all frames) and, last, OUT/manifest.json.
"""
import argparse
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import pandas as pd
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.progress import track

from devias_mm.augments.still_mix import write_frame_bank
from devias_mm.errors import ListFileError
from devias_mm.weights.checkpoints import load_weights
from devias_mm.errors import CheckpointError
from devias_mm.cli import key_value
from devias_mm.engine.config import load_config
from devias_mm.engine.runner import set_threads
from devias_mm.errors import UsageError
from devias_mm.files import atomic_path, file_sha256


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of the reference network')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--out', required=True, metavar='FOLDER', help='the bank to write')
    parser.add_argument('--quantile', type=float, default=.25,
                        help='share of the frames, those of the lowest probability, that is left out '
                        '(default: %(default)s)')
    parser.add_argument('--frames-per-video', type=int, default=1, metavar='N',
                        help='frames ranked of each video (default: %(default)s, the middle one)')
    parser.add_argument('--max-frames', type=int, metavar='N',
                        help='keep at most N frames, drawn at random (default: all)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the draw of --max-frames (default: %(default)s)')
    parser.add_argument('--data-root', help='replaces `data_root` of every dataset')
    parser.add_argument('--cfg-options', nargs='+', type=key_value, metavar='KEY=VALUE',
                        help='overrides of the config')
    parser.add_argument('--threads', type=int, default=1, metavar='N',
                        help='threads on the CPU (default: %(default)s)')
    parser.set_defaults(launcher='none', work_dir=None)  # what load_config reads besides
    args = parser.parse_args()
    if not 0 <= args.quantile < 1:
        parser.error(f'--quantile must lie in [0, 1), got {args.quantile}')
    for option in ('frames_per_video', 'max_frames'):
        if getattr(args, option) is not None and getattr(args, option) < 1:
            parser.error(f'--{option.replace("_", "-")} must be at least 1, '
                         f'got {getattr(args, option)}')
    return args


def build_loader(cfg: Config, frames_per_video: int):
    """The training list through the validation pipeline, ``frames_per_video`` views each."""
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


def build_model(cfg: Config, checkpoint: str) -> torch.nn.Module:
    """Build the reference network with its weights, in evaluation mode."""
    model = MODELS.build(cfg.model)
    load_weights(model, checkpoint)
    return model.to('cuda' if torch.cuda.is_available() else 'cpu').eval()


@torch.no_grad()
def rank(model, loader, folder: Path) -> Tuple[pd.DataFrame, np.ndarray, Dict[str, str]]:
    """Score all frames.

    Args:
        model: the reference network.
        loader: of clips that stand still, ``(V, C, T, H, W)``.
        folder (Path): where all frames are kept meanwhile.

    Returns:
        tuple: a row a frame (``video_id``, ``view``, ``predicted``, ``probability``), the frames
        ``(M, 3, H, W)``, and why videos could not be read, by id.
    """
    rows, unreadable, frames, count = [], {}, None, 0
    for batch in track(loader, description='ranking'):
        readable: List[int] = []
        for i, sample in enumerate(batch['data_samples']):
            if sample.get('error') is None:
                readable.append(i)
            else:
                unreadable[sample.video_id] = sample.error
        if not readable:
            continue
        batch = {key: [values[i] for i in readable] for key, values in batch.items()}
        clips = torch.stack(batch['inputs'])  # (B, V, C, T, H, W)
        if frames is None:
            total = len(loader.dataset) * clips.shape[1]
            frames = np.lib.format.open_memmap(
                folder / 'frames.npy', mode='w+', dtype=np.uint8,
                shape=(total, clips.shape[2], *clips.shape[-2:]))
        inputs = model.data_preprocessor(batch, training=False)['inputs'].flatten(0, 1)
        probability, predicted = model.probabilities(inputs)['action'].max(-1)
        stills = clips[:, :, :, 0].flatten(0, 1)
        frames[count:count + len(stills)] = stills.numpy()
        count += len(stills)
        names = [(sample.video_id, view) for sample in batch['data_samples']
                 for view in range(clips.shape[1])]
        rows += [(*name, *values) for name, *values in
                 zip(names, predicted.tolist(), probability.tolist())]
    if frames is None:
        raise UsageError('none of the training videos can be read')
    table = pd.DataFrame(rows, columns=('video_id', 'view', 'predicted', 'probability'))
    return table, frames[:count], unreadable


def choose(probability: np.ndarray, quantile: float, max_frames: int, seed: int
           ) -> Tuple[np.ndarray, float]:
    """Choose the frames of the bank: the upper share of the sorted list, as published.

    A threshold would drop all frames that tie at it, and a network that is sure of most frames
    would leave none.

    Args:
        probability (ndarray): of each frame, ``(M,)``.
        quantile (float): share of the frames that are left out, in [0, 1).
        max_frames (int, optional): keep so many of the others at most, drawn at random.
        seed (int): of the draw.

    Returns:
        tuple: the rows of the chosen frames in order, and the lowest probability above the
        quantile.
    """
    ascending = np.argsort(probability, kind='stable')
    chosen = ascending[int(quantile * len(ascending)):]
    threshold = float(probability[chosen[0]])
    if max_frames is not None and max_frames < len(chosen):
        chosen = np.random.default_rng(seed).choice(chosen, max_frames, replace=False)
    return np.sort(chosen), threshold


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    set_threads(args.threads)
    init_default_scope(cfg.default_scope)
    loader = build_loader(cfg, args.frames_per_video)
    model = build_model(cfg, args.checkpoint)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / 'manifest.json').unlink(missing_ok=True)  # an old bank is no longer complete
    with tempfile.TemporaryDirectory(dir=out, prefix='.ranking-') as folder:
        table, frames, unreadable = rank(model, loader, Path(folder))
        chosen, threshold = choose(
            table.probability.to_numpy(), args.quantile, args.max_frames, args.seed)
        table['kept'] = table.index.isin(chosen)
        with atomic_path(out / 'ranking.csv') as path:
            table.to_csv(path, index=False)
        write_frame_bank(out, frames, chosen, dict(
            config=args.config, checkpoint_sha256=file_sha256(args.checkpoint),
            list=loader.dataset.ann_file, list_sha256=file_sha256(loader.dataset.ann_file),
            frames_per_video=args.frames_per_video, quantile=args.quantile, threshold=threshold,
            max_frames=args.max_frames, seed=args.seed, ranked=len(table), unreadable=unreadable))
    for name, reason in unreadable.items():
        print(f'not ranked: {name}: {reason}')
    print(f'wrote {len(chosen)} of {len(table)} frames, probability >= {threshold:.4f}, to {out}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, FileNotFoundError, ListFileError, ValueError) as error:
        sys.exit(f'error: {error}')
