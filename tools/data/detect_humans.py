"""Detect the humans in the videos of a list and keep their boxes (docs/human_boxes.md).

    python tools/data/detect_humans.py data/ucf101/annotations/ucf101_train_split_1_videos.txt \\
        --videos data/ucf101/videos --out data/ucf101/human_boxes

Start it again after an interruption, or with another list: videos that are known are left out.
"""
import argparse
import os.path as osp
import sys
from pathlib import Path
from typing import Dict, Iterator, List

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor

import devias_mm.register  # noqa: F401  (registers what configs name)
from devias_mm.datasets import read_list
from devias_mm.errors import ListFileError
from devias_mm.datasets.human_boxes import box_files, read_boxes, write_boxes
from devias_mm.datasets.transforms.read_clip import READERS
from devias_mm.errors import UsageError
from devias_mm.files import read_json, write_json
from devias_mm.layers.hub_model import HubModel


class HumanDetector:
    """A detector of the DETR family from the Hugging Face hub or a folder.

    Frames are prepared here, by the sizes and colour statistics that the model's
    ``preprocessor_config.json`` names: the library's own processors need torchvision.

    Args:
        model (str): name or folder for ``AutoModelForObjectDetection``.
        label (str): name of the class that is a human.
        score (float): boxes below it are dropped.
        device (str): where to compute.

    Raises:
        UsageError: the model cannot be loaded or has no such class.
    """

    def __init__(self, model: str, label: str, score: float, device: str) -> None:
        try:
            self.model = HubModel('AutoModelForObjectDetection', model, 'detector')(device)
            from transformers.image_processing_base import ImageProcessingMixin
            prepare, _ = ImageProcessingMixin.get_image_processor_dict(model)
        except (OSError, ValueError, ImportError) as error:
            raise UsageError(str(error)) from error
        names = {int(key): name for key, name in self.model.config.id2label.items()}
        self.classes = [key for key, name in names.items() if name.lower() == label.lower()]
        if not self.classes:
            raise UsageError(f'--label: {model} has no class {label!r}. It knows: '
                             f'{", ".join(sorted(set(names.values())))}.')
        self.num_classes = len(names)
        patch = getattr(self.model.config, 'patch_size', None)
        self.patch = patch if isinstance(patch, int) else 1
        self.score = score
        self.device = device
        self.size = prepare.get('size') or {}
        if not isinstance(self.size, dict):  # configs of early years: the shorter side
            self.size = dict(shortest_edge=self.size, longest_edge=prepare.get('max_size', 1333))
        normalise = prepare.get('do_normalize', True)
        self.mean, self.std = (
            torch.tensor(prepare.get(key) or default if normalise else neutral, device=device
                         ).view(3, 1, 1)
            for key, default, neutral in (('image_mean', (.485, .456, .406), (0., 0., 0.)),
                                          ('image_std', (.229, .224, .225), (1., 1., 1.))))

    def prepare(self, frames: np.ndarray) -> Tensor:
        """Resize and normalise frames, uint8 RGB ``(N, H, W, 3)``, to ``(N, 3, H', W')``."""
        images = torch.from_numpy(frames).to(self.device).permute(0, 3, 1, 2).float() / 255
        height, width = images.shape[-2:]
        if 'height' in self.size:
            shape = self.size['height'], self.size['width']
        else:
            short, long = min(height, width), max(height, width)
            factor = min(self.size.get('shortest_edge', 800) / short,
                         self.size.get('longest_edge', 1333) / long)
            # YOLOS cuts off what fills no patch, and its boxes are shares of the rest
            shape = tuple(max(round(factor * side) // self.patch, 1) * self.patch
                          for side in (height, width))
        images = F.interpolate(images, shape, mode='bilinear', antialias=True).clamp(0, 1)
        return (images - self.mean) / self.std

    @torch.no_grad()
    def __call__(self, frames: np.ndarray) -> List[np.ndarray]:
        """Detect.

        Args:
            frames (np.ndarray): uint8 RGB, ``(N, H, W, 3)``.

        Returns:
            list[np.ndarray]: for each frame ``(n, 5)``: x1, y1, x2, y2 in pixels, score.
        """
        output = self.model(pixel_values=self.prepare(frames))
        logits = output.logits.float()
        # DETR and YOLOS have a class "nothing" at the end, the later ones a sigmoid per class
        probability = logits.softmax(-1) if logits.shape[-1] == self.num_classes + 1 \
            else logits.sigmoid()
        scores = probability[..., self.classes].amax(-1)
        centre, extent = output.pred_boxes.float().split(2, -1)
        corners = torch.cat([centre - extent / 2, centre + extent / 2], -1).clamp(0, 1)
        height, width = frames.shape[1:3]
        corners = corners * corners.new_tensor([width, height, width, height])
        found = torch.cat([corners, scores[..., None]], -1).cpu().numpy()
        return [boxes[boxes[:, 4] >= self.score] for boxes in found]


def detect_video(detector: HumanDetector, video_id: str, path: str, every: int,
                 batch_size: int) -> Iterator[dict]:
    """Yield the rows of one video, at least one for each frame that is looked at."""
    reader = READERS['decord'](path)
    indices = np.arange(0, reader.total_frames, every)
    if not len(indices):
        raise OSError('it holds no frame')
    for start in range(0, len(indices), batch_size):
        part = indices[start:start + batch_size]
        for frame, boxes in zip(part, detector(np.stack(reader.read(part)))):
            for x1, y1, x2, y2, score in boxes if len(boxes) else np.full((1, 5), np.nan):
                yield dict(video_id=video_id, frame=int(frame), x1=x1, y1=y1, x2=x2, y2=y2,
                           score=score)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('list', help='list file of the videos')
    parser.add_argument('--videos', required=True, metavar='DIR',
                        help='folder of the videos that the list names')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the boxes')
    parser.add_argument('--columns', nargs='+', default=['filename', 'label'],
                        help='fields of a line of the list (default: filename label)')
    parser.add_argument('--filename-suffix', default='', help='added to each listed name')
    parser.add_argument('--detector', default='hustvl/yolos-base',
                        help='name or folder of a model for AutoModelForObjectDetection '
                        '(default: %(default)s)')
    parser.add_argument('--label', default='person', help='class of humans (default: person)')
    parser.add_argument('--score', type=float, default=.5,
                        help='keep boxes of at least this probability (default: %(default)s)')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='look at every Nth frame; the others take the boxes of the '
                        'nearest (default: 1)')
    parser.add_argument('--batch-size', type=int, default=8, help='frames at once (default: 8)')
    parser.add_argument('--shard', default='0/1', metavar='I/N',
                        help='the Ith of N parts of the list, for several processes')
    parser.add_argument('--save-every', type=int, default=50, metavar='N',
                        help='write a file after N videos (default: 50)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


def check_settings(out: Path, settings: Dict[str, object]) -> None:
    """Keep boxes of different settings apart: one folder, one ``settings.json``."""
    earlier = read_json(out / 'settings.json')
    if earlier is not None and earlier != settings:
        raise UsageError(f'{out} holds boxes made with other settings: {earlier}, now: '
                         f'{settings}. Take another --out, or the same settings.')
    write_json(out / 'settings.json', settings)


def main() -> None:
    args = parse_args()
    for name in ('every', 'batch_size', 'save_every'):
        if getattr(args, name) < 1:
            raise UsageError(f'--{name.replace("_", "-")} must be at least 1, got '
                             f'{getattr(args, name)}.')
    if not 0 <= args.score <= 1:
        raise UsageError(f'--score must lie in [0, 1], got {args.score}.')
    try:
        index, parts = map(int, args.shard.split('/'))
    except ValueError:
        raise UsageError(f'--shard must be I/N, such as 0/4, got {args.shard!r}.') from None
    if not 0 <= index < parts:
        raise UsageError(f'--shard I/N needs 0 <= I < N, got {args.shard}.')
    items = read_list(args.list, args.columns, filename_suffix=args.filename_suffix,
                      allow_no_action=True)[index::parts]
    out = Path(args.out)
    detector = HumanDetector(args.detector, args.label, args.score, args.device)
    check_settings(out, dict(detector=args.detector, label=args.label, score=args.score,
                             every=args.every))
    known = set(read_boxes(str(out)).video_id) if box_files(out) else set()
    items = [item for item in items if item['video_id'] not in known]
    rows, unreadable, done, humans, number = [], [], 0, 0, 0

    def save() -> None:
        nonlocal rows, number
        while (target := out / f'boxes-{index}of{parts}-{number:05d}.parquet').exists():
            number += 1
        write_boxes(target, rows)
        rows = []

    for item in track(items, 'videos'):
        path = osp.join(args.videos, item['filename'])
        try:
            found = list(detect_video(detector, item['video_id'], path, args.every,
                                      args.batch_size))
        except READERS['decord'].errors() as error:
            unreadable.append(f'{path} ({(str(error).splitlines() or [type(error).__name__])[0]})')
            continue
        rows += found
        humans += not np.isnan([row['score'] for row in found]).all()
        done += 1
        if done % args.save_every == 0:
            save()
    if rows:
        save()
    print(f'{out}: {done} videos added, {humans} of them with humans; '
          f'{len(known)} were known before')
    if unreadable:
        raise ListFileError(f'{len(unreadable)} video(s) of {args.list} cannot be read and have '
                            f'no boxes: {"; ".join(unreadable[:3])}'
                            f'{"; ..." if len(unreadable) > 3 else ""}. Mend them or take them '
                            'out of the list.')


if __name__ == '__main__':
    try:
        main()
    except (ListFileError, UsageError) as error:
        sys.exit(f'error: {error}')
