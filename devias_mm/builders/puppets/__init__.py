"""Puppets, the embedded benchmark: articulated figures in front of procedural scenes.

A figure performs one of 8 actions, which only its motion tells, in front of one of 8 scene
families. In training, scene ``i`` accompanies action ``i`` with probability ``rho``.
"""
from devias_mm.builders.media import read_masks, read_video
from devias_mm.builders.puppets.figure import ACTIONS, Puppet, pose
from devias_mm.builders.puppets.presets import PRESETS, Preset
from devias_mm.builders.puppets.render import RenderedClip, render_background, render_clips
from devias_mm.builders.puppets.scenes import SCENES, paint_scene
from devias_mm.builders.puppets.splits import Clip, plan_lists
from devias_mm.builders.puppets.textures import TEXTURES, paint_texture
from devias_mm.builders.puppets.writer import PuppetsWriter

__all__ = [
    'ACTIONS', 'PRESETS', 'SCENES', 'TEXTURES', 'Clip', 'Preset', 'Puppet', 'PuppetsWriter',
    'RenderedClip', 'paint_scene', 'paint_texture', 'plan_lists', 'pose', 'read_masks',
    'read_video', 'render_background', 'render_clips',
]
