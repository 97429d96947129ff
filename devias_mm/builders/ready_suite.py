"""What makes a built test set ready for ``tools/test_bias.py``: a data set config and a suite.

``dataset.py`` and ``suite.py`` are written beside ``manifest.json`` by every build and name no
other folder, so that the set may be moved. The user may add ``methods.py``, with
``methods = {name: Method(...)}``: its methods become those of the suite.
"""
from pprint import pformat
from typing import Dict, Sequence, Tuple

from devias_mm.builders.output_folder import OutputFolder
from devias_mm.builders.scuba import FILENAME_TMPL
from devias_mm.datasets.hat import LAYOUTS

#: what the suites of the published sets call the kinds of swaps
SWAP_NAMES = dict(rand='random', close='close', far='far', same='same')

_DATASET = """\
# Made by tools/data/{tool}.py; describes the files of this folder. tools/test_bias.py reads them
# with the test pipeline of the model that it tests.
data_root = '{{{{ fileDirname }}}}'
num_classes = {num_classes}
test_splits = {splits}
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ActionSceneDataset',
        ann_file={ann_file!r},
        data_root=data_root,
        num_classes=num_classes,
        test_mode=True,
        pipeline=[
            dict(type='ReadClip', sampler=dict(
                type='SampleFrames', clip_len=16, frame_interval=4, test_mode=True)),
            dict(type='Resize', scale=(-1, 224)),
            dict(type='CenterCrop', crop_size=224),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', algorithm_keys=('scene_label', 'background_label'),
                 meta_keys=('video_id', )),
        ]))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
test_evaluator = []
"""

_SUITE = '''\
"""Made by tools/data/{tool}.py: `tools/test_bias.py CONFIG CHECKPOINT --suite` of this file.

tools/benchmark.py tests the methods that methods.py in this folder names, if there is one:
`methods = {{'tsn': Method(CONFIG, 'TSN', predicts=('action', ), checkpoint=FILE)}}`.
"""
import runpy
from pathlib import Path

from devias_mm.evaluation.metrics import {functions}
from devias_mm.harness import Data, Protocol, Suite

here = Path(__file__).absolute().parent
own = here / 'methods.py'
suite = Suite(
    name=here.name,
    title=f'{{here.name}}: top-1 accuracy in percent',
    methods=runpy.run_path(str(own))['methods'] if own.is_file() else {{}},
    data=Data(config=str(here / 'dataset.py'), manifest=str(here / 'manifest.json')),
    protocol=Protocol(
        splits={splits},
        sets={sets},
        metrics=(
            {metrics}),
        rank_by=('action_unseen', )))
'''


def write_suite(build: OutputFolder, num_classes: int, splits: Dict[str, dict],
                metrics: Dict[str, str], sets: Dict[str, Sequence[str]]) -> None:
    """Write ``dataset.py`` and ``suite.py``.

    Args:
        build: the test set.
        num_classes: action classes of the models that are to be tested.
        splits: name -> what the split changes in the data set, as in ``test_splits``.
        metrics: function of ``devias_mm.evaluation.metrics`` -> its arguments, as code.
        sets: sets of draws, name -> splits.
    """
    tool = build.parameters['tool']
    first_split = next(iter(splits.values()))
    build.write('dataset.py', _DATASET.format(
        tool=tool, num_classes=num_classes, splits=pformat(splits, width=90),
        ann_file=first_split['ann_file']))
    metrics = {**metrics, 'per_split': f'{tuple(splits)!r}, {sets!r}'}
    calls = [f'*{name}({text})' for name, text in metrics.items()]
    build.write('suite.py', _SUITE.format(
        tool=tool, functions=', '.join(sorted(metrics)), splits=tuple(splits), sets=sets,
        metrics=',\n            '.join(calls)))


def write_hat_suite(build: OutputFolder, num_classes: int, layout: str, rule: str,
                    pairs: Dict[str, int]) -> None:
    """Write the suite of :func:`devias_mm.builders.hat_build.write_annotations`.

    Args:
        build: the test set.
        num_classes: action classes.
        layout: key of ``LAYOUTS``.
        rule: of ``HATDataset``.
        pairs: pairs of each ``<kind>/actionswap_<kind>_<draw>``; empty ones make no split.
    """
    hat = dict(type='HATDataset', layout=layout, rule=rule, data_prefix=dict(video=''),
               labels_file='annotations/labels.csv')
    original = LAYOUTS[layout].original
    listed = dict(ann_file='annotations/list.csv')
    splits = {
        'seen': dict(listed, type='FrameFolderDataset', filename_tmpl=original.filename_tmpl,
                     first_number=original.first_number,
                     columns=('filename', 'total_frames', 'label'),
                     data_prefix=dict(video=original.folder)),
        'hat-scene-only': dict(hat, **listed, kind='scene-only'),
        'hat-human-only': dict(hat, **listed, kind='human-only')}
    sets: Dict[str, Tuple[str, ...]] = {}
    for name, count in pairs.items():
        if count == 0:
            continue
        kind = name.split('/')[0]
        draw = name.rsplit('_', 1)[1]
        swap = f'hat-{SWAP_NAMES[kind]}'
        splits[f'{swap}/{draw}'] = dict(hat, kind='action-swap',
                                        ann_file=f'annotations/{name}.pickle')
        sets[swap] = (*sets.get(swap, ()), f'{swap}/{draw}')
    # a background of the same action is no unseen combination
    unseen = tuple(name for name in sets if name != 'hat-same')
    write_suite(build, num_classes, splits, {
        'seen_unseen': f"action_seen=('seen', ), action_unseen={unseen!r}",
        'swap_metrics': repr(tuple(sets)),
        'ratios': "('seen', ), background_only='hat-scene-only', human_only='hat-human-only'"},
        sets)


def write_scuba_suite(build: OutputFolder, num_classes: int, video_files: bool,
                      scufo: bool) -> None:
    """Write the suite of :func:`devias_mm.builders.scuba.make_scuba`.

    Args:
        build: the test set.
        num_classes: action classes.
        video_files: whether the clips are mp4 files.
        scufo: whether there are static clips, too.
    """
    if video_files:
        form = dict(columns=('filename', 'label'))
    else:
        form = dict(type='FrameFolderDataset', filename_tmpl=FILENAME_TMPL,
                    columns=('filename', 'total_frames', 'label'))
    kinds = ['scuba']
    metrics = {'seen_unseen': "action_unseen=('scuba', )"}
    if scufo:
        kinds.append('scufo')
        metrics['contrasted_metrics'] = "{'contrasted-scuba': ('scuba', 'scufo')}"
    splits = {kind: dict(form, ann_file='annotations/test.csv', data_prefix=dict(video=kind))
              for kind in kinds}
    write_suite(build, num_classes, splits, metrics, sets={})
