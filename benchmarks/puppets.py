"""The embedded benchmark at its demo setting: all methods, all test splits."""
from devias_mm.harness import Method, Suite

suite = Suite(
    name='puppets',
    title='Puppets (demo preset): top-1 accuracy in percent',
    # the order decides the colours of the figures: those of the ladder suite come first
    methods={
        'naive': Method(
            'configs/naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'Naive Action', predicts=('action', )),
        'be': Method(
            'configs/be/be_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'BE', 'CVPR 2021', predicts=('action', )),
        'fame': Method(
            'configs/fame/fame_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'FAME', 'CVPR 2022', predicts=('action', )),
        'two-token': Method(
            'configs/tokens/two-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'Two-Token', 'ECCV 2024'),
        'devias': Method(
            'configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'DEVIAS', 'ECCV 2024'),
        'naive-scene': Method(
            'configs/naive/naive-scene_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'Naive Scene', predicts=('scene', )),
    },
    seeds=(0, 1, 2),
    splits=('seen', 'unseen', 'unseen-texture', 'scene-only', 'human-only'),
    action_seen=('seen', ),
    action_unseen=('unseen', 'unseen-texture'),
    scene_seen=('seen', ),
    scene_unseen=('unseen', 'scene-only'),
    swap_sets=('unseen', ),
    background_only='scene-only',
    human_only='human-only',
    data_config='configs/_base_/datasets/puppets.py',
    data_manifest='data/puppets/demo/manifest.json',
    data_command='python tools/data/make_puppets.py --out data/puppets --preset demo',
)
