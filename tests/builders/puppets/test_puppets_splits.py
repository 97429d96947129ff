"""Which clips go into which list: balance, correlation, pairing, independence."""
import dataclasses
from collections import Counter

import pytest
from scipy import stats

from devias_mm.builders.puppets import ACTIONS, PRESETS, SCENES, TEXTURES, Preset, plan_lists

DEMO, LADDER = plan_lists(PRESETS['demo'], 0), plan_lists(PRESETS['ladder'], 0)


def test_lists_of_the_presets():
    tests = ['val-seen', 'val-unseen', 'val', 'seen', 'unseen', 'unseen-texture', 'human-only',
             'scene-only']
    assert list(DEMO) == ['train-rho0.90', 'train', *tests]
    assert list(LADDER) == [
        f'train-rho{rho}' for rho in ('0.70', '0.80', '0.90', '0.95')] + tests
    assert DEMO['train'] == DEMO['train-rho0.90']
    assert DEMO['val'] == DEMO['val-seen'] + DEMO['val-unseen']
    assert {name: len(clips) for name, clips in DEMO.items()} == {
        'train-rho0.90': 1024, 'train': 1024, 'val-seen': 160, 'val-unseen': 160, 'val': 320,
        'seen': 336, 'unseen': 336, 'unseen-texture': 336, 'human-only': 336, 'scene-only': 160}


@pytest.mark.parametrize('name', list(DEMO))
def test_actions_are_equally_frequent_and_names_unique(name):
    clips = DEMO[name]
    assert set(Counter(clip.action for clip in clips).values()) == {len(clips) // len(ACTIONS)}
    assert len({clip.name for clip in clips}) == len(clips)


def test_lines():
    assert DEMO['seen'][1].line == 'seen/000001_jack.mp4 1 1 1'
    assert DEMO['unseen'][1].line == 'unseen/000001_jack.mp4 1 2 2'
    assert DEMO['unseen-texture'][2].line == 'unseen-texture/000002_wave.mp4 2 -1 -1'
    assert DEMO['human-only'][3].line == 'human-only/000003_squat.mp4 3 -1 -1'
    assert DEMO['scene-only'][4].line == 'scene-only/000004_kick.mp4 4 4 4'
    swapped = next(clip for clip in DEMO['train'] if clip.swapped)
    file, action, scene, background = swapped.line.split()
    assert file == f'train/{swapped.index:06d}_{ACTIONS[swapped.action]}_swapped.mp4'
    assert int(action) == swapped.index % 8 != int(scene) == int(background)


def test_unseen_backdrops_tell_nothing_about_the_action():
    pairs = Counter((clip.action, clip.scene) for clip in DEMO['unseen'])
    assert set(pairs.values()) == {6} and len(pairs) == 8 * 7
    assert all(action != scene for action, scene in pairs)
    val = Counter((clip.action, clip.scene) for clip in DEMO['val-unseen'])
    assert len(val) == 8 * 7 and max(val.values()) - min(val.values()) == 1
    assert set(Counter(clip.backdrop for clip in DEMO['val-unseen']).values()) == {20}
    textures = Counter((clip.action, clip.backdrop) for clip in DEMO['unseen-texture'])
    assert set(textures.values()) == {14} and len(textures) == 8 * len(TEXTURES)


@pytest.mark.parametrize('name', [name for name in LADDER if name.startswith('train')])
def test_share_of_own_scenes_is_rho(name):
    rho = float(name[len('train-rho'):])
    own = sum(clip.scene == clip.action for clip in LADDER[name])
    assert stats.binomtest(own, len(LADDER[name]), rho).pvalue > 1e-3
    # a swapped clip is in any of the other scenes alike
    swapped = Counter((clip.scene - clip.action) % 8 for clip in LADDER[name] if clip.swapped)
    assert 0 not in swapped and len(swapped) == 7
    assert stats.chisquare(list(swapped.values())).pvalue > 1e-3


def test_training_lists_are_nested_over_rho():
    lists = [clips for name, clips in LADDER.items() if name.startswith('train')]
    for lower, higher in zip(lists, lists[1:]):
        moved = 0
        for before, after in zip(lower, higher):
            assert (before.index, before.action) == (after.index, after.action)
            assert before == after or (before.swapped and not after.swapped)
            moved += before != after
        assert moved > 0


def test_presets_share_their_worlds():
    assert LADDER['train-rho0.90'] == DEMO['train']
    assert LADDER['unseen'] == DEMO['unseen']


def test_clips_have_streams_of_their_own():
    clips = {clip for clips in LADDER.values() for clip in clips if not clip.swapped}
    draws = {clip.rng(0, stream).random() for clip in clips for stream in range(4)}
    assert len(draws) == 4 * len(clips)
    clip = DEMO['seen'][0]
    assert clip.rng(0, 1).random() == clip.rng(0, 1).random() != clip.rng(1, 1).random()


def test_seeds_draw_other_training_worlds():
    other = plan_lists(PRESETS['demo'], 1)
    assert other['train'] != DEMO['train'] and other['unseen'] == DEMO['unseen']


def test_scene_and_action_classes_pair_up():
    assert len(SCENES) == len(ACTIONS) == 8
    assert all(SCENES[clip.action] == clip.backdrop for clip in DEMO['seen'])


@pytest.mark.parametrize('field, value', [
    ('num_train', 100), ('num_test', 0), ('rhos', ()), ('rhos', (0.5, 1.2)), ('rhos', ('a', )),
    ('rhos', (0.901, 0.902)), ('size', 72), ('size', 48), ('frames', 0), ('frames', 1.5),
    ('scene_overlap', 1.5), ('scene_jitter', -1), ('scene_jitter', float('nan')), ('name', 'a/b'),
    ('name', 3)])
def test_preset_names_the_bad_field(field, value):
    with pytest.raises(ValueError, match=rf'Preset\.{field}=.*accepted is'):
        dataclasses.replace(PRESETS['tiny'], **{field: value})


def test_preset_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Preset('x').size = 128
