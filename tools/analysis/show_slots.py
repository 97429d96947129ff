"""Draw where the action and the scene slot of a trained DEVIAS look.

    python tools/analysis/show_slots.py configs/devias/<cfg>.py CHECKPOINT --out slots.png \
        --split unseen

For some test clips: attention of the action and of the scene slot (the paper's Figure 8) and
the mask that the decoder reads off the action slot.
"""
import argparse
import sys

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

import devias_mm.register  # noqa: F401  (registers what configs name)
from devias_mm.engine.inference import load_recognizer
from devias_mm.engine.launch import choose_splits, split_dataset
from devias_mm.errors import CheckpointError
from devias_mm.visualization.overlays import draw_slots


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of a DEVIAS model')
    parser.add_argument('checkpoint')
    parser.add_argument('--out', required=True, metavar='FILE.png')
    parser.add_argument('--split', help="of the config's test_splits; default: the first")
    parser.add_argument('--clips', type=int, default=8)
    parser.add_argument('--seed', type=int, default=0, help='of the choice of clips')
    return parser.parse_args()


@torch.no_grad()
def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    if cfg.model.type != 'DEVIAS':
        raise ValueError(f'{args.config} builds a {cfg.model.type}, which has no slots')
    split, *_ = choose_splits(cfg.test_splits, [args.split] if args.split else None)
    model = load_recognizer(cfg, args.checkpoint).cpu()

    dataset = DATASETS.build(split_dataset(cfg.test_dataloader.dataset, cfg.test_splits[split]))
    count = min(args.clips, len(dataset))
    indices = np.random.default_rng(args.seed).choice(len(dataset), count, replace=False)
    batch = pseudo_collate([dataset[int(index)] for index in indices])
    clips = torch.stack(batch['inputs'])[:, 0]  # the first view
    inputs = model.data_preprocessor(batch)['inputs'][:, 0]
    output = model.encode_slots(inputs)
    probability = output.logits.softmax(-1)
    rows = torch.arange(count)
    chosen = model.choose_slots(probability)
    probability = probability.split([model.num_classes, model.num_scene_classes], -1)
    t, h, w = output.grid
    maps = {f'{name} slot': output.attention[rows, slot].view(count, t, h, w)
            for name, slot in zip(('action', 'scene'), chosen)}
    if model.mask_decoder is not None:
        decoded = model.mask_decoder(output.slots[rows, chosen[0]]).sigmoid()
        maps['decoded mask'] = decoded.view(count, 1, h, w)
    predicted = [part[rows, slot].argmax(-1) for part, slot in zip(probability, chosen)]
    titles = [f'{sample.video_id}\naction {a}, scene {s}' for sample, a, s in
              zip(batch['data_samples'], predicted[0].tolist(), predicted[1].tolist())]
    print(f'wrote {draw_slots(clips, maps, titles, args.out)}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, FileNotFoundError, ValueError) as error:
        sys.exit(f'error: {error}')
