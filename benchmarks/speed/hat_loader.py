"""What does compositing HAT's action-swap clips cost beside decoding their files?

``python benchmarks/speed/hat_loader.py [--rule hat] [--repeats 60]``

A clip is 16 frames of 340 x 256 with masks and background frames. Three things take turns in
one run, on one thread, on the same files in a temporary folder: OpenCV decoding these files
and doing nothing else, this package's ``ActionSwapClip``, and the plain formulation with
Pillow and SciPy. Composites of the last two are compared pixel by pixel. The ratios are
of the shortest times; the targets are at most 1.25 and at most 0.5.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from scipy import ndimage

from devias_mm.datasets.hat import LAYOUTS, ActionSwapClip
from devias_mm.datasets.hat.compose import background_indices

FRAMES, SIZE = 16, (256, 340)
QUALITY = 85  # about 25 kB a frame, like frames of Kinetics videos
LIMITS = dict(decoding=1.25, plain=0.5)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rule', choices=('hat', 'devias'), default='hat')
    parser.add_argument('--repeats', type=int, default=60, help='clips each (default: 60)')
    parser.add_argument('--background', type=int, nargs=2, default=SIZE, metavar=('H', 'W'),
                        help='size of the background frames; another short side than that of '
                        'the frames makes them be scaled (default: that of the frames)')
    return parser.parse_args()


def natural_frame(rng: np.random.Generator, size) -> np.ndarray:
    """An image with the spectrum of a photograph, amplitudes falling as 1 / f."""
    rows, columns = np.meshgrid(*(np.fft.fftfreq(n) for n in size), indexing='ij')
    spectrum = np.fft.fft2(rng.normal(size=(*size, 3)), axes=(0, 1))
    spectrum /= np.maximum(np.hypot(rows, columns), 1 / max(size))[..., None]
    image = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return np.clip(128 + 45 * image / image.std(), 0, 255).astype(np.uint8)


def make_video(root: Path, video: str, size, seed: int, frames: int = 2 * FRAMES) -> None:
    """Write frames, inpainted frames and masks of an ellipse that walks, in HAT's layout."""
    rng = np.random.default_rng(seed)
    layout = LAYOUTS['hat']
    scene = natural_frame(rng, size)
    rows, columns = np.mgrid[:size[0], :size[1]]
    for index in range(frames):
        across = (0.3 + 0.4 * index / frames) * size[1]
        distance = np.hypot((rows - size[0] / 2) / (0.35 * size[0]),
                            (columns - across) / (0.12 * size[1]))
        mask = (255 * np.clip(4 * (1.1 - distance), 0, 1)).astype(np.uint8)
        frame = np.roll(scene, index, axis=1)
        jpeg = dict(quality=QUALITY)
        for files, image, options in (
                (layout.original, frame, jpeg), (layout.masks, mask, {}),
                (layout.inpainted, cv2.GaussianBlur(frame, (0, 0), 1), jpeg)):
            name = files.filename_tmpl.format(files.first_number + index)
            path = root / files.folder / video / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, **options)


def clip_files(clip: ActionSwapClip, indices: np.ndarray, chosen: np.ndarray) -> list:
    """The files of a clip: of each frame its picture, mask and background, and one mask more."""
    return [*((clip.frames.path(f), clip.masks.path(f), clip.backgrounds.path(b))
              for f, b in zip(indices.tolist(), chosen.tolist())),
            (clip.background_masks.path(int(chosen[0])), )]


def decode(files: list) -> None:
    """OpenCV decodes the files, masks as grey images."""
    for group in files:
        for path in group:
            grey = path.endswith('.png')
            cv2.imread(path, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)


def plain_composites(files: list, rule: str) -> list:
    """HAT's composites as they are described, frame by frame, with Pillow and SciPy."""
    def centre(mask):
        return ndimage.center_of_mass(mask) if mask.any() else np.array(mask.shape) / 2

    def scaled(image, short):
        if min(image.shape[:2]) == short:
            return image
        height, width = image.shape[:2]
        if rule == 'hat':
            scale = short / min(height, width)
            return cv2.resize(image, (int(width * scale + 0.5), int(height * scale + 0.5)))
        size = ((int(short * width / height), short) if height <= width
                else (short, int(short * height / width)))
        return np.array(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))

    composites, move = [], None
    for frame_file, mask_file, background_file in files[:-1]:
        frame = np.array(Image.open(frame_file).convert('RGB'))
        mask = np.array(Image.open(mask_file).convert('L'))
        short = min(frame.shape[:2])
        background = scaled(np.array(Image.open(background_file).convert('RGB')), short)
        if move is None:
            there = scaled(np.array(Image.open(files[-1][0]).convert('L')), short)
            move = [int(b - f) for f, b in zip(centre(mask), centre(there))]
        # every pixel of the person goes to its shifted place, where there is one
        rows, columns = np.nonzero(mask > 128)
        to_rows, to_columns = rows + move[0], columns + move[1]
        inside = ((to_rows >= 0) & (to_rows < background.shape[0]) &
                  (to_columns >= 0) & (to_columns < background.shape[1]))
        composite = background.copy()
        composite[to_rows[inside], to_columns[inside]] = frame[rows[inside], columns[inside]]
        composites.append(composite)
    return composites


def main() -> int:
    args = parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_video(root, 'a/person', SIZE, seed=0)
        make_video(root, 'b/scene', tuple(args.background), seed=1)
        indices = np.arange(FRAMES)

        def composite() -> list:
            clip = ActionSwapClip(folder, LAYOUTS['hat'], 'a/person', 'b/scene', 2 * FRAMES,
                                  args.rule)
            return clip.read(indices, FRAMES)

        chosen = background_indices(indices, 2 * FRAMES, 2 * FRAMES, args.rule)
        files = clip_files(ActionSwapClip(folder, LAYOUTS['hat'], 'a/person', 'b/scene',
                                          2 * FRAMES, args.rule), indices, chosen)
        same = np.array_equal(np.stack(composite()), plain_composites(files, args.rule))
        steps = {'decoding its files, OpenCV': lambda: decode(files),
                 'ActionSwapClip': composite,
                 'plain, Pillow and SciPy': lambda: plain_composites(files, args.rule)}
        best = dict.fromkeys(steps, float('inf'))
        for _ in range(args.repeats):  # in turn, so that other work on the machine hits all
            for name, step in steps.items():
                start = time.process_time()
                step()
                best[name] = min(best[name], time.process_time() - start)
    decoding, ours, plain = best.values()
    table = Table('what', 'milliseconds / clip', 'ActionSwapClip takes', 'at most',
                  title=f"a clip of {FRAMES} frames of {SIZE[1]} x {SIZE[0]}, rule '{args.rule}'")
    table.add_row('decoding its files, OpenCV', f'{1e3 * decoding:.1f}',
                  f'{ours / decoding:.2f} of it', f"{LIMITS['decoding']}")
    table.add_row('plain, Pillow and SciPy', f'{1e3 * plain:.1f}', f'{ours / plain:.2f} of it',
                  f"{LIMITS['plain']}")
    table.add_row('ActionSwapClip', f'{1e3 * ours:.1f}', '', '', style='bold')
    table.add_row('same pixels', 'yes' if same else 'NO', '', '')
    Console().print(table)
    return int(not same or ours > LIMITS['decoding'] * decoding or ours > LIMITS['plain'] * plain)


if __name__ == '__main__':
    sys.exit(main())
