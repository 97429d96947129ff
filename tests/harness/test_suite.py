import re
from dataclasses import replace

import pytest
from fake_suite import make_protocol, make_suite

from devias_mm.builders.puppets.presets import PRESETS
from devias_mm.engine.any_model import find_config
from devias_mm.evaluation.metrics import CONTRASTED, background_error
from devias_mm.harness import Method, load_suite
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.recipes import read_recipe
from devias_mm.harness.rows import config_text, parse_row, read_config, resolve
from devias_mm.harness.steps import steps_left
from devias_mm.harness.suite import list_suites


def test_shipped_suites_load(root):
    suites = {path.stem: load_suite(path, root) for path in list_suites(root)}
    assert {'naive', 'be', 'fame', 'two-token', 'devias', 'naive-scene'} <= set(
        suites['puppets'].methods)
    # DEVIAS, section 4.3: the sets of the main and of the comprehensive protocol
    for name in ('ucf101', 'kinetics400'):
        protocol = suites[name].protocol
        counts = [len(protocol.metric(column).splits) for column in (
            'action_unseen', 'scene_unseen', 'action_unseen_all', 'scene_unseen_all')]
        assert counts == [2, 3, 6, 4] and protocol.topk['scene'] == 5
    assert 'scene' not in suites['hvu'].protocol.topk
    # supp. B: on UCF-101 alone DEVIAS starts from a training on the actions
    starts = [suites[name].methods['devias'].pretrain for name in ('ucf101', 'kinetics400', 'hvu')]
    assert [start and start.config for start in starts] == [
        suites['ucf101'].methods['naive'].config, None, None]
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
    lists = {v.change['train_dataloader']['dataset']['ann_file'] for v in ladder.variants.values()}
    assert 'annotations/train-rho0.95.txt' in lists and len(lists) == len(ladder.variants)


def test_configs_of_shipped_suites_resolve(root):
    for path in list_suites(root):
        suite = load_suite(path, root)
        for method in suite.methods.values():
            if method.checkpoint:
                continue
            cfg = resolve(suite, method)
            if method.derived:  # the one there is
                assert method.derived[0] == 'model.data_preprocessor.augments.0.bank'
                assert cfg.model.data_preprocessor.augments[0].type == 'StillMix'
            assert method.pretrain is None or (root / method.pretrain.config).is_file()
            assert set(suite.splits) <= set(cfg.test_cfg.splits), method.config
            for variant in suite.variants.values():
                # a change of a field that does not exist would change nothing
                assert set(_fields(variant.change)) <= set(_fields(cfg.to_dict()))


def test_optional_splits_are_those_of_the_data_config(root):
    for path in list_suites(root):
        suite = load_suite(path, root)
        if suite.data.config and not suite.variants:
            known = set(read_recipe(suite.data.config).test_cfg.splits)
            every = suite.only(['*'])
            assert set(every.splits) <= known, path
            if 'conflfg' in suite.protocol.optional_splits:
                assert set(every.splits) == known
            # then there is nothing that a metric lacks
            assert every.protocol.columns == every.protocol.metrics
            if suite.data.scene_label_command:
                _, config, *_ = suite.data.scene_label_command.split()[1:]
                assert read_recipe(config).num_scene_classes


def swaps(suite):
    """The sets and splits whose SBErr is a column."""
    return [metric.splits[0] for metric in suite.protocol.columns
            if metric.function is background_error]


def test_splits_by_names_of_sets_and_patterns(root):
    suite = load_suite('kinetics400', root)
    draws = tuple(f'hat-far/{draw}' for draw in (1, 2, 3))
    part = suite.only(['hat-far', 'seen'])
    assert part.splits == ('seen', *draws) and swaps(part) == ['hat-far']
    assert suite.only(['hat-f*']).splits == draws
    same = suite.only(['hat-same/1', 'hat-far/2'])
    assert same.splits == ('hat-far/2', 'hat-same/1')
    assert swaps(same) == ['hat-far', 'hat-same']
    assert same.protocol.sets['hat-same'] == ('hat-same/1', )
    assert suite.only(['hat-same']).splits == tuple(f'hat-same/{draw}' for draw in (1, 2, 3))
    pair = suite.only(['scu?o-vqgan', 'scuba-vqgan', 'scuba-sinusoid'])
    assert [metric.name for metric in pair.protocol.columns
            if metric.section == CONTRASTED] == ['contrasted-vqgan']
    assert all(metric.section != CONTRASTED for metric in suite.protocol.columns)
    assert 'conflfg' in suite.only(['conf*']).splits
    # not among those of the protocol
    assert not {'scufo-vqgan', 'hat-same/1', 'conflfg', 'mimetics'} & set(suite.splits)


def test_hat74_composes_as_hat_does(root):
    suite = load_suite('hat74', root)
    splits = read_recipe(suite.data.config).test_cfg.splits
    assert not any('same' in split for split in suite.splits)
    for split in suite.only(['hat-*']).splits:
        assert splits[split].layout == splits[split].rule == 'hat', split
        assert splits[split].ann_file.startswith('hat/annotations/')
    name = 'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb'
    assert suite.methods[name].checkpoint == f'checkpoints/{name}.pth'


def test_the_tiny_suite_has_data_of_its_own(root):
    tiny, demo = (load_suite(name, root) for name in ('puppets_tiny', 'puppets'))
    assert tiny.protocol == demo.protocol
    assert tiny.data.manifest == 'data/puppets/tiny/manifest.json'
    cfg = read_recipe(tiny.data.config)
    assert cfg.test_dataloader.dataset.data_root == 'data/puppets/tiny'
    for method in tiny.methods.values():
        cfg = resolve(tiny, method)
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
    assert len({job.work_dir for job in jobs}) == len(suites)
    start, = {job.start.folder for job in jobs}
    assert start.path.parent == tmp_path / 'runs' / source
    for job in jobs:
        assert job.cfg.load_from == str(start.final_checkpoint)
        # nothing else would overwrite those weights
        assert not job.cfg.model.backbone.get('init_cfg')


# suite, suite that trains the same, and the row there of each of its rows' trainings
SHARED = [
    ('linear_probe_ucf101', 'ucf101',
     {name: name for name in ('naive', 'naive-aug', 'be', 'fame', 'naive-scene')}),
    ('linear_probe_kinetics400', 'kinetics400',
     {name: name for name in ('naive', 'naive-aug', 'be', 'fame', 'naive-scene')}),
    ('downstream_diving48', 'kinetics400',
     {'naive': 'naive', 'be': 'be', 'naive-scene': 'naive-scene', 'two-token': 'two-token',
      'two-token-gap': 'two-token', 'two-token-fame-gap': 'two-token-fame', 'devias': 'devias'}),
    ('downstream_ucf101', 'kinetics400', {'fame': 'fame', 'devias-gap': 'devias'}),
    ('ucf101', 'ucf101', {'albar': 'naive', 'devias': 'naive'})]


@pytest.mark.parametrize('suite, other, rows', SHARED)
def test_suites_share_their_trainings(root, tmp_path, suite, other, rows):
    jobs = plan_jobs(load_suite(suite, root), root, tmp_path, list(rows), [0, 1])
    trained = plan_jobs(load_suite(other, root), root, tmp_path, list(set(rows.values())), [0, 1])
    folders = {(job.method, job.seed): job.folder for job in trained}
    assert len(set(folders.values())) == len(folders)
    for job in jobs:
        assert job.start.folder == folders[rows[job.method], job.seed], job.name
        assert job.cfg.load_from == str(job.start.folder.final_checkpoint)


def test_a_row_of_two_suites_is_one_run(root, tmp_path):
    jobs = [plan_jobs(load_suite(name, root), root, tmp_path, ['devias'], [0])[0]
            for name in ('ucf101', 'linear_probe_ucf101')]
    assert jobs[0].folder == jobs[1].folder


def test_encoders_of_table_14(root):
    suite = load_suite('ucf101_backbones', root)
    methods = suite.methods
    assert len(methods) == 10  # (c) and (d), five rows each
    encoders = [resolve(suite, method).model.backbone.backbone.type
                for method in methods.values()]
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
    step, = steps_left(job)
    command = Launcher(root).command(step)
    assert job.trained and not job.tested
    assert command[:4] == ['bash', 'tools/dist_test.sh', str(job.folder.config), method.checkpoint]
    # the model's own pipeline on the splits of the suite
    assert job.cfg.test_dataloader.dataset.pipeline[0].type == 'ReadClip'
    assert set(suite.splits) <= set(job.cfg.test_cfg.splits)
    assert set(suite.splits) <= set(read_recipe(suite.data.config).test_cfg.splits)


def test_a_row_is_a_config(root, tmp_path):
    assert parse_row('configs/naive/x.py') is None
    assert parse_row('a/b.py:fame@rho0.90') == ('a/b.py', 'fame', 'rho0.90')
    row = 'benchmarks/ucf101_pretraining.py:scratch-c3d'
    cfg = read_config(row, root)
    suite = load_suite('ucf101_pretraining', root)
    assert cfg.model == resolve(suite, suite.methods['scratch-c3d']).model
    text = config_text(parse_row(row), root)
    assert text.startswith('# random weights, C3D of benchmarks/ucf101_pretraining.py')
    (tmp_path / 'my.py').write_text(text)
    assert read_config(str(tmp_path / 'my.py')).to_dict() == cfg.to_dict()
    text = config_text(parse_row('benchmarks/ucf101.py:albar'), root)
    assert 'It starts from the training of configs/naive/naive-action_vit-base-p16' in text
    assert re.search(r"load_from = .*runs/naive-action_vit-base.*/seed0-\w{8}/epoch_100.pth'", text)
    for bad, message in (('nothing.py', 'config not found'),
                         ('nothing.py:x', 'known suites'),
                         ('benchmarks/ucf101.py:fime', "unknown method 'fime'"),
                         ('benchmarks/ucf101.py:fame@rho', 'no variant .rho.; .*it has none')):
        with pytest.raises(ValueError, match=message):
            read_config(bad, root)


def test_a_variant_is_a_config(root):
    cfg = read_config('benchmarks/puppets_ladder.py:fame@rho0.90', root)
    assert cfg.train_dataloader.dataset.ann_file == 'annotations/train-rho0.90.txt'
    assert cfg.val_dataloader.dataset.data_root == 'data/puppets/ladder'
    with pytest.raises(ValueError, match='its variants: rho0.70'):
        read_config('benchmarks/puppets_ladder.py:fame', root)


def test_a_suite_of_some_splits():
    suite = make_suite(protocol=make_protocol(
        splits=('seen', 'unseen', 'texture', 'scene-only', 'swap/1', 'swap/2'),
        sets={'swap': ('swap/1', 'swap/2')}, swaps=('swap', ), action_unseen=('unseen', 'swap')))
    part = suite.only(['swap/2', 'seen', 'scene-only'])
    assert part.splits == ('seen', 'scene-only', 'swap/2')
    assert part.protocol.sets == {'swap': ('swap/2', )} and swaps(part) == ['swap']
    tested = {metric.name: part.protocol.tested(metric.splits) for metric in part.protocol.columns}
    assert tested['action_unseen'] == ['swap'] and tested['scene_unseen'] == ['scene-only']
    assert 'bor' in tested and 'hor' not in tested and 'unseen' not in tested
    # without the seen split there is nothing that BOR is relative to
    assert [metric.name for metric in suite.only(['scene-only']).protocol.columns] == [
        'scene_unseen', 'hm', 'scene-only', 'scene-only_scene']
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
    with pytest.raises(ValueError, match="'action_unseen' uses the split 'far'"):
        make_protocol(action_unseen=('far', ))
    for name in ('hm', 'n_seeds'):
        with pytest.raises(ValueError, match=f"two columns of the table are named '{name}'"):
            make_protocol(splits=('seen', 'unseen', 'texture', 'scene-only', name))
    with pytest.raises(ValueError, match="no metric 'hm2' to rank or plot by"):
        replace(make_protocol(), rank_by=('hm2', ))
    with pytest.raises(ValueError, match='predicts='):
        Method('c.py', predicts=('actions', ))


def test_select_keeps_the_order_of_the_table():
    suite = make_suite()
    assert list(suite.select(['strong', 'naive'])) == ['naive', 'strong']
    assert suite.select(['all']) == suite.select() == dict(suite.methods)
