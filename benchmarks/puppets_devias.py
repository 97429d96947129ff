"""DEVIAS on the embedded benchmark: its recipe there, the defaults of the paper, and these without
their parts (Tables 6 a, b, h)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.harness import Method, load_suite

if TYPE_CHECKING:
    from mmengine.config import Config

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
# fitted to training from scratch, of the model and of its slot attention
FITTED = ('mask_hidden_dims', 'scene_weight', 'guidance_weight', 'guidance_reduction', 'cosine',
          'assignment')
FITTED_SLOTS = ('attn_norm', 'mlp_norm', 'mlp_ratio')


def paper_defaults(cfg: 'Config') -> None:
    """Leave every option as the paper has it."""
    for option in FITTED:
        del cfg.model[option]
    for option in FITTED_SLOTS:
        del cfg.model.slot_attention[option]


def paper(label: str, **model) -> Method:
    """Return DEVIAS with the paper's defaults and other switches, arguments of its model."""
    return replace(PUPPETS.methods['devias'], label=label,
                   change=[paper_defaults, dict(model=model)])


suite = replace(
    PUPPETS,
    name='puppets_devias',
    title='Ablations of DEVIAS on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'devias': PUPPETS.methods['devias'],
        'paper': paper('paper defaults'),
        # two encoder tokens instead of the slots
        'paper-no-slots': paper('paper defaults, w/o disentangling encoder',
                                disentangling='tokens', slot_attention=None,
                                backbone=dict(num_extra_tokens=2)),
        'paper-no-amd': paper('paper defaults, w/o mask decoder and guidance',
                              mask_weight=0., guidance_weight=0.),
        # over the tokens instead of the slots
        'paper-keys-softmax': paper('paper defaults, softmax over keys',
                                    slot_attention=dict(softmax_axis='tokens')),
    },
)
