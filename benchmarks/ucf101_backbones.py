"""UCF-101 with other encoders: I3D and Omnivore's Swin-B (DEVIAS Table 14 c, d)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import harmonic
from devias_mm.evaluation.reference import Reference
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

# the H.M. of DEVIAS's ablations is that of these
COMPONENTS = ('action_seen', 'scuba-vqgan', 'scene_seen', 'hat-scene-only_scene')
# name of the encoder in the paper's labels: ours
PRINTED = {'I3D': 'i3d', 'Omnivore': 'omnivore'}
LABELS = {'Naive Action {}': 'naive-action', 'Naive Scene {}': 'naive-scene',
          'Multi-Task {}': 'two-token', 'Multi-Task {} w/ FAME': 'two-token-fame',
          'DEVIAS {}': 'devias'}

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
    protocol=replace(
        UCF101.protocol,
        metrics=(
            *UCF101.protocol.metrics,
            harmonic('hm_ablation', [UCF101.protocol.metric(name) for name in COMPONENTS],
                     heading='H.M. (ablations)')),
        references=(Reference('devias_table14', rows={
            f'{name}-{short}': dict(label=label.format(shown))
            for shown, short in PRINTED.items() for label, name in LABELS.items()}), )),
)
