"""``tools/analysis/knn.py`` on a small two-token model and a few clips."""
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from tiny_runs import ROOT
from tool_calls import run_tool

from devias_mm.engine.inference import load_recognizer

CONFIG = """
_base_ = [r'{root}/configs/tokens/two-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']
train_dataloader = dict(dataset=dict(data_root=r'{data}'))
test_dataloader = dict(num_workers=0, dataset=dict(data_root=r'{data}'))
"""


@pytest.fixture
def trained(tmp_path, tiny_data):
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.format(root=ROOT, data=tiny_data))
    model = load_recognizer(Config.fromfile(str(config)), None, seed=1)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'last.pth')
    return config, tmp_path / 'last.pth'


def test_normal_and_reverse_features(monkeypatch, trained, tmp_path, capsys):
    out = tmp_path / 'knn.csv'
    assert run_tool(monkeypatch, 'analysis/knn.py', *trained, '--out', out, '--splits', 'seen',
                    'unseen', '--k', 1) is None
    table = pd.read_csv(out)
    assert list(table['pair']) == ['A-A', 'S-S', 'A-S', 'S-A'] * 2
    assert list(table['videos']) == [7] * 4 + [4] * 4
    assert table['chance_percent'].tolist() == [12.5] * 8
    assert table['top1_percent'].between(0, 100).all()
    assert 'chance: A-A 12.5' in capsys.readouterr().out


@pytest.mark.parametrize('options, message', [
    (['--splits', 'no'], "unknown split(s) ['no']"), (['--k', '99'], 'k=99')])
def test_one_clear_error(monkeypatch, trained, tmp_path, options, message):
    error = run_tool(monkeypatch, 'analysis/knn.py', *trained, '--out', tmp_path / 'x.csv',
                     *options)
    assert error.startswith('error: ') and message in error
    assert not (tmp_path / 'x.csv').exists()
