"""The published folders of HAT, written from the arrays of ``tests/golden/hat``."""
import json
import pickle
from pathlib import Path

import cv2
import numpy as np

from devias_mm.datasets.hat.layout import LAYOUTS

GOLDEN = Path(__file__).resolve().parents[1] / 'golden' / 'hat'
LISTS = {'hat': 'kinetics', 'devias-kinetics': 'kinetics', 'devias-ucf101': 'ucf101'}


def write_release(folder):
    """Write the frames in all layouts, and the lists, into a folder.

    Readers look at a file's content: the frames ``.jpg`` are PNGs, which lose nothing.
    Frames that no case compares are flat, and each has its own grey.
    """
    release = json.loads((GOLDEN / 'release.json').read_text())
    with np.load(GOLDEN / 'frames.npz', allow_pickle=False) as arrays:
        for name, video in release['videos'].items():
            images = {kind: all_frames(arrays, f'{name}__{kind}', video['frames'])
                      for kind in ('ori', 'seg', 'inp')}
            for layout in LAYOUTS:
                write_video(folder / layout, LAYOUTS[layout], video[LISTS[layout]], images)
    for lists, swaps in release['swaps'].items():
        for swap, pairs in swaps.items():
            (folder / f'{lists}_{swap}.pickle').write_bytes(pickle.dumps(pairs))
        labels = release['labels'][lists]
        lines = [f'{label},{name}' for name, label in labels.items()]
        (folder / f'{lists}_labels.csv').write_text('\n'.join(lines))
    lines = [f"{video['kinetics']} {video['frames']} "
             f"{release['labels']['kinetics'][video['kinetics'].split('/')[0]]}\n"
             for video in release['videos'].values()]
    (folder / 'ann_list.txt').write_text(''.join(lines))


def all_frames(arrays, key, count):
    """Return the stored images, and flat ones for the others; RGB or grey."""
    stored = arrays[key]
    images = np.empty((count, *stored.shape[1:]), np.uint8)
    # a mask without a person, or frames that differ from one another
    for index in range(count):
        images[index] = 0 if key.endswith('seg') else 5 + 7 * index
    images[arrays[f'{key}_index']] = stored
    return images


def write_video(root, layout, name, images):
    """Write the frames, masks and inpainted frames of a video in one layout."""
    if not layout.with_class:
        name = name.split('/')[1]
    for kind, place in (('ori', layout.original), ('seg', layout.masks),
                        ('inp', layout.inpainted)):
        target = root / place.folder / name
        target.mkdir(parents=True)
        for number, image in enumerate(images[kind], place.first_number):
            encoded = cv2.imencode('.png', image[..., ::-1] if image.ndim == 3 else image)[1]
            (target / place.filename_tmpl.format(number)).write_bytes(encoded.tobytes())
