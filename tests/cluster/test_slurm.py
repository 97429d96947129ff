"""Trainings, tests and a suite under a real Slurm of one node."""
import json
import subprocess
import sys
import time

import pytest
from slurm_node import missing_reason, slurm_node
from tiny_runs import ROOT, make_config

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason()))]
TRAIN = ROOT / 'tools' / 'slurm_train.sh'
TEST = ROOT / 'tools' / 'slurm_test.sh'
ONE_EPOCH = ('--cfg-options', 'train_cfg.max_epochs=1')
MANY_EPOCHS = ('--cfg-options', 'train_cfg.max_epochs=40', 'train_cfg.val_interval=100')


class Cluster:
    """Starts commands in the environment of the node."""

    def __init__(self, environment):
        self.environment = dict(
            environment, PYTHON=sys.executable, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1',
            CUDA_VISIBLE_DEVICES='', GPUS='0', CPUS_PER_TASK='1')

    def start(self, *command, **variables):
        """Start a command; its output goes into a pipe."""
        return subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=dict(self.environment, **variables))

    def call(self, *command, **variables):
        """Run a command that must succeed; return its output."""
        process = self.start(*command, **variables)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output[-4000:]
        return output

    def benchmark(self, *arguments, **variables):
        """Run tools/benchmark.py."""
        return self.call(sys.executable, ROOT / 'tools' / 'benchmark.py', *arguments, **variables)

    def job_ids(self, name):
        """List the numbers of the jobs of a name that Slurm still has."""
        return self.call('squeue', '-h', '-o', '%i', '--name', name).split()


@pytest.fixture(scope='module')
def cluster():
    with slurm_node(cpus=4) as environment:
        for name in list(environment):
            if name in ('MASTER_PORT', 'PARTITION', 'SRUN_ARGS'):
                del environment[name]
        yield Cluster(environment)


@pytest.fixture(scope='module')
def config(tmp_path_factory, tiny_data):
    folder = tmp_path_factory.mktemp('config')
    make_config(folder, tiny_data)
    return folder / 'tiny.py'


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it does not come'
        time.sleep(0.1)


def test_two_jobs_at_once(cluster, config, tmp_path):
    jobs = [cluster.start('bash', TRAIN, '', f'job{number}', config, '--work-dir',
                          tmp_path / str(number), *ONE_EPOCH) for number in range(2)]
    for number, job in enumerate(jobs):
        output, _ = job.communicate(timeout=300)
        assert job.returncode == 0, output[-4000:]
        assert (tmp_path / str(number) / 'epoch_1.pth').is_file()


def test_two_tasks_train_and_test(cluster, config, tmp_path):
    output = cluster.call('bash', TRAIN, '', 'two', config, '--work-dir', tmp_path, *ONE_EPOCH,
                          TASKS='2')
    # 8 training clips, 4 a task: one iteration, and one log
    assert output.count('Epoch(train)') == output.count('Epoch(train) [1][1/1]') == 1
    checkpoint = tmp_path / 'epoch_1.pth'
    tables = []
    for tasks in ('1', '2'):
        cluster.call('bash', TEST, '', 'test', config, checkpoint, '--work-dir', tmp_path / tasks,
                     TASKS=tasks)
        tables.append([(tmp_path / tasks / 'predictions' / f'{split}.parquet').read_bytes()
                       for split in ('seen', 'unseen')])
    assert tables[0] == tables[1]


def test_a_cancelled_training_goes_on(cluster, config, tmp_path):
    command = ('bash', TRAIN, '', 'cancelled', config, '--work-dir', tmp_path, '--resume',
               *MANY_EPOCHS)
    job = cluster.start(*command)
    wait_until(lambda: (tmp_path / 'last_checkpoint').is_file() or job.poll() is not None)
    number, = cluster.job_ids('cancelled')
    cluster.call('scancel', number)
    output, _ = job.communicate(timeout=60)
    assert job.returncode != 0, output[-4000:]
    assert not (tmp_path / 'epoch_40.pth').exists()
    output = cluster.call(*command)
    assert f'resuming from {tmp_path}/epoch_' in output
    assert (tmp_path / 'epoch_40.pth').is_file() and 'Epoch(train)  [1]' not in output


SUITE = """
from devias_mm.evaluation.metrics import seen_unseen
from devias_mm.harness import Data, Method, Protocol, Suite
config = {config!r}
short = dict(train_cfg=dict(max_epochs=1))
naive = Method(config, predicts=('action', ), change=short)
suite = Suite(
    name='my', title='My suite', data=Data(config),
    protocol=Protocol(('seen', 'unseen'), seen_unseen(('seen', ), ('unseen', ))),
    methods=dict(
        tuned=Method(config, predicts=('action', ), pretrain=naive,
                     change=[short, dict(optim_wrapper=dict(optimizer=dict(lr=1e-4)))]),
        naive=naive))
"""


@pytest.fixture(scope='module')
def suite(config):
    """A suite of two rows, of which one starts from the other."""
    file = config.parent / 'my_suite.py'
    file.write_text(SUITE.format(config=str(config)))
    return file


def test_a_suite(cluster, suite, tmp_path):
    out = ('--out', tmp_path / 'out')
    text = cluster.benchmark('run', suite, *out, '--gpus', 0, '--launcher', 'slurm')
    assert 'all 2 jobs are complete' in text
    local = ('--out', tmp_path / 'local')
    cluster.benchmark('run', suite, *local, '--gpus', 0, '--jobs', 2)
    for folder in (out, local):
        cluster.benchmark('table', suite, *folder)
    name = 'my/leaderboard.csv'
    assert (tmp_path / 'out' / name).read_bytes() == (tmp_path / 'local' / name).read_bytes()


def wait_for_jobs(cluster, seconds=240):
    """Wait until Slurm has no job left."""
    wait_until(lambda: not cluster.call('squeue', '-h').strip(), seconds)


def test_a_submitted_suite(cluster, suite, tmp_path):
    command = ('run', suite, '--out', tmp_path, '--gpus', 0, '--launcher', 'slurm', '--jobs', 2)
    status = ('status', suite, '--out', tmp_path)
    text = cluster.benchmark(*command)
    # one pre-training, which is a row itself, one training, two tests
    assert '4 jobs submitted' in text
    again = cluster.benchmark(*command)
    assert '0 jobs submitted' in again and again.count('is with Slurm already') == 4
    text = cluster.benchmark(*status)
    assert 'queued' in text or 'running' in text
    wait_for_jobs(cluster)
    text = cluster.benchmark(*status)
    assert '2 done' in text, text
    assert '0 jobs submitted' in cluster.benchmark(*command)
    text = cluster.benchmark('table', suite, '--out', tmp_path)
    assert 'incomplete' not in text and 'No finished run' not in text


LONG_SUITE = SUITE.replace('max_epochs=1', 'max_epochs=40, val_interval=100')


def test_requeue_and_failure(cluster, config, tmp_path):
    """A job that is told that its time ends comes again, and goes on where it was."""
    suite = tmp_path / 'my_suite.py'
    suite.write_text(LONG_SUITE.format(config=str(config)))
    command = ('run', suite, '--out', tmp_path, '--gpus', 0, '--launcher', 'slurm', '--jobs', 1,
               '--methods', 'naive')
    status = ('status', suite, '--out', tmp_path, '--methods', 'naive')
    cluster.benchmark(*command)
    wait_until(lambda: list(tmp_path.glob('runs/tiny/*/last_checkpoint')))
    folder, = tmp_path.glob('runs/tiny/*')
    number = json.loads((folder / 'train.submitted').read_text())['id']
    cluster.call('scancel', '--batch', '--signal=USR1', number)
    log = folder / f'train.slurm-{number}.log'
    wait_until(lambda: 'back into the queue' in log.read_text())
    assert not (folder / 'train.done').exists()
    assert '1 queued' in cluster.benchmark(*status)
    wait_until(lambda: 'resuming from' in (folder / 'train.log').read_text())
    # cancelled for good: what needs it is cancelled, too, and the same command submits both
    cluster.call('scancel', number)
    wait_for_jobs(cluster)
    text = cluster.benchmark(*status)
    assert '1 failed' in text and f'the end of {folder}/train.log' in text
    assert '2 jobs submitted' in cluster.benchmark(*command)
    wait_for_jobs(cluster)
    assert '1 done' in cluster.benchmark(*status)
    assert 'Epoch(train)  [1]' not in (folder / 'train.log').read_text().split('resuming from')[-1]
