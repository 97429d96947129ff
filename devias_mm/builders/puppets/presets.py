"""Sizes and difficulty of a Puppets data set."""
from dataclasses import dataclass
from typing import Dict, Tuple

from devias_mm.builders.puppets.figure import ACTIONS


@dataclass(frozen=True)
class Preset:
    """What a Puppets data set is made of; with a seed it determines every file.

    Attributes:
        name (str): the folder under the output directory.
        num_train (int): training clips.
        num_val (int): clips of each of ``val-seen`` and ``val-unseen``.
        num_test (int): clips of each of ``seen``, ``unseen``, ``unseen-texture``, ``human-only``.
        num_scene_only (int): clips of ``scene-only``.
        rhos (tuple[float]): action-scene correlations in [0, 1]: the share of training clips in
            the scene that belongs to their action. There is a training list for each.
        frames (int): frames a clip.
        size (int): side of the frames in pixels: 64 or more, in steps of 16.
        fps (int): frames a second written to the video files.
        scene_jitter (float): how much a scene family's look varies; 1 = the families are told
            apart by their hues alone, 8 = any hue, only the pattern tells.
        scene_overlap (float): probability in [0, 1] that another family's scene is blended into
            a clip's background, with a weight of up to ``overlap_weight``.
        overlap_weight (float): in [0, 1]; from 0.5 on, some blends show more of the other family.

    The counts must be multiples of 8, so that all actions are equally frequent.

    Raises:
        ValueError: where a value is out of its range.
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
    scene_jitter: float = 1.
    scene_overlap: float = 0.
    overlap_weight: float = 0.5

    def __post_init__(self) -> None:
        def require(valid: bool, field: str, accepted: str) -> None:
            if not valid:
                raise ValueError(
                    f'Preset.{field}={getattr(self, field)!r}: accepted is {accepted}.')

        def number(value) -> bool:
            return isinstance(value, (int, float)) and not isinstance(value, bool)

        for field in ('num_train', 'num_val', 'num_test', 'num_scene_only'):
            count = getattr(self, field)
            require(isinstance(count, int) and count > 0 and count % len(ACTIONS) == 0, field,
                    f'a positive multiple of {len(ACTIONS)}, the number of actions')
        for field in ('frames', 'fps'):
            count = getattr(self, field)
            require(isinstance(count, int) and count >= 1, field, 'an integer >= 1')
        for field in ('scene_overlap', 'overlap_weight'):
            share = getattr(self, field)
            require(number(share) and 0 <= share <= 1, field, 'a number in [0, 1]')
        require(number(self.scene_jitter) and 0 <= self.scene_jitter < float('inf'),
                'scene_jitter', 'a number >= 0')
        rhos_valid = (isinstance(self.rhos, tuple) and len(self.rhos) > 0
                      and all(number(rho) and 0 <= rho <= 1 for rho in self.rhos)
                      and len({f'{rho:.2f}' for rho in self.rhos}) == len(self.rhos))
        require(rhos_valid, 'rhos',
                'a tuple of numbers in [0, 1] that differ in the first two decimals')
        # decord 0.6.0 cannot read mp4v files 48 or 72 pixels wide
        require(isinstance(self.size, int) and self.size >= 64 and self.size % 16 == 0, 'size',
                'a multiple of 16 from 64 on')
        require(isinstance(self.name, str) and self.name not in ('', '.', '..')
                and '/' not in self.name, 'name', 'a name for a folder')


PRESETS: Dict[str, Preset] = {preset.name: preset for preset in (
    Preset('tiny', num_train=32, num_val=16, num_test=16, num_scene_only=16),
    Preset('demo'),
    # Scenes of wider hues, half of them blended: where scenes are told apart at a glance, every
    # method that looks at them falls from 100 % to 0 % between two neighbouring rhos.
    Preset('ladder', rhos=(0.7, 0.8, 0.9, 0.95), scene_jitter=2., scene_overlap=0.5),
)}
