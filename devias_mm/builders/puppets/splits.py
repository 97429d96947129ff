"""Which clips a data set has, and which list files name them."""
import zlib
from typing import Dict, List, NamedTuple

import numpy as np

from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.builders.puppets.presets import Preset
from devias_mm.builders.puppets.scenes import SCENES
from devias_mm.builders.puppets.textures import TEXTURES

GREY = 'grey'

#: random streams of one clip; the two backgrounds of a training clip have one each
DRAW, FIGURE, OWN_BACKGROUND, SWAPPED_BACKGROUND = range(4)


class Clip(NamedTuple):
    """One video file.

    ``backdrop`` is one of ``SCENES``, ``TEXTURES`` or ``GREY``. A training clip may exist twice,
    in its own scene and ``swapped`` into another, with the same figure and motion.
    """
    split: str
    index: int
    action: int
    backdrop: str
    has_figure: bool = True
    swapped: bool = False

    @property
    def name(self) -> str:
        """Path below ``videos/``, without a suffix."""
        suffix = '_swapped' if self.swapped else ''
        return f'{self.split}/{self.index:06d}_{ACTIONS[self.action]}{suffix}'

    @property
    def scene(self) -> int:
        """Scene class, -1 where the backdrop is no scene."""
        return SCENES.index(self.backdrop) if self.backdrop in SCENES else -1

    @property
    def line(self) -> str:
        """Line of a list file: ``file action scene background``.

        Scene ``i`` accompanies action ``i`` in training, so the action that the background
        belongs to has the number of the scene.
        """
        return f'{self.name}.mp4 {self.action} {self.scene} {self.scene}'

    def rng(self, seed: int, stream: int) -> np.random.Generator:
        """Generator that depends on the seed, the split, the index and the stream alone."""
        return clip_rng(seed, self.split, self.index, stream)


def clip_rng(seed: int, split: str, index: int, stream: int) -> np.random.Generator:
    """An independent generator for one random stream of one clip."""
    key = (zlib.crc32(split.encode()), index, stream)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _test_split(split: str, count: int) -> List[Clip]:
    """``count`` clips, actions in turn; the shift to the other scenes goes round as well."""
    clips = []
    for index in range(count):
        turn, action = divmod(index, len(ACTIONS))
        if split.endswith('unseen'):
            backdrop = SCENES[(action + 1 + turn % (len(SCENES) - 1)) % len(SCENES)]
        elif split == 'unseen-texture':
            backdrop = TEXTURES[turn % len(TEXTURES)]
        elif split == 'human-only':
            backdrop = GREY
        else:
            backdrop = SCENES[action]
        clips.append(Clip(split, index, action, backdrop, has_figure=split != 'scene-only'))
    return clips


def plan_lists(preset: Preset, seed: int) -> Dict[str, List[Clip]]:
    """The list files of a data set, without their suffix, and their clips in order.

    One number ``u`` in [0, 1) is drawn for a training clip: at correlation ``rho`` it is in its
    own scene where ``u < rho``. Raising rho therefore only moves clips into their own scenes,
    and all training lists share their figures and files.
    """
    lists: Dict[str, List[Clip]] = {
        f'train-rho{rho:.2f}': [] for rho in preset.rhos}
    for index in range(preset.num_train):
        action = index % len(ACTIONS)
        draw = clip_rng(seed, 'train', index, DRAW)
        u, shift = draw.random(), int(draw.integers(1, len(SCENES)))
        own = Clip('train', index, action, SCENES[action])
        other = Clip('train', index, action, SCENES[(action + shift) % len(SCENES)], swapped=True)
        for rho in preset.rhos:
            lists[f'train-rho{rho:.2f}'].append(own if u < rho else other)
    if len(preset.rhos) == 1:
        lists['train'] = lists[f'train-rho{preset.rhos[0]:.2f}']
    for split in ('val-seen', 'val-unseen'):
        lists[split] = _test_split(split, preset.num_val)
    lists['val'] = lists['val-seen'] + lists['val-unseen']
    for split in ('seen', 'unseen', 'unseen-texture', 'human-only'):
        lists[split] = _test_split(split, preset.num_test)
    lists['scene-only'] = _test_split('scene-only', preset.num_scene_only)
    return lists
