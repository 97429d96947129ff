"""Detecting the humans of videos with a model of the DETR family (docs/human_boxes.md)."""
import os
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from devias_mm.augments.segformer_masks import IMAGENET_MEAN, IMAGENET_STD
from devias_mm.builders.output_folder import Outputs
from devias_mm.datasets.human_boxes import write_boxes
from devias_mm.datasets.transforms.read_clip import READERS
from devias_mm.errors import UsageError
from devias_mm.layers.hub_model import HubModel


class HumanDetector:
    """A detector of the DETR family from the Hugging Face hub or a folder.

    Frames are prepared here, by the sizes and colour statistics that the model's
    ``preprocessor_config.json`` names: the library's own processors need torchvision.

    Args:
        model: name or folder for ``AutoModelForObjectDetection``.
        label: name of the class that is a human.
        score: boxes below it are dropped.
        device: where to compute.

    Raises:
        UsageError: the model cannot be loaded or has no such class.
    """

    def __init__(self, model: str, label: str, score: float, device: str) -> None:
        try:
            self.model = HubModel('AutoModelForObjectDetection', model, 'detector')(device)
            from transformers.image_processing_base import ImageProcessingMixin
            prepare, _ = ImageProcessingMixin.get_image_processor_dict(model)
        except (OSError, ValueError, ImportError) as error:
            raise UsageError(f'--detector: {error}') from error
        names = self.model.config.id2label
        self.classes = []
        for key, name in names.items():
            if name.lower() == label.lower():
                self.classes.append(int(key))
        if not self.classes:
            known = ', '.join(sorted(set(names.values())))
            raise UsageError(f'--label: {model} has no class {label!r}. It knows: {known}.')
        self.num_classes = len(names)
        self.patch = getattr(self.model.config, 'patch_size', None)
        if not isinstance(self.patch, int):
            self.patch = 1
        self.score = score
        self.device = device
        self.size = prepare.get('size') or {}
        if not isinstance(self.size, dict):  # configs of early years: the shorter side
            self.size = dict(shortest_edge=self.size, longest_edge=prepare.get('max_size', 1333))
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if prepare.get('do_normalize', True):
            mean = prepare.get('image_mean') or IMAGENET_MEAN
            std = prepare.get('image_std') or IMAGENET_STD
        self.mean = torch.tensor(mean, device=device).view(3, 1, 1)
        self.std = torch.tensor(std, device=device).view(3, 1, 1)

    def prepare(self, frames: np.ndarray) -> Tensor:
        """Resize and normalise frames, uint8 RGB ``(N, H, W, 3)``, to ``(N, 3, H', W')``."""
        images = torch.from_numpy(frames).to(self.device)
        images = images.permute(0, 3, 1, 2).float() / 255
        height, width = images.shape[-2:]
        shape = self.input_size(height, width)
        images = F.interpolate(images, shape, mode='bilinear', antialias=True)
        return (images.clamp(0, 1) - self.mean) / self.std

    def input_size(self, height: int, width: int) -> Tuple[int, int]:
        """Return the height and width that frames of some size are resized to."""
        if 'height' in self.size:
            return self.size['height'], self.size['width']
        short_limit = self.size.get('shortest_edge', 800)
        long_limit = self.size.get('longest_edge', 1333)
        short = min(height, width)
        long = max(height, width)
        factor = min(short_limit / short, long_limit / long)
        # YOLOS cuts off what fills no patch, and its boxes are shares of the rest
        rows = max(round(factor * height) // self.patch, 1)
        columns = max(round(factor * width) // self.patch, 1)
        return rows * self.patch, columns * self.patch

    @torch.no_grad()
    def __call__(self, frames: np.ndarray) -> List[np.ndarray]:
        """Detect.

        Args:
            frames: uint8 RGB, ``(N, H, W, 3)``.

        Returns:
            list[np.ndarray]: for each frame ``(n, 5)``: x1, y1, x2, y2 in pixels, score.
        """
        output = self.model(pixel_values=self.prepare(frames))
        logits = output.logits.float()
        # DETR and YOLOS have a class "nothing" at the end, the later ones a sigmoid per class
        if logits.shape[-1] == self.num_classes + 1:
            probability = logits.softmax(-1)
        else:
            probability = logits.sigmoid()
        scores = probability[..., self.classes].amax(-1)
        centre, extent = output.pred_boxes.float().split(2, -1)
        low = centre - extent / 2
        high = centre + extent / 2
        corners = torch.cat([low, high], -1).clamp(0, 1)
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
    nobody = np.full((1, 5), np.nan)
    for start in range(0, len(indices), batch_size):
        part = indices[start:start + batch_size]
        frames = np.stack(reader.read(part))
        for frame, boxes in zip(part.tolist(), detector(frames)):
            if not len(boxes):
                boxes = nobody
            for box in boxes:
                row = dict(zip(('x1', 'y1', 'x2', 'y2', 'score'), box))
                yield dict(video_id=video_id, frame=frame, **row)


class BoxWriter(NamedTuple):
    """Detects the humans of some videos and writes them into one file.

    Attributes:
        detector: what finds them.
        videos: folder of the videos.
        every: look at every so many frames.
        batch_size: frames at once.
    """
    detector: HumanDetector
    videos: str
    every: int
    batch_size: int

    def __call__(self, group: 'Group', outputs: Outputs) -> dict:
        """Write the boxes of a group; return which videos were read and how many show humans."""
        rows: List[dict] = []
        read: List[str] = []
        humans = 0
        unreadable: Dict[str, str] = {}
        for item in group.items:
            path = os.path.join(self.videos, item['filename'])
            name = item['video_id']
            try:
                found = list(detect_video(self.detector, name, path, self.every, self.batch_size))
            except READERS['decord'].errors() as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                unreadable[name] = f'{path} ({reason})'
                continue
            rows += found
            read.append(name)
            humans += any(not np.isnan(row['score']) for row in found)
        if rows:
            write_boxes(outputs.path(group.file), rows)
            outputs.add_written(group.file)
        return dict(videos=read, humans=humans, unreadable=unreadable)


class Group(NamedTuple):
    """Videos whose boxes share a file."""
    file: str
    items: Sequence[dict]


def make_groups(folder: Path, items: Sequence[dict], size: int, part: str) -> List[Group]:
    """Share videos out among files that are not there yet."""
    groups: List[Group] = []
    number = 0
    for start in range(0, len(items), size):
        while (folder / f'boxes-{part}-{number:05d}.parquet').exists():
            number += 1
        groups.append(Group(f'boxes-{part}-{number:05d}.parquet', items[start:start + size]))
        number += 1
    return groups
