"""Puppets, the embedded benchmark: articulated figures in front of procedural scenes.

A figure performs one of 8 actions, which only its motion tells, in front of one of 8 scene
families. In training, scene ``i`` accompanies action ``i`` with probability ``rho``.
"""
from .figure import ACTIONS, Puppet, pose
from .files import read_masks, read_video
from .presets import PRESETS, Preset
from .render import RenderedClip, render_background, render_clips
from .scenes import SCENES, paint_scene
from .splits import Clip, plan_lists
from .textures import TEXTURES, paint_texture
from .writer import PuppetsWriter

__all__ = [
    'ACTIONS', 'PRESETS', 'SCENES', 'TEXTURES', 'Clip', 'Preset', 'Puppet', 'PuppetsWriter',
    'RenderedClip', 'paint_scene', 'paint_texture', 'plan_lists', 'pose', 'read_masks',
    'read_video', 'render_background', 'render_clips',
]
