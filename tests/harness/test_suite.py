import pytest
from fake_suite import make_suite

from devias_mm.builders.puppets.presets import PRESETS
from devias_mm.engine.any_model import find_config
from devias_mm.harness import Method, load_suite
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs, resolve_config
from devias_mm.harness.recipes import apply_change, read_recipe
from devias_mm.harness.suite import list_suites


def recipe(method, root):
    """The resolved config of a row."""
    cfg = read_recipe(method.config, root)
    apply_change(cfg, method.change)
    return cfg


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
    assert starts == [suites['ucf101'].methods['naive'], None, None]
    assert list(suites['hvu'].methods) == list(suites['ucf101'].methods)
    for name in ('ucf101', 'kinetics400', 'hvu'):  # ALBAR does on all
        methods = suites[name].methods
        assert methods['albar'].pretrain.config == methods['naive'].config
        # the full StillMix has a frame bank from its reference network
        still_mix = methods['still-mix-reference']
        assert name in still_mix.pretrain.config and (root / still_mix.derived[1]).is_file()
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
            cfg = recipe(method, root)
            if method.derived:  # the one there is
                assert method.derived[0] == 'model.data_preprocessor.augments.0.bank'
                assert cfg.model.data_preprocessor.augments[0].type == 'StillMix'
            assert not method.pretrain or recipe(method.pretrain, root)
            assert set(suite.splits) <= set(cfg.test_cfg.splits), method.config
            for variant in suite.variants.values():
                # an override of a field that does not exist would change nothing
                assert all(key in _fields(cfg.to_dict()) for key in variant.overrides)


def test_optional_splits_are_those_of_the_data_config(root):
    for path in list_suites(root):
        suite = load_suite(path, root)
        if suite.data_config and not suite.variants:
            known = set(resolve_config(root / suite.data_config, {}).test_cfg.splits)
            every = suite.only(['*'])
            assert set(every.splits) <= known, path
            if suite.optional_splits:
                assert set(every.splits) == known
            assert all(set(pair) <= known for pair in suite.contrasted.values())
            if suite.scene_label_command:
                _, config, *_ = suite.scene_label_command.split()[1:]
                assert resolve_config(root / config, {}).num_scene_classes


def test_splits_by_names_of_sets_and_patterns(root):
    suite = load_suite('kinetics400', root)
    draws = tuple(f'hat-far/{draw}' for draw in (1, 2, 3))
    part = suite.only(['hat-far', 'seen'])
    assert part.splits == ('seen', *draws) and part.swap_sets == ('hat-far', )
    assert suite.only(['hat-f*']).splits == draws
    same = suite.only(['hat-same/1', 'hat-far/2'])
    assert same.splits == ('hat-far/2', 'hat-same/1')
    assert same.swap_sets == ('hat-far', 'hat-same') and same.sets['hat-same'] == ('hat-same/1', )
    assert suite.only(['hat-same']).splits == tuple(f'hat-same/{draw}' for draw in (1, 2, 3))
    pair = suite.only(['scu?o-vqgan', 'scuba-vqgan', 'scuba-sinusoid'])
    assert pair.contrasts == {'contrasted-vqgan': ('scuba-vqgan', 'scufo-vqgan')}
    assert suite.contrasts == {} and 'conflfg' in suite.only(['conf*']).splits
    # not among those of the protocol
    assert not {'scufo-vqgan', 'hat-same/1', 'conflfg', 'mimetics'} & set(suite.splits)


def test_hat74_composes_as_hat_does(root):
    suite = load_suite('hat74', root)
    splits = resolve_config(root / suite.data_config, {}).test_cfg.splits
    assert not any('same' in split for split in suite.splits)
    for split in suite.only(['hat-*']).splits:
        assert splits[split].layout == splits[split].rule == 'hat', split
        assert splits[split].ann_file.startswith('hat/annotations/')
    name = 'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb'
    assert suite.methods[name].checkpoint == f'checkpoints/{name}.pth'


def test_the_tiny_suite_has_data_of_its_own(root):
    tiny, demo = (load_suite(name, root) for name in ('puppets_tiny', 'puppets'))
    assert tiny.splits == demo.splits and tiny.swap_sets == demo.swap_sets
    assert tiny.data_manifest == 'data/puppets/tiny/manifest.json'
    cfg = resolve_config(root / tiny.data_config, {})
    assert cfg.test_dataloader.dataset.data_root == 'data/puppets/tiny'
    for method in tiny.methods.values():
        cfg = recipe(method, root)
        for loader in ('train', 'val', 'test'):
            assert cfg[f'{loader}_dataloader'].dataset.data_root == 'data/puppets/tiny'
    assert PRESETS['tiny'].num_test == 16


@pytest.mark.parametrize('suites, method, source', [
    (('choi_transfer_ucf101', 'choi_transfer_hmdb51', 'choi_transfer_diving48'), 'both',
     'scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb'),
    (('ucf101_pretraining', 'hmdb51_pretraining'), 'dsm-c3d',
     'dsm-pretrain_c3d_16xb8-16x4x1-200e_ucf101-rgb')])
def test_transfers_share_a_pretraining(root, tmp_path, suites, method, source):
    jobs = [job for name in suites
            for job in plan_jobs(load_suite(name, root), root, tmp_path, [method], [0])]
    assert len({job.work_dir for job in jobs}) == len({job.identity for job in jobs}) == len(suites)
    folder, = {job.start.work_dir for job in jobs}
    assert folder.parent == tmp_path / 'pretraining' / source
    for job in jobs:
        option = Launcher(root).command(job, 'train')[-1]
        assert option == f'load_from={job.start.final_checkpoint}'
        # nothing else would overwrite those weights
        assert not resolve_config(root / job.config, {}).model.backbone.get('init_cfg')


def test_encoders_of_table_14(root):
    methods = load_suite('ucf101_backbones', root).methods
    assert len(methods) == 10  # (c) and (d), five rows each
    encoders = [recipe(method, root).model.backbone.backbone.type for method in methods.values()]
    assert encoders == ['ResNet3d'] * 5 + ['SwinTransformer3D'] * 5
    assert {method.predicts for name, method in methods.items() if 'naive-scene' in name} == {
        ('scene', )}


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
    with pytest.raises(ValueError, match=r"unknown split\(s\) \['no'\]; accepted: .*'swap/2'"):
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
