"""Every recipe that was once a file of its own is still there: as that file, or as a row.

``old_recipes.json.gz`` holds what all 228 config files resolved to when rows replaced most of
them, and ``replaced_by.json`` names the row that took a file's place: ``benchmarks/x.py:method``,
with ``/pretrain`` for the training that the method starts from. A recipe that is changed on
purpose gets a line in :func:`today`.
"""
import gzip
import json
import re
from pathlib import Path

import pytest
from devias_options import PRINTED, devias_today
from recipe_rows import find_method, resolve

from devias_mm.harness.recipes import read_recipe

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OLD = json.loads(gzip.decompress((HERE / 'old_recipes.json.gz').read_bytes()))
ROWS = json.loads((HERE / 'replaced_by.json').read_text())
# variables that config files read from each other: no tool and no runner looks at them
HELPERS = {
    'actor_cutmix', 'backbone', 'be', 'clip_preprocessor', 'clip_teacher', 'clips_16x1', 'dsm',
    'devias_encoder', 'dsm_pipeline', 'fame', 'mixing', 'moco_pipeline', 'naive_action_encoder',
    'naive_scene_encoder', 'official', 'official_crops', 'official_teacher', 'scene_model',
    'scene_teacher', 'still_mix', 'sun397_teacher', 'test_pipeline', 'train_pipeline',
    'two_token_encoder', 'unit_pipeline', 'val_pipeline', 'val_set',
    # since then
    'human_box_steps', 'ten_clips_reader',
}


def today(name: str, old: dict) -> dict:
    """Return what an old recipe has become by intention.

    Args:
        name: the old file.
        old: the recipe, which may be changed in place.
    """
    old['custom_imports']['imports'] = ['devias_mm.register']
    for model in nodes_of_type(old['model'], 'DEVIAS'):
        devias_today(model)
    if 'devias-paper_' in name:
        old['model']['slot_attention'].update(PRINTED['slot_attention'])
        old['model'].update(dict(PRINTED, slot_attention=old['model']['slot_attention']))
    if 'puppets' not in name and old['model']['type'] == 'DEVIAS':
        masks = old['model']['data_preprocessor']['augments'][0]
        if masks['type'] == 'FAMEMasks':
            masks['blur_size'] = 11  # as published
        if 'hvu' in name:
            old['model']['scene_scores'] = 'all'  # as published
    for model in plainly_initialised(name, old['model']):
        model['init_scale'] = None
    if 'scene-model_' in name:
        old['optim_wrapper']['optimizer']['lr'] *= 2  # the rule counts the update frequency
    if '-clip_' in name:  # the labels are those of the row's own teacher
        for split, data in old['test_cfg']['splits'].items():
            data['scene_label_file'] = f'annotations/scenes_clip/{split}.parquet'
    if 'scene-adversarial-probe_' in name:  # the labels that its accuracy is measured against
        labels = dict(scene_label_file='annotations/scenes_val.parquet')
        old['test_cfg']['splits']['val'].update(labels)
    return old


def nodes_of_type(tree, kind: str) -> list:
    """Return the dicts of a type within nested dicts and lists."""
    if isinstance(tree, list):
        tree = dict(enumerate(tree))
    if not isinstance(tree, dict):
        return []
    found = [tree] if tree.get('type') == kind else []
    for child in tree.values():
        found += nodes_of_type(child, kind)
    return found


def plainly_initialised(name: str, model: dict) -> list:
    """Return the recognizers whose classifier starts from PyTorch's own weights.

    The published ones are those of DEVIAS' fine-tunings. What Puppets, Choi et al., DSM and ALBAR
    train is none of them.
    """
    if model['type'] == 'FeatureClassifier':
        model = model['encoder']
    if model['type'] in ('MoCo', 'DSM', 'DSMTriplet'):
        return []  # there is no classifier
    puppets = model['backbone']['type'] == 'ConvTokenEncoder'
    fine_tuned = name.startswith(('configs/dsm/', 'configs/scene_adversarial/'))
    others = model['type'] in ('SceneAdversarial', 'ALBAR') or '_swin-tiny_' in name
    return [model] if puppets or fine_tuned or others else []


def plain(recipe: dict) -> dict:
    """Return a recipe as JSON has it, with lists for tuples, and without helper variables."""
    return json.loads(json.dumps({key: value for key, value in recipe.items()
                                  if key not in HELPERS}))


def leaves(tree, path: str = '') -> dict:
    """Return the values of nested dicts and lists by their dotted paths."""
    if isinstance(tree, list):
        tree = dict(enumerate(tree))
    if not isinstance(tree, dict) or not tree:
        return {path: tree}
    found = {}
    for key, child in tree.items():
        found.update(leaves(child, f'{path}.{key}' if path else str(key)))
    return found


def differences(old: dict, new: dict) -> list:
    """Return one line per value that differs: ``path: old -> new``."""
    before, after = leaves(plain(old)), leaves(plain(new))
    absent = '(absent)'
    return [f'{path}: {before.get(path, absent)} -> {after.get(path, absent)}'
            for path in sorted({*before, *after})
            if before.get(path, absent) != after.get(path, absent)]


def old_recipe(name: str) -> dict:
    """Return a copy of an old recipe with what was changed since on purpose."""
    return today(name, json.loads(json.dumps(OLD[name])))


@pytest.mark.parametrize('name', [name for name in OLD if name not in ROWS])
def test_a_file_that_stayed_says_the_same(name):
    assert (ROOT / name).is_file(), f'{name} is gone: name its row in replaced_by.json'
    check_equal(old_recipe(name), read_recipe(name).to_dict())


@pytest.mark.parametrize('name', ROWS)
def test_a_row_says_what_its_file_said(name):
    assert not (ROOT / name).exists(), f'{name} is a file: delete its line in replaced_by.json'
    method = find_method(ROWS[name])
    old = old_recipe(name)
    new = resolve(method).to_dict()
    if method.pretrain and old['load_from'].startswith('work_dirs/'):
        check_start(old, method)
        old.pop('load_from', None)
        new.pop('load_from', None)
    check_equal(old, new)


def check_equal(old: dict, new: dict) -> None:
    """Check that two recipes train and test the same; else list what differs."""
    found = differences(old, new)
    if found:
        pytest.fail('the recipe has changed (old -> new):\n' + '\n'.join(found), pytrace=False)


def check_start(old: dict, method) -> None:
    """Check that a row starts from the training whose last checkpoint its file named."""
    start = re.fullmatch(r'work_dirs/(.+)/epoch_(\d+)\.pth', old['load_from'])
    source, = [name for name in OLD if Path(name).stem == start[1]]
    pretrain = resolve(method.pretrain).to_dict()
    check_equal(old_recipe(source), pretrain)
    assert int(start[2]) == pretrain['train_cfg']['max_epochs']


def test_differences_are_found():
    old = dict(model=dict(a=1, b=(1, 2), c={}), fame=1)
    assert not differences(old, dict(model=dict(a=1, b=[1, 2], c={})))
    assert differences(old, dict(model=dict(a=2, b=[1], d=0))) == [
        'model.a: 1 -> 2', 'model.b.1: 2 -> (absent)', 'model.c: {} -> (absent)',
        'model.d: (absent) -> 0']
