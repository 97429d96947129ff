"""How well the scene is read off an action network (Choi et al. 2019, section 4.3).

Its scene labels are made once by the command below, from crops as large as the teacher's input.
"""
from pathlib import Path

from devias_mm.harness import Method, Suite, load_suite

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
DEBIASED = HMDB51.methods['both'].pretrain
ADVERSARIAL = HMDB51.methods['adversarial'].pretrain
LABELS = dict(test_cfg=dict(splits=dict(
    val=dict(scene_label_file='annotations/scenes_val.parquet'))))

suite = Suite(
    name='choi_scene_accuracy',
    title='Mini-Kinetics-200: top-1 accuracy in percent',
    methods={
        # the scene classifier on a backbone that is trained without debiasing
        'probe': Method(
            ADVERSARIAL.config, 'without debiasing', 'NeurIPS 2019',
            change=[ADVERSARIAL.change, LABELS,
                    dict(model=dict(reversal_scale=0., predict_scene=True))]),
        'debiased': Method(
            DEBIASED.config, 'Choi et al.', 'NeurIPS 2019',
            change=[LABELS, dict(model=dict(predict_scene=True))]),
    },
    splits=('val', ),
    action_seen=('val', ),
    scene_seen=('val', ),
    data_config='configs/_base_/datasets/mini_kinetics200_16x1.py',
    scene_label_command=(
        f'python tools/data/pseudo_label_scenes.py {DEBIASED.config} '
        'checkpoints/vit-base-p16_places365.pth --split val '
        '--out data/mini-kinetics200/annotations/scenes_val.parquet --cfg-options '
        '"test_dataloader.dataset.pipeline.1.scale=(-1,224)" '
        'test_dataloader.dataset.pipeline.2.crop_size=224'),
)
