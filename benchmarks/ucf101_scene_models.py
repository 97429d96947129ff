"""UCF-101 with other scene teachers: SUN397's and CLIP (DEVIAS Table 12, with its H.M.)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.evaluation.reference import Reference
from devias_mm.harness import load_suite
from devias_mm.harness.changes import LOADERS
from devias_mm.harness.recipes import fragment

if TYPE_CHECKING:
    from mmengine.config import Config

ABLATIONS = load_suite(Path(__file__).with_name('ucf101_ablations.py'))
UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))


def read_labels(folder: str, cfg: 'Config') -> None:
    """Score against the labels of the row's own teacher, which are files of their own."""
    for name, split in cfg.test_cfg.splits.items():
        split.scene_label_file = f'annotations/{folder}/{name}.parquet'


def sun397(cfg: 'Config') -> None:
    """Learn the scenes of a scene model that was trained on SUN397."""
    teacher = fragment('models/sun397_teacher.py').sun397_teacher
    cfg.merge_from_dict(dict(model=dict(scene_teacher=teacher.to_dict())))
    classes = teacher.num_scene_classes
    cfg.num_scene_classes = cfg.model.num_scene_classes = classes
    for name in LOADERS:
        cfg[name].dataset.num_scene_classes = classes
    read_labels('scenes_sun397', cfg)


def clip(cfg: 'Config') -> None:
    """Learn the scenes of Places365 as zero-shot CLIP names them."""
    cfg.model.scene_teacher = fragment('models/clip_teacher.py').clip_teacher
    read_labels('scenes_clip', cfg)


methods = {}
for name in ('two-token', 'two-token-fame', 'devias'):
    method = UCF101.methods[name]
    methods[name] = method
    for scenes, change, shown in (('sun397', sun397, 'SUN397'), ('clip', clip, 'CLIP')):
        methods[f'{name}-{scenes}'] = replace(
            method, label=f'{method.label}, {shown}', change=[method.change, change])

# what Table 12 calls our rows
SCENE_MODELS = {'': 'Places365', '-sun397': 'SUN397', '-clip': 'CLIP'}
rows = {}
for suffix, scene_model in SCENE_MODELS.items():
    for name in ('two-token', 'two-token-fame', 'devias'):
        rows[f'{name}{suffix}'] = dict(method=name, scene_model=scene_model)
PRINTED = Reference('devias_table12', columns=ABLATIONS.protocol.references[0].columns, rows=rows)

suite = replace(
    ABLATIONS,
    name='ucf101_scene_models',
    title='UCF-101 with other scene teachers: action top-1, scene top-5 in percent',
    methods=methods,
    protocol=replace(ABLATIONS.protocol, references=(PRINTED, )),
)
