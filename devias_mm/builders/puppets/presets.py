"""Sizes and difficulty of a Puppets data set."""
from dataclasses import dataclass
from typing import Dict, Tuple

from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.errors import UsageError


@dataclass(frozen=True)
class Preset:
    """What a Puppets data set is made of; with a seed it determines every file.

    Attributes:
        name: the folder under the output directory.
        num_train: training clips.
        num_val: clips of each of ``val-seen`` and ``val-unseen``.
        num_test: clips of each of ``seen``, ``unseen``, ``unseen-texture``, ``human-only``.
        num_scene_only: clips of ``scene-only``.
        rhos: action-scene correlations in [0, 1]: the share of training clips in
            the scene that belongs to their action. There is a training list for each.
        frames: frames a clip.
        size: side of the frames in pixels: 64 or more, in steps of 16.
        fps: frames a second written to the video files.
        scene_jitter: how much a scene family's look varies; 1 = the families are told
            apart by their hues alone, 8 = any hue, only the pattern tells.
        scene_overlap: probability in [0, 1] that another family's scene is blended into
            a clip's background, with a weight of up to ``overlap_weight``.
        overlap_weight: in [0, 1]; from 0.5 on, some blends show more of the other family.

    The counts must be multiples of 8, so that all actions are equally frequent.

    Raises:
        UsageError: a value is out of its range.
    """
    name: str
    num_train: int = 1024
    num_val: int = 160
    num_test: int = 336  # 8 actions x 7 other scenes x 6, and a multiple of 3 textures
    num_scene_only: int = 160
    rhos: Tuple[float, ...] = (0.9, )
    frames: int = 16
    size: int = 64
    fps: int = 8
    scene_jitter: float = 1.0
    scene_overlap: float = 0.0
    overlap_weight: float = 0.5

    def __post_init__(self) -> None:
        for field in ('num_train', 'num_val', 'num_test', 'num_scene_only'):
            count = getattr(self, field)
            self._require(_is_count(count) and count % len(ACTIONS) == 0, field,
                          f'a positive multiple of {len(ACTIONS)}, the number of actions')
        for field in ('frames', 'fps'):
            self._require(_is_count(getattr(self, field)), field, 'an integer >= 1')
        for field in ('scene_overlap', 'overlap_weight'):
            self._require(_is_share(getattr(self, field)), field, 'a number in [0, 1]')
        self._require(_is_number(self.scene_jitter) and 0 <= self.scene_jitter < float('inf'),
                      'scene_jitter', 'a number >= 0')
        self._require(self._rhos_are_valid(), 'rhos',
                      'a tuple of numbers in [0, 1] that differ in the first two decimals')
        # decord 0.6.0 cannot read mp4v files 48 or 72 pixels wide
        self._require(isinstance(self.size, int) and self.size >= 64 and self.size % 16 == 0,
                      'size', 'a multiple of 16 from 64 on')
        is_name = isinstance(self.name, str) and self.name not in ('', '.', '..')
        self._require(is_name and '/' not in self.name and '\0' not in self.name, 'name',
                      'a name for a folder')

    def _require(self, valid: bool, field: str, accepted: str) -> None:
        if not valid:
            value = getattr(self, field)
            raise UsageError(f'Preset.{field}={value!r}: accepted is {accepted}.')

    def _rhos_are_valid(self) -> bool:
        if not isinstance(self.rhos, tuple) or not self.rhos:
            return False
        if not all(_is_share(rho) for rho in self.rhos):
            return False
        names = {f'{rho:.2f}' for rho in self.rhos}  # of the training lists
        return len(names) == len(self.rhos)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 1


_PRESETS = (
    Preset('tiny', num_train=32, num_val=16, num_test=16, num_scene_only=16),
    Preset('demo'),
    # Scenes of wider hues, half of them blended: where scenes are told apart at a glance, every
    # method that looks at them falls from 100 % to 0 % between two neighbouring rhos.
    Preset('ladder', rhos=(0.7, 0.8, 0.9, 0.95), scene_jitter=2.0, scene_overlap=0.5),
)
PRESETS: Dict[str, Preset] = {preset.name: preset for preset in _PRESETS}
