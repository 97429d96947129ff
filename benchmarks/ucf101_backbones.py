"""UCF-101 with other encoders: I3D and Omnivore's Swin-B (DEVIAS Table 14 c, d, with its H.M.)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from devias_mm.harness import load_suite
from devias_mm.harness.recipes import fragment

if TYPE_CHECKING:
    from mmengine.config import Config

ABLATIONS = load_suite(Path(__file__).with_name('ucf101_ablations.py'))
UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))
# short name: heading, fragment
ENCODERS = {'i3d': ('I3D', 'models/i3d-r50.py'),
            'omnivore': ('Omnivore', 'models/swin-base-omnivore.py')}
# method of ucf101.py: what the table calls it
ROWS = {'naive': 'Naive Action', 'naive-scene': 'Naive Scene', 'two-token': 'Multi-Task',
        'two-token-fame': 'Multi-Task w/ FAME', 'devias': 'DEVIAS'}


def with_encoder(path: str) -> Callable[['Config'], None]:
    """Return a change that puts another encoder into a recipe for a ViT.

    There is no decay of the learning rate over its layers, and the encoder has its own weights.
    """
    def change(cfg: 'Config') -> None:
        vit = cfg.model.backbone
        cfg.model.backbone = fragment(path).backbone
        if 'num_extra_tokens' in vit:
            cfg.model.backbone.num_extra_tokens = vit.num_extra_tokens
        cfg.model.pop('pool_norm', None)  # of VideoMAE's fine-tuning
        cfg.pop('load_from')
        slots = cfg.optim_wrapper.paramwise_cfg.get('lr_mult')
        schedule = fragment('schedules/adamw_100e.py')
        cfg.optim_wrapper = schedule.optim_wrapper
        if slots:
            rates = {part: dict(lr_mult=rate) for part, rate in slots.items()}
            cfg.optim_wrapper.paramwise_cfg.custom_keys = rates

    return change


methods = {}
for short, (shown, path) in ENCODERS.items():
    for name, label in ROWS.items():
        method = UCF101.methods[name]
        methods[f'{name}-{short}'] = replace(
            method, label=f'{label}, {shown}', pretrain=None,
            change=[method.change, with_encoder(path)])

suite = replace(
    ABLATIONS,
    name='ucf101_backbones',
    title='UCF-101 with other encoders: action top-1, scene top-5 in percent',
    methods=methods,
)
