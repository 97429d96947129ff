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

    A training clip may exist twice, in its own scene and swapped into another, with the same
    figure and motion.

    Attributes:
        split: its folder.
        index: number within the split.
        action: class.
        backdrop: one of ``SCENES``, ``TEXTURES`` or ``GREY``.
        has_figure: whether there is a figure.
        swapped: whether it is the version in another scene.
    """
    split: str
    index: int
    action: int
    backdrop: str
    has_figure: bool = True
    swapped: bool = False

    @property
    def name(self) -> str:
        """Return its path below ``videos/``, without a suffix."""
        suffix = '_swapped' if self.swapped else ''
        return f'{self.split}/{self.index:06d}_{ACTIONS[self.action]}{suffix}'

    @property
    def scene(self) -> int:
        """Return the scene class, -1 where the backdrop is no scene."""
        return SCENES.index(self.backdrop) if self.backdrop in SCENES else -1

    @property
    def line(self) -> str:
        """Return the line of a list file: ``file action scene background``.

        Scene ``i`` accompanies action ``i`` in training, so the action that the background
        belongs to has the number of the scene.
        """
        return f'{self.name}.mp4 {self.action} {self.scene} {self.scene}'

    def rng(self, seed: int, stream: int) -> np.random.Generator:
        """Return a generator that depends on seed, split, index and stream alone."""
        return clip_rng(seed, self.split, self.index, stream)


def clip_rng(seed: int, split: str, index: int, stream: int) -> np.random.Generator:
    """Return an independent generator for one random stream of one clip."""
    key = (zlib.crc32(split.encode()), index, stream)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _backdrop(split: str, action: int, turn: int) -> str:
    """Return the backdrop of a clip of a test split; ``turn`` counts the clips of its action."""
    if split.endswith('unseen'):
        shift = 1 + turn % (len(SCENES) - 1)  # through all scenes but the action's own
        return SCENES[(action + shift) % len(SCENES)]
    if split == 'unseen-texture':
        return TEXTURES[turn % len(TEXTURES)]
    if split == 'human-only':
        return GREY
    return SCENES[action]


def _test_split(split: str, count: int) -> List[Clip]:
    """Return ``count`` clips, with the actions in turn."""
    clips = []
    for index in range(count):
        turn, action = divmod(index, len(ACTIONS))
        clips.append(Clip(split, index, action, _backdrop(split, action, turn),
                          has_figure=split != 'scene-only'))
    return clips


def plan_lists(preset: Preset, seed: int) -> Dict[str, List[Clip]]:
    """Return the list files of a data set, without their suffix, and their clips in order.

    One number ``u`` in [0, 1) is drawn for a training clip: at correlation ``rho`` it is in its
    own scene where ``u < rho``. Raising rho therefore only moves clips into their own scenes,
    and all training lists share their figures and files.
    """
    lists: Dict[str, List[Clip]] = {_train_list(rho): [] for rho in preset.rhos}
    for index in range(preset.num_train):
        action = index % len(ACTIONS)
        draw = clip_rng(seed, 'train', index, DRAW)
        u = draw.random()
        shift = int(draw.integers(1, len(SCENES)))
        own = Clip('train', index, action, SCENES[action])
        other = Clip('train', index, action, SCENES[(action + shift) % len(SCENES)], swapped=True)
        for rho in preset.rhos:
            lists[_train_list(rho)].append(own if u < rho else other)
    if len(preset.rhos) == 1:
        lists['train'] = lists[_train_list(preset.rhos[0])]
    for split in ('val-seen', 'val-unseen'):
        lists[split] = _test_split(split, preset.num_val)
    lists['val'] = lists['val-seen'] + lists['val-unseen']
    for split in ('seen', 'unseen', 'unseen-texture', 'human-only'):
        lists[split] = _test_split(split, preset.num_test)
    lists['scene-only'] = _test_split('scene-only', preset.num_scene_only)
    return lists


def _train_list(rho: float) -> str:
    return f'train-rho{rho:.2f}'
