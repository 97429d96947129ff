"""Something-Something-V2 (88 classes) after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

if TYPE_CHECKING:
    from mmengine.config import Config

DIVING48 = load_suite(Path(__file__).with_name('downstream_diving48.py'))
mini_ssv2 = on_dataset('datasets/mini_ssv2.py')


def unflipped(cfg: 'Config') -> None:
    """Flip no clip, because some classes tell left from right (DEVIAS Table 23)."""
    dataset = cfg.train_dataloader.dataset
    dataset.pipeline = [step for step in dataset.pipeline if step.type != 'Flip']


suite = replace(
    DIVING48,
    name='downstream_mini_ssv2',
    title='Kinetics-400 to Something-Something-V2 (88 classes): top-1 accuracy in percent',
    methods={name: replace(method, change=[method.change, mini_ssv2, unflipped])
             for name, method in DIVING48.methods.items()},
    data_config='configs/_base_/datasets/mini_ssv2.py',
)
