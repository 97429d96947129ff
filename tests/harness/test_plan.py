import shutil
from pathlib import Path

import pytest
from fake_suite import CONFIG, fake_train, make_ladder, make_repository, make_suite, write_table
from mmengine.config import Config

from devias_mm.errors import UserError
from devias_mm.harness import Method
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs, write_index
from devias_mm.harness.runs import indexed_runs
from devias_mm.harness.steps import steps_left
from devias_mm.store.identity import config_identity
from devias_mm.store.index import changed_sources, read_index


def identities(root, **kwargs):
    jobs = plan_jobs(make_suite(), root, root / 'out', **kwargs)
    return {job.method: job.identity for job in jobs}


def complete(job):
    """What the steps of a job leave behind."""
    fake_train(job.work_dir)
    job.folder.mark('train')
    for split in job.splits:
        write_table(job.predictions(split))
    job.folder.mark('test', splits=list(job.splits))


def test_identity_is_that_of_another_clone(tmp_path):
    here = make_repository(tmp_path / 'here')
    there = make_repository(tmp_path / 'far' / 'away')
    # the same data elsewhere, another output folder, loader and log settings
    config = there / 'configs' / 'naive.py'
    text = CONFIG.replace("data_root = 'data/toy'", f"data_root = '{there}/data/toy'")
    text = text.replace('/somewhere/out', '/elsewhere').replace('num_workers=2', 'num_workers=8')
    config.write_text(text + "name = 'naive'\nlauncher = 'slurm'\nlog_level = 'DEBUG'\n"
                             "default_hooks = dict(logger=dict(interval=5))\n")
    original = here / 'configs' / 'naive.py'
    original.write_text(original.read_text() + 'default_hooks = dict()\n')
    assert identities(here) == identities(there)


@pytest.mark.parametrize('old, new', [('lr=0.1', 'lr=0.2'), ('/train.txt', '/train2.txt'),
                                      ('max_epochs=3', 'max_epochs=4'),
                                      ('weights.pth', 'other.pth')])
def test_identity_changes_with_the_experiment(tmp_path, old, new):
    root = make_repository(tmp_path)
    before = identities(root)
    config = root / 'configs' / 'naive.py'
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))
    after = identities(root)
    assert after['naive'] != before['naive']
    assert after['strong'] == before['strong']


def test_identity_changes_with_the_data_and_smoke_options(tmp_path):
    root = make_repository(tmp_path)
    before = identities(root)
    smoke = identities(root, options={'train_cfg.max_epochs': 1})
    (root / 'data' / 'toy' / 'manifest.json').write_text('{"seed": 1}')
    assert len({before['naive'], smoke['naive'], identities(root)['naive']}) == 3


def test_identity_changes_with_the_number_of_processes(tmp_path):
    root = make_repository(tmp_path)
    one, two, four = (identities(root, processes=count) for count in (1, 2, 4))
    assert one == identities(root)
    assert len({each['naive'] for each in (one, two, four)}) == 3


def test_a_change_is_part_of_the_identity_and_a_label_is_not(tmp_path):
    root = make_repository(tmp_path)

    def faster(cfg):
        cfg.model.lr = 0.3

    nested = dict(model=dict(lr=0.3))
    methods = {'naive': Method('configs/naive.py', 'Naive'),
               'nested': Method('configs/naive.py', change=nested),
               'function': Method('configs/naive.py', change=faster),
               'named': Method('configs/naive.py', 'Another name', 'Another paper')}
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), root, root / 'out')
    folders = {job.method: job.work_dir for job in jobs}
    assert folders['nested'] == folders['function'] != folders['naive'] == folders['named']


def test_the_written_config_is_what_was_planned(tmp_path):
    root = make_repository(tmp_path)
    change = dict(pair=(48, ), names={'hat-far/1': None}, small=1e-5, empty=[], quote="it's {x}")
    method = Method('configs/strong.py', change=change, pretrain=Method('configs/naive.py'))
    job, = plan_jobs(make_suite(methods={'strong': method}, seeds=(3, )), root, root / 'out')
    job.folder.path.mkdir(parents=True)
    job.folder.write_config(job.cfg)
    cfg = Config.fromfile(str(job.folder.config))
    assert cfg.to_dict() == job.cfg.to_dict()
    assert cfg.pair == (48, ) and cfg.names == {'hat-far/1': None} and cfg.small == 1e-5
    assert cfg.randomness.seed == 3 and cfg.work_dir == str(job.work_dir)
    assert cfg.load_from == str(job.start.folder.final_checkpoint)
    assert config_identity(cfg, root) == job.identity
    assert job.work_dir.name == f'seed3-{job.identity[:8]}'
    assert not list(job.work_dir.glob('.*'))


def test_a_config_that_cannot_be_written_is_an_error(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    job.cfg.model.lr = float('nan')
    job.folder.path.mkdir(parents=True)
    with pytest.raises(UserError, match='cannot be written as a file'):
        job.folder.write_config(job.cfg)
    assert not job.folder.config.exists()


def test_folders_and_order(tmp_path):
    root = make_repository(tmp_path)
    jobs = plan_jobs(make_suite(), root, root / 'out', methods=['naive', 'strong'])
    assert [(job.method, job.seed) for job in jobs] == [
        ('naive', 0), ('strong', 0), ('naive', 1), ('strong', 1)]
    folder = root / 'out' / 'runs' / 'naive'
    assert jobs[0].work_dir == folder / f'seed0-{jobs[0].identity[:8]}'
    assert jobs[0].identity == jobs[2].identity and jobs[0].epochs == 3
    ladder = plan_jobs(make_ladder(), root, root / 'out', methods=['naive'])
    assert [job.variant for job in ladder] == ['rho0.5', 'rho0.7', 'rho0.9']
    assert len({job.work_dir for job in ladder}) == 3


def test_missing_data_and_config_say_the_remedy(tmp_path):
    root = make_repository(tmp_path)
    with pytest.raises(ValueError, match=r'config not found: .*configs/none.py'):
        plan_jobs(make_suite(methods={'x': Method('configs/none.py')}), root, root)
    (root / 'data' / 'toy' / 'manifest.json').unlink()
    with pytest.raises(ValueError, match=r'(?s)data/toy/manifest.json.*make toy data'):
        plan_jobs(make_suite(), root, root)


def test_complete_means_marker_and_files_of_this_config(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    assert not job.trained
    job.folder.mark('train')
    assert job.trained and not job.tested
    for split in job.splits:
        write_table(job.predictions(split))
    assert not job.tested
    job.folder.mark('test', splits=['seen'])
    assert not job.tested  # the suite got more splits since
    assert job.folder.untested(job.splits) == ['unseen', 'texture', 'scene-only']
    job.folder.mark('test', splits=['unseen', 'texture', 'scene-only'])
    assert job.tested  # those that were tested before still count
    # a marker copied from a run of another config does not count
    other = plan_jobs(make_suite(), root, root / 'out', options={'model.lr': 1})[0]
    job.work_dir.rename(other.work_dir)
    assert not other.trained and not other.tested


def test_only_the_splits_that_are_missing_are_tested(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    complete(job)
    job.predictions('texture').unlink()
    step, = steps_left(job)
    command = Launcher(root).command(step)
    assert command[command.index('--splits') + 1:] == ['texture']


def test_moved_run_folder_keeps_its_checkpoint(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    (root / 'out').rename(root / 'moved')
    moved = plan_jobs(make_suite(), root, root / 'moved')[0]
    assert moved.identity == job.identity
    assert moved.folder.checkpoint() == moved.work_dir / 'epoch_3.pth'


def test_the_last_epoch_wins_over_a_pointer_that_lags_behind(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    (job.work_dir / 'epoch_2.pth').write_text('weights')
    for pointer in (str(job.work_dir / 'epoch_2.pth'), ''):
        (job.work_dir / 'last_checkpoint').write_text(pointer)
        assert job.folder.checkpoint() == job.work_dir / 'epoch_3.pth'


def test_a_seed_counts_once(tmp_path):
    root = make_repository(tmp_path)
    assert [job.seed for job in plan_jobs(make_suite(), root, root, ['naive'], [1, 0, 1])] == [1, 0]


def test_launchers(tmp_path, monkeypatch):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root)[0]
    train, test = steps_left(job)
    config = str(job.folder.config)
    assert Launcher(root).command(train) == [
        'bash', 'tools/dist_train.sh', config, '1', '--resume', '--check-test-lists', *job.splits]
    assert Launcher(root, gpus=4).command(train)[:4] == ['bash', 'tools/dist_train.sh', config, '4']
    assert Launcher(root, on_error='fail').command(test) == [
        'bash', 'tools/dist_test.sh', config, str(job.folder.final_checkpoint), '1',
        '--splits', *job.splits, '--on-error', 'fail']
    monkeypatch.setenv('PARTITION', 'gpu')
    slurm = Launcher(root, gpus=16, name='slurm')
    assert slurm.command(test)[:5] == ['bash', 'tools/slurm_test.sh', 'gpu', 'naive', config]
    assert slurm.environment()['GPUS'] == '16'
    assert Launcher(root, gpus=0).environment()['CUDA_VISIBLE_DEVICES'] == ''
    with pytest.raises(ValueError, match='none, pytorch, slurm'):
        Launcher(root, name='mpi')


def test_the_index_says_which_run_belongs_to_what(tmp_path):
    root = make_repository(tmp_path)
    suite, folder = make_suite(), root / 'out' / 'toy'
    jobs = plan_jobs(suite, root, root / 'out')
    write_index(folder, jobs, [root / 'configs' / 'scene.py'], root)
    for job in jobs[:3]:
        complete(job)
    runs = indexed_runs(suite, folder)
    assert {(run.method, run.seed): run.work_dir for run in runs} == {
        (job.method, job.seed): job.work_dir for job in jobs}
    assert {(run.method, run.seed) for run in runs if run.tested} == {
        ('naive', 0), ('strong', 0), ('scene', 0)}
    tested = [run.tested for run in runs]
    # the whole output folder may be moved
    shutil.move(root / 'out', tmp_path / 'moved')
    moved = indexed_runs(suite, tmp_path / 'moved' / 'toy')
    assert [run.tested for run in moved] == tested
    assert moved[0].work_dir.is_relative_to(tmp_path / 'moved')
    # a method that was never planned has no folder
    wider = make_suite(methods={**suite.methods, 'new': Method('configs/naive.py')})
    assert [run.folder for run in indexed_runs(wider, folder, ['new'])] == [None, None]


def test_the_index_never_mixes_two_recipes_in_a_row(tmp_path):
    root = make_repository(tmp_path)
    suite, folder = make_suite(), root / 'out' / 'toy'
    write_index(folder, plan_jobs(suite, root, root / 'out'), [], root)
    config = root / 'configs' / 'naive.py'
    config.write_text(config.read_text().replace('lr=0.1', 'lr=0.2'))
    changed = plan_jobs(suite, root, root / 'out', methods=['naive'], seeds=[1])
    write_index(folder, changed, [], root)
    cells = {(entry.method, entry.seed): entry.identity for entry in read_index(folder)}
    assert set(cells) == {('naive', 1), ('strong', 0), ('strong', 1), ('scene', 0), ('scene', 1)}
    assert cells['naive', 1] == changed[0].identity


def test_changed_files_are_noticed(tmp_path):
    root = make_repository(tmp_path / 'repository')
    base = root / 'configs' / 'base.py'
    base.write_text('x = 1\n')
    for name in ('naive', 'strong'):
        config = root / 'configs' / f'{name}.py'
        config.write_text("_base_ = ['base.py']\n" + config.read_text())
    suite_file = tmp_path / 'elsewhere' / 'toy.py'
    suite_file.parent.mkdir()
    suite_file.write_text('suite = 1')
    folder = root / 'out' / 'toy'
    jobs = plan_jobs(make_suite(), root, root / 'out')
    write_index(folder, jobs, [suite_file], root)
    assert changed_sources(read_index(folder), root) == {}
    base.write_text('x = 2\n')
    assert changed_sources(read_index(folder), root) == {'configs/base.py': ['naive', 'strong']}
    base.write_text('x = 1\n')
    suite_file.unlink()
    assert changed_sources(read_index(folder), root) == {
        str(suite_file): ['naive', 'strong', 'scene']}


def test_sources_of_a_pretraining_count(tmp_path):
    root = make_repository(tmp_path)
    method = Method('configs/strong.py', pretrain=Method('configs/naive.py'))
    job, = plan_jobs(make_suite(methods={'dsm': method}, seeds=(0, )), root, root / 'out')
    assert {Path(path).name for path in job.sources} == {'strong.py', 'naive.py'}
