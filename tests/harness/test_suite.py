import pytest
from fake_suite import make_suite

from devias_mm.datasets.puppets.presets import PRESETS
from devias_mm.harness import Method, load_suite
from devias_mm.harness.any_model import find_config
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs, resolve_config
from devias_mm.harness.suite import list_suites


def test_shipped_suites_load(root):
    suites = {path.stem: load_suite(path, root) for path in list_suites(root)}
    assert {'naive', 'be', 'fame', 'two-token', 'devias', 'naive-scene'} <= set(
        suites['puppets'].methods)
    # DEVIAS, section 4.3: the sets of the main and of the comprehensive protocol
    for name in ('ucf101', 'kinetics400'):
        counts = [len(getattr(suites[name], column)) for column in (
            'action_unseen', 'scene_unseen', 'action_unseen_all', 'scene_unseen_all')]
        assert counts == [2, 3, 6, 4] and suites[name].scene_topk == 5
    assert suites['hvu'].scene_topk == 1
    # supp. B: on UCF-101 alone DEVIAS starts from a training on the actions
    starts = [suites[name].methods['devias'].pretrain for name in ('ucf101', 'kinetics400', 'hvu')]
    assert starts == [suites['ucf101'].methods['naive'].config, '', '']
    assert list(suites['hvu'].methods) == list(suites['ucf101'].methods)
    for name in ('ucf101', 'kinetics400', 'hvu'):  # ALBAR does on all
        methods = suites[name].methods
        assert methods['albar'].pretrain == methods['naive'].config
    assert load_suite('benchmarks/puppets', root).name == 'puppets'
    ladder = suites['puppets_ladder']
    # the data set of the ladder has a training list for each
    assert {variant.x for variant in ladder.variants.values()} <= set(PRESETS['ladder'].rhos)
    lists = {v.overrides['train_dataloader.dataset.ann_file'] for v in ladder.variants.values()}
    assert 'annotations/train-rho0.95.txt' in lists and len(lists) == len(ladder.variants)


def test_configs_of_shipped_suites_resolve(root):
    for path in list_suites(root):
        suite = load_suite(path, root)
        for method in suite.methods.values():
            if method.checkpoint:
                continue
            cfg = resolve_config(root / method.config, method.overrides)
            assert set(suite.splits) <= set(cfg.test_cfg.splits), method.config
            for variant in suite.variants.values():
                # an override of a field that does not exist would change nothing
                assert all(key in _fields(cfg.to_dict()) for key in variant.overrides)


def test_released_models_are_tested_and_not_trained(root, tmp_path):
    suite = load_suite('hat74', root)
    assert len(suite.methods) >= 50
    for method in suite.methods.values():  # one that cannot be tested would stop all
        assert find_config(method.config).is_file() and 'sthv' not in method.config
    name = next(iter(suite.methods))
    method = suite.methods[name]
    job, = plan_jobs(suite, root, tmp_path, [name], [3, 4])  # random seeds play no part
    command = Launcher(root).command(job, 'test')
    assert job.trained and not job.tested
    assert command[2:5] == ['tools/test_bias.py', method.config, method.checkpoint]
    assert command[-2:] == ['--suite', 'hat74']
    assert set(suite.splits) <= set(resolve_config(root / suite.data_config, {}).test_cfg.splits)


def test_a_suite_of_some_splits():
    suite = make_suite(splits=('seen', 'unseen', 'texture', 'scene-only', 'swap/1', 'swap/2'),
                       sets={'swap': ('swap/1', 'swap/2')}, swap_sets=('swap', ),
                       action_unseen=('unseen', 'swap'))
    part = suite.only(['swap/2', 'seen', 'scene-only'])
    assert part.splits == ('seen', 'scene-only', 'swap/2')
    assert part.sets == {'swap': ('swap/2', )} and part.swap_sets == ('swap', )
    assert part.action_unseen == ('swap', ) and part.scene_unseen == ('scene-only', )
    assert part.background_only == 'scene-only' and part.human_only is None
    assert suite.only(['swap/1']).background_only is None
    with pytest.raises(ValueError, match="unknown split 'no'"):
        suite.only(['no'])


def _fields(content, prefix=''):
    for key, value in content.items():
        yield f'{prefix}{key}'
        if isinstance(value, dict):
            yield from _fields(value, f'{prefix}{key}.')


def test_errors_list_what_is_known(root, tmp_path):
    with pytest.raises(ValueError, match=r'known suites: .*benchmarks/puppets\.py'):
        load_suite('benchmarks/pupets.py', root)
    with pytest.raises(ValueError, match="unknown method 'fime' .*use naive, strong, scene"):
        make_suite().select(['fime'])
    (tmp_path / 'x.py').write_text('a = 1')
    with pytest.raises(ValueError, match='must define `suite = Suite'):
        load_suite(tmp_path / 'x.py')
    with pytest.raises(ValueError, match='use the split.s. far'):
        make_suite(action_unseen=('far', ))
    with pytest.raises(ValueError, match="cannot be named 'hm'"):
        make_suite(splits=('seen', 'unseen', 'texture', 'scene-only', 'hm'))
    with pytest.raises(ValueError, match='predicts='):
        Method('c.py', predicts=('actions', ))


def test_select_keeps_the_order_of_the_table():
    suite = make_suite()
    assert list(suite.select(['strong', 'naive'])) == ['naive', 'strong']
    assert suite.select(['all']) == suite.select() == dict(suite.methods)
