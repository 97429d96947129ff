"""Models and clips of a few pixels, for the tests of the methods."""
import math

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from devias_mm.methods.devias import SlotOutput
from devias_mm.methods.devias_losses import SlotBatch
from devias_mm.structures import ClipTargets

ACTIONS, SCENES = 3, 2
SIZE = (4, 16, 16)
GRID = (2, 4, 4)


def build(type: str, num_extra_tokens: int = 0, augments=(), **kwargs) -> torch.nn.Module:
    """A method on an encoder with 32 tokens of width 24."""
    preprocessor = dict(type='DebiasDataPreprocessor', mean=[127.] * 3, std=[60.] * 3,
                        augments=list(augments))
    if type == 'DEVIAS':
        kwargs.setdefault('slot_attention', dict(num_slots=2, num_iters=2, head_dims=8))
    # the published init_scale would make all classes nearly equal
    kwargs = dict(dict(num_classes=ACTIONS, num_scene_classes=SCENES, init_scale=1.0), **kwargs)
    return MODELS.build(dict(
        type=type, data_preprocessor=preprocessor,
        backbone=dict(type='ConvTokenEncoder', input_size=SIZE, widths=(8, 12, 24), num_heads=3,
                      num_extra_tokens=num_extra_tokens), **kwargs))


def teacher(**kwargs) -> dict:
    """Config of a scene teacher on the same clips."""
    return dict(type='NaiveRecognizer', task='scene', num_classes=0, num_scene_classes=SCENES,
                backbone=dict(type='ConvTokenEncoder', input_size=SIZE, widths=(8, 12, 24),
                              num_heads=3), **kwargs)


def sample(action: int, scene: int = -1) -> ActionDataSample:
    """Labels of one clip."""
    result = ActionDataSample(metainfo=dict(video_id=f'{action}-{scene}'))
    result.set_gt_label(action)
    result.set_field(scene, 'scene_label')
    return result


def batch(views: int = 1, scenes=(0, 1, 0, 1)) -> dict:
    """Four clips: stripes whose direction is the scene, a spot whose path is the action."""
    clips, actions = [], (0, 1, 2, 0)
    stripes = (60 + 80 * (torch.arange(16) % 4 < 2)).float()
    for action, scene in zip(actions, (0, 1, 0, 1)):
        background = stripes.expand(16, 16) if scene else stripes[:, None].expand(16, 16)
        clip = background.expand(3, 4, 16, 16).clone()
        for t in range(4):
            row, column = ((3 * t, 6), (6, 3 * t), (12 - 3 * t, 12 - 3 * t))[action]
            clip[:, t, row:row + 4, column:column + 4] = torch.tensor([240., 40., 40.]).view(
                3, 1, 1)
        clips.append((clip + torch.randint(9, clip.shape)).byte().expand(views, -1, -1, -1, -1))
    return dict(inputs=clips, data_samples=[sample(a, s) for a, s in zip(actions, scenes)])


def output_of(model, size: int = 3, slots: int = 2) -> SlotOutput:
    """Random slots with gradient."""
    attention = torch.randn(size, slots, math.prod(GRID)).softmax(1)
    return SlotOutput(*(x.requires_grad_() for x in (
        torch.randn(size, slots, model.embed_dims), attention,
        torch.randn(size, slots, ACTIONS + SCENES))), GRID)


def slot_batch(model, output: SlotOutput, action_slot, scene_slot, targets: ClipTargets,
               teacher_logits=None, clips=None) -> SlotBatch:
    """What the loss terms of DEVIAS see, of slots with given roles."""
    return SlotBatch(
        slots=output.slots, attention=output.attention, logits=output.logits, grid=output.grid,
        action_slot=action_slot, scene_slot=scene_slot, action=targets.action,
        scene=targets.scene + ACTIONS, num_classes=ACTIONS, teacher_logits=teacher_logits,
        masks=targets.masks, clip_mask=targets.clip_mask, clips=clips,
        decoder=model.mask_decoder)


def targets_of(size: int = 3) -> ClipTargets:
    masks = (torch.rand(size, *GRID) > 0.5).float()
    return ClipTargets(torch.arange(size) % ACTIONS, torch.arange(size) % SCENES, masks,
                       (torch.rand(size, *GRID[1:]) > 0.5).float())
