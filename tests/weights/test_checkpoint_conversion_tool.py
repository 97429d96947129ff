"""The command line of the converter."""
import argparse
import importlib.util
import os
import runpy
import subprocess
import sys
from collections import namedtuple
from enum import Enum

import pytest
import torch
from mmaction.registry import MODELS

from devias_mm.cli import make_parser
from devias_mm.errors import CheckpointError
from devias_mm.weights.conversion import export

VIT = dict(type='TokenViT', img_size=32, depth=1, embed_dims=24, num_heads=2, num_frames=4)
TOOL = 'tools/data/convert_checkpoint.py'


@pytest.fixture
def run(root):
    """Call the tool's ``main`` with arguments."""
    spec = importlib.util.spec_from_file_location('convert_checkpoint', root / TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def call(*args):
        parser = make_parser(tool.__doc__)
        tool.add_arguments(parser)
        tool.main(parser.parse_args([str(arg) for arg in args]))
    return call


@pytest.fixture
def model():
    return MODELS.build(dict(type='NaiveRecognizer', num_classes=5, pool_norm=True,
                             backbone=dict(**VIT, final_norm=False)))


@pytest.fixture
def official(model):
    return export(model.state_dict(), 'videomae').state_dict


def test_converts_and_says_what_it_did(run, model, official, tmp_path, capsys):
    source, target = tmp_path / 'source.pth', tmp_path / 'new' / 'target.pth'
    # as training scripts write it: command line and optimizer beside the weights
    torch.save(dict(model=official, args=argparse.Namespace(lr=1.), epoch=3), source)
    run(source, target, '--no-head')
    output = capsys.readouterr().out
    assert 'patch_embed.proj.weight -> backbone.patch_embed.projection.weight' in output
    assert 'head.weight dropped: --no-head' in output
    assert 'embed_dims=24, depth=1' in output
    state = torch.load(target, weights_only=True)['state_dict']
    missing = model.load_state_dict(state, strict=False).missing_keys
    assert {key for key in missing if 'pos_embed' not in key} == {'head.weight', 'head.bias'}


def test_there_and_back(run, model, official, tmp_path):
    source, middle, target = (tmp_path / f'{name}.pth' for name in 'abc')
    torch.save(dict(state_dict=model.state_dict(), meta={}), source)
    run(source, middle, '--to', 'mmaction2')
    assert 'cls_head.fc_cls.bias' in torch.load(middle, weights_only=True)['state_dict']
    run(middle, target, '--to', 'videomae')
    state = torch.load(target, weights_only=True)['model']
    assert set(state) == set(official)
    assert all(torch.equal(state[key], official[key]) for key in state)


def test_devias_needs_the_iterations(run, tmp_path):
    model = MODELS.build(dict(
        type='DEVIAS', num_classes=2, num_scene_classes=2, backbone=VIT,
        slot_attention=dict(out_proj=True, mlp_norm=True, final_norm=True)))
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(state_dict=model.state_dict()), source)
    with pytest.raises(ValueError, match='--num-iters'):
        run(source, target, '--to', 'devias')
    run(source, target, '--to', 'devias', '--num-iters', '3')
    assert 'agg_block.layers.2.0.fn.to_q.weight' in torch.load(target, weights_only=True)['model']


def test_errors_write_nothing(run, official, tmp_path):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(model={**official, 'odd.weight': torch.ones(1)}), source)
    with pytest.raises(ValueError, match=r'odd\.weight'):
        run(source, target)
    with pytest.raises(ValueError, match="begins with 'even'"):
        run(source, target, '--rename', 'even=odd')
    with pytest.raises(SystemExit):
        run(source, target, '--kind', 'resnet')
    torch.save(dict(state_dict={'head.bias': torch.ones(1),
                                'backbone.blocks.0.norm1.bias': torch.ones(1)}), source)
    with pytest.raises(ValueError, match='choose --to'):
        run(source, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['source.pth']


class ZeroStage(Enum):
    """Of the kinds that DeepSpeed's files hold: an enumeration, a tuple, an object."""
    WEIGHTS = 3


Fragment = namedtuple('Fragment', 'numel start')


class LossScaler:
    """It must not be rebuilt."""

    def __init__(self):
        self.cur_scale = 2.

    def __setstate__(self, state):
        raise AssertionError('code of the file ran')


def test_objects_of_other_trainers_are_left_out(run, official, tmp_path, capsys):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(module=official, ds_config=dict(stage=ZeroStage.WEIGHTS), lr_scheduler=None,
                    optimizer=dict(loss_scaler=LossScaler(), pieces=[Fragment(3, 0)])), source)
    names = [f'{__name__}.{kind.__name__}' for kind in (Fragment, LossScaler, ZeroStage)]
    with pytest.raises(CheckpointError, match=f'{", ".join(names)}.*--ignore-classes'):
        run(source, target)
    with pytest.raises(CheckpointError, match=f'loaded: {names[2]}'):  # one is left
        run(source, target, '--ignore-classes', *names[:2])
    with pytest.raises(ValueError, match=f'no object of other.Class.*there are: {names[0]}, '):
        run(source, target, '--ignore-classes', *names, 'other.Class')
    assert not target.exists()
    run(source, target, '--ignore-classes', *names)
    assert f'{len(official)} weights written' in capsys.readouterr().out
    content = torch.load(target, weights_only=True)  # nothing of them is in the new file
    assert len(content['state_dict']) == len(official)
    # and none of them is trusted from now on
    with pytest.raises(CheckpointError, match=names[1]):
        run(source, target)


def test_modules_that_torch_blocks_stay_blocked(run, tmp_path):
    class System:
        def __reduce__(self):
            return os.system, ('echo never', )

    source = tmp_path / 'source.pth'
    torch.save(dict(model={}, odd=System()), source)
    name = os.system.__module__
    with pytest.raises(CheckpointError, match=f'{name}.system whose module {name} is'):
        run(source, tmp_path / 'target.pth', '--ignore-classes', f'{name}.system')


def test_a_file_of_this_project_is_freed_of_foreign_objects(run, model, tmp_path):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(state_dict=model.state_dict(), hub=LossScaler()), source)
    run(source, target, '--ignore-classes', f'{__name__}.LossScaler')
    state = torch.load(target, weights_only=True)['state_dict']
    assert state.keys() == model.state_dict().keys()


def test_rename_gives_a_file_known_names(run, official, tmp_path):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    odd = {key.replace('head.', 'classifier.'): value for key, value in official.items()}
    torch.save(odd, source)
    run(source, target, '--rename', 'classifier=head')
    assert torch.equal(torch.load(target, weights_only=True)['state_dict']['head.weight'],
                       official['head.weight'])


def test_safetensors(run, official, tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    source, target = tmp_path / 'source.safetensors', tmp_path / 'target.pth'
    safetensors.save_file(official, source)
    run(source, target, '--kind', 'videomae')
    assert len(torch.load(target, weights_only=True)['state_dict']) == len(official)
    source.write_bytes(source.read_bytes()[:500])
    with pytest.raises(CheckpointError, match='truncated'):
        run(source, target)


def test_an_incomplete_file_is_refused_or_named(run, official, tmp_path, capsys):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(model={key: official[key] for key in official if 'head' not in key}), source)
    with pytest.raises(CheckpointError, match=r'\(2\): head.weight, head.bias.*--no-head'):
        run(source, target)
    assert not target.exists()
    run(source, target, '--partial')
    assert 'head.weight missing' in capsys.readouterr().out
    run(source, target, '--no-head')
    assert 'missing' not in capsys.readouterr().out and target.exists()


def test_a_bad_file_is_one_clear_error(root, official, tmp_path, monkeypatch, capsys):
    source, target = tmp_path / 'source.pth', tmp_path / 'target.pth'
    torch.save(dict(model=official), source)
    source.write_bytes(source.read_bytes()[:1000])
    monkeypatch.setattr(sys, 'argv', ['convert_checkpoint.py', str(source), str(target)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(root / TOOL), run_name='__main__')
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.startswith(f'error: cannot load checkpoint {source}')
    assert error.count('\n') == 1 and not target.exists()


def test_help_needs_no_torch(root):
    code = (f"import runpy, sys; sys.argv = ['x', '--help']\n"
            f"try: runpy.run_path({str(root / TOOL)!r}, run_name='__main__')\n"
            "except SystemExit: assert 'torch' not in sys.modules")
    subprocess.run([sys.executable, '-c', code], check=True, cwd=root,
                   env=dict(os.environ, PYTHONPATH=str(root)), capture_output=True)
