import pytest
from fake_suite import CONFIG, fake_train, make_ladder, make_repository, make_suite, write_table
from mmengine.config import DictAction

from devias_mm.harness import Method
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import cfg_options, plan_jobs


def identities(root, **kwargs):
    jobs = plan_jobs(make_suite(), root, root / 'out', **kwargs)
    return {job.method: job.identity for job in jobs}


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


def test_folders_and_order(tmp_path):
    root = make_repository(tmp_path)
    jobs = plan_jobs(make_suite(), root, root / 'out', methods=['naive', 'strong'])
    assert [(job.method, job.seed) for job in jobs] == [
        ('naive', 0), ('strong', 0), ('naive', 1), ('strong', 1)]
    folder = root / 'out' / 'toy' / 'naive'
    assert jobs[0].work_dir == folder / f'seed0-{jobs[0].identity[:8]}'
    assert jobs[0].identity == jobs[2].identity and jobs[0].epochs == 3
    ladder = plan_jobs(make_ladder(), root, root / 'out', methods=['naive'])
    assert [job.work_dir.parent.name for job in ladder] == ['rho0.5', 'rho0.7', 'rho0.9']
    assert len({job.identity for job in ladder}) == 3


def test_missing_data_and_config_say_the_remedy(tmp_path):
    root = make_repository(tmp_path)
    with pytest.raises(ValueError, match=r'(?s)configs/none.py.*does not'):
        plan_jobs(make_suite(methods={'x': Method('configs/none.py')}), root, root)
    (root / 'data' / 'toy' / 'manifest.json').unlink()
    with pytest.raises(ValueError, match=r'(?s)data/toy/manifest.json.*make toy data'):
        plan_jobs(make_suite(), root, root)


def test_complete_means_marker_and_files_of_this_config(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    assert not job.trained
    job.mark('train')
    assert job.trained and not job.tested
    for split in job.splits:
        write_table(job.predictions(split))
    assert not job.tested
    job.mark('test', splits=['seen'])
    assert not job.tested  # the suite got more splits since
    job.mark('test', splits=list(job.splits))
    assert job.tested
    # a marker copied from a run of another config does not count
    other = plan_jobs(make_suite(), root, root / 'out', options={'model.lr': 1})[0]
    job.work_dir.rename(other.work_dir)
    assert not other.trained and not other.tested


def test_moved_run_folder_keeps_its_checkpoint(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    (root / 'out').rename(root / 'moved')
    moved = plan_jobs(make_suite(), root, root / 'moved')[0]
    assert moved.checkpoint() == moved.work_dir / 'epoch_3.pth'


def test_the_last_epoch_wins_over_a_pointer_that_lags_behind(tmp_path):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root / 'out')[0]
    fake_train(job.work_dir)
    (job.work_dir / 'epoch_2.pth').write_text('weights')
    for pointer in (str(job.work_dir / 'epoch_2.pth'), ''):
        (job.work_dir / 'last_checkpoint').write_text(pointer)
        assert job.checkpoint() == job.work_dir / 'epoch_3.pth'


def test_a_seed_counts_once(tmp_path):
    root = make_repository(tmp_path)
    assert [job.seed for job in plan_jobs(make_suite(), root, root, ['naive'], [1, 0, 1])] == [1, 0]


def test_options_survive_the_command_line(tmp_path):
    options = {'a.b': 'annotations/train-rho0.90.txt', 'n': 3, 'lr': 1e-3, 'f': True, 'o': None,
               'betas': [0.9, 0.99], 'scale': (48, 48)}
    pairs = [argument.split('=', 1) for argument in cfg_options(options)]
    assert {key: DictAction._parse_iterable(text) for key, text in pairs} == options
    with pytest.raises(ValueError, match='x=.*cannot be written'):
        cfg_options({'x': '0.90'})
    root = make_repository(tmp_path)
    job = plan_jobs(make_ladder(), root, root, methods=['naive'])[0]
    assert Launcher(root).command(job, 'train')[-2:] == [
        '--cfg-options', 'train_dataloader.dataset.ann_file=train-0.5.txt']


def test_launchers(tmp_path, monkeypatch):
    root = make_repository(tmp_path)
    job = plan_jobs(make_suite(), root, root)[0]
    single = Launcher(root).command(job, 'train')
    assert single[2:] == ['tools/train.py', 'configs/naive.py', '--work-dir', str(job.work_dir),
                          '--resume', '--seed', '0', '--check-test-lists', *job.splits]
    several = Launcher(root, gpus=4).command(job, 'train')
    assert 'torch.distributed.run' in several and '--nproc_per_node=4' in several
    assert several[-2:] == ['--launcher', 'pytorch']
    monkeypatch.setenv('PARTITION', 'gpu')
    slurm = Launcher(root, gpus=16, name='slurm').command(job, 'test')
    assert slurm[:3] == ['srun', '-p', 'gpu']
    assert '--ntasks=16' in slurm and '--ntasks-per-node=8' in slurm
    assert not any('--gres' in word for word in Launcher(root, 0, 'slurm').command(job, 'test'))
    assert Launcher(root, gpus=0).environment()['CUDA_VISIBLE_DEVICES'] == ''
    with pytest.raises(ValueError, match='none, pytorch, slurm'):
        Launcher(root, name='mpi')
