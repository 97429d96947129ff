"""UCF-101 with other encoders: I3D and Omnivore's Swin-B (DEVIAS Table 14 c, d)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))
# method: folder of its configs, label, paper
ROWS = {
    'naive-action': ('naive', 'Naive Action', 'ECCV 2024, supp. C.1'),
    'naive-scene': ('naive', 'Naive Scene', 'ECCV 2024, supp. C.1'),
    'two-token': ('tokens', 'Multi-Task', 'ECCV 2024'),
    'two-token-fame': ('tokens', 'Multi-Task w/ FAME', 'ECCV 2024'),
    'devias': ('devias/ablations', 'DEVIAS', 'ECCV 2024'),
}
TASKS = {'naive-action': ('action', ), 'naive-scene': ('scene', )}

suite = replace(
    UCF101,
    name='ucf101_backbones',
    title='UCF-101 with other encoders: action top-1, scene top-5 in percent',
    methods={
        f'{name}-{short}': Method(
            f'configs/{folder}/{name}_{backbone}_8xb12-16x4x1-100e_ucf101-rgb.py',
            f'{label}, {shown}', paper, predicts=TASKS.get(name, ('action', 'scene')))
        for short, backbone, shown in (('i3d', 'i3d-r50', 'I3D'),
                                       ('omnivore', 'swin-base-omnivore', 'Omnivore'))
        for name, (folder, label, paper) in ROWS.items()
    },
)
