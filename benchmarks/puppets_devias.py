"""DEVIAS on the embedded benchmark: its recipe there; as published and as printed, with nothing
tuned; and as published without its parts (Tables 6 a, b, h)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.harness import Method, load_suite
from devias_mm.harness.recipes import fragment

if TYPE_CHECKING:
    from mmengine.config import Config

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
# fitted to training from scratch
FITTED = ('losses', 'mask_decoder', 'assignment', 'assignment_cost', 'action_scores',
          'scene_scores')


def published(cfg: 'Config') -> None:
    """Leave every option at its default, the published one."""
    for option in FITTED:
        del cfg.model[option]
    cfg.model.slot_attention = dict(num_slots=2, num_iters=4)


def printed(cfg: 'Config') -> None:
    """Give every option the value that the paper prints."""
    published(cfg)
    cfg.merge_from_dict(dict(model=fragment('methods/devias_print.py').printed.to_dict()))


def variant(label: str, **model) -> Method:
    """Return the published DEVIAS with other arguments of its model."""
    return replace(PUPPETS.methods['devias'], label=label,
                   change=[published, dict(model=model)])


suite = replace(
    PUPPETS,
    name='puppets_devias',
    title='Ablations of DEVIAS on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'devias': PUPPETS.methods['devias'],
        'published': variant('as published'),
        'print': replace(PUPPETS.methods['devias'], label='as printed', change=printed),
        # two encoder tokens instead of the slots
        'no-slots': variant('as published, w/o disentangling encoder', slot_attention=None,
                            backbone=dict(num_extra_tokens=2)),
        'no-amd': variant('as published, w/o mask decoder and guidance',
                          losses=dict(mask=None, guidance=None)),
        # over the tokens instead of the slots
        'keys-softmax': variant('as published, softmax over keys',
                                slot_attention=dict(softmax_axis='tokens')),
    },
)
