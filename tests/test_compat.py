"""The work-arounds of the stack act where they are needed, and only there."""
import importlib.util
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer

from devias_mm import compat

DRN = 'mmaction.models.localizers.drn'


def run(code: str, **variables) -> str:
    """Output of a Python process of its own, without a GPU."""
    import os
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES='', **variables)
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], text=True,
                          capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def drn_modules(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(DRN)]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in [name for name in sys.modules if name.startswith(DRN)]:
        monkeypatch.delitem(sys.modules, name, raising=False)


def fake_mmaction(monkeypatch, folder):
    spec = types.SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: spec)


def test_stub_only_where_the_folder_is_missing(monkeypatch, tmp_path, drn_modules):
    fake_mmaction(monkeypatch, tmp_path)
    (tmp_path / 'models' / 'localizers' / 'drn').mkdir(parents=True)
    compat.stub_missing_drn()
    assert DRN not in sys.modules
    (tmp_path / 'models' / 'localizers' / 'drn').rmdir()
    compat.stub_missing_drn()
    from mmaction.models.localizers.drn.drn import DRN as Stub
    with pytest.raises(ImportError, match='mmaction2#2714'):
        Stub()


def test_stub_is_left_alone_when_there(monkeypatch, tmp_path, drn_modules):
    fake_mmaction(monkeypatch, tmp_path)
    compat.stub_missing_drn()
    first = sys.modules[DRN]
    compat.stub_missing_drn()
    assert sys.modules[DRN] is first


def test_without_mmaction(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match='make setup'):
        compat.stub_missing_drn()


def test_importing_the_package_is_enough():
    assert run('import devias_mm.register, mmaction.models; from mmaction.registry import MODELS; '
               'print("DEVIAS" in MODELS, len(MODELS) > 60)').split() == ['True', 'True']


def checkpoint() -> dict:
    """What MMEngine's message hub puts into a checkpoint."""
    history = HistoryBuffer([.5, .25], [1, 1])
    return dict(state_dict=dict(weight=torch.ones(2)), message_hub=dict(
        log_scalars={'train/loss': history},
        runtime_info=dict(iter=3, lr=np.float64(.1), count=np.int64(7), flag=np.bool_(True),
                          array=np.arange(3, dtype=np.float32))))


def test_runner_checkpoints_load_safely(tmp_path):
    torch.save(checkpoint(), tmp_path / 'own.pth')
    loaded = torch.load(tmp_path / 'own.pth', weights_only=True)
    hub = loaded['message_hub']
    assert hub['log_scalars']['train/loss'].mean() == .375
    assert hub['runtime_info']['lr'] == .1
    assert hub['runtime_info']['array'].tolist() == [0., 1., 2.]


class Arbitrary:
    """A class that no allow-list knows."""


def test_the_protection_stays_on(tmp_path):
    torch.save(dict(checkpoint(), extra=Arbitrary()), tmp_path / 'other.pth')
    with pytest.raises(Exception, match='Arbitrary'):
        torch.load(tmp_path / 'other.pth', weights_only=True)


def test_the_allow_list_is_what_makes_it_load(tmp_path):
    """Fails where torch needs it no longer: then the work-around can go."""
    torch.save(checkpoint(), tmp_path / 'own.pth')
    output = run(f'''
import torch
try:
    torch.load({str(tmp_path / "own.pth")!r}, weights_only=True)
    print('loaded')
except Exception as error:
    print('refused')
from devias_mm import compat
compat.apply()
print(len(torch.load({str(tmp_path / "own.pth")!r}, weights_only=True)))
''')
    assert output.split() == ['refused', '2']


@pytest.mark.parametrize('launcher', ['none', None])
def test_one_process_is_left_alone(launcher):
    cfg = Config(dict(launcher=launcher) if launcher else {})
    before = cfg.to_dict()
    compat.prepare_cpu_distributed(cfg)
    assert cfg.to_dict() == before
    assert not torch.distributed.is_initialized()


def test_with_a_gpu_nothing_happens(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(dict(launcher='pytorch'))
    compat.prepare_cpu_distributed(cfg)
    assert 'model_wrapper_cfg' not in cfg
    assert not torch.distributed.is_initialized()


PREPARE = '''
import torch.distributed as dist
from mmengine.config import Config
from devias_mm import compat
cfg = Config(dict(launcher={launcher!r}, find_unused_parameters=True))
compat.prepare_cpu_distributed(cfg)
print(dist.get_backend(), dist.get_world_size(), cfg.model_wrapper_cfg.type,
      cfg.model_wrapper_cfg.find_unused_parameters, cfg.model_wrapper_cfg.get('device_ids'))
'''


@pytest.fixture
def port() -> str:
    import socket
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return str(server.getsockname()[1])


@pytest.mark.parametrize('launcher, variables', [
    ('pytorch', dict(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0')),
    ('slurm', dict(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_LOCALID='0'))])
def test_gloo_on_the_cpu(launcher, variables, port):
    output = run(PREPARE.format(launcher=launcher), MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
                 **variables)
    assert output.split() == ['gloo', '1', 'MMDistributedDataParallel', 'True', 'None']


def test_slurm_on_the_cpu_asks_for_the_first_machine(tmp_path, port):
    import os
    scontrol = tmp_path / 'scontrol'
    scontrol.write_text('#!/bin/sh\n[ "$*" = "show hostnames n[1-2]" ] && echo 127.0.0.1 n2\n')
    scontrol.chmod(0o755)
    output = run(PREPARE.format(launcher='slurm'), MASTER_PORT=port, SLURM_PROCID='0',
                 SLURM_NTASKS='1', SLURM_LOCALID='0', SLURM_NODELIST='n[1-2]',
                 PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert output.startswith('gloo 1')


def test_a_wrapper_of_the_config_stays(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: True)
    cfg = Config(dict(launcher='pytorch', model_wrapper_cfg=dict(type='Mine')))
    compat.prepare_cpu_distributed(cfg)
    assert cfg.model_wrapper_cfg.type == 'Mine'
