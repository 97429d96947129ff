"""The code in the documentation runs; the numbers of its pages agree."""
import re

import pandas as pd
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from devias_mm.harness import load_suite

TINY = dict(type='ConvTokenEncoder', input_size=(4, 16, 16), widths=(4, 8, 8, 16), num_heads=2)


@pytest.fixture
def blocks(root):
    """Python blocks of the page by their first words."""
    text = (root / 'docs' / 'adding_a_method.md').read_text()
    return re.findall(r'```python\n(.*?)```', text, flags=re.S)


def block_with(blocks, words):
    """The block that contains ``words``."""
    found = [block for block in blocks if words in block]
    assert len(found) == 1, words
    return found[0]


def batch(count=4):
    samples = []
    for i in range(count):
        sample = ActionDataSample().set_gt_label(i % 2)
        sample.set_field(i % 2, 'scene_label')
        samples.append(sample)
    return dict(inputs=list(torch.randint(256, (count, 1, 3, 4, 16, 16), dtype=torch.uint8)),
                data_samples=samples)


@pytest.mark.parametrize('words, config', [
    ('class StaticEntropy', "type='StaticEntropy'"), ('class GreyScenes', "type='GreyScenes'")])
def test_page_trains(blocks, root, words, config):
    folder = root / 'configs' / 'naive'
    exec(compile(block_with(blocks, words), words, 'exec'), {})
    name = words.split()[1]
    try:
        text = block_with(blocks, config).replace("'../", f"'{folder.parent}/")
        model = Config.fromstring(text, '.py').model
        model.backbone.update(TINY)
        model = MODELS.build(model)
        losses = model.loss(**model.data_preprocessor(batch(), training=True))
        total = sum(value for key, value in losses.items() if 'loss' in key)
        total.backward()
        assert total.isfinite()
        if name == 'StaticEntropy':
            assert 0 < losses['static_entropy'] <= torch.tensor(8.).log() + 1e-5
    finally:
        MODELS.module_dict.pop(name)


def test_rows_of_the_embedded_benchmark_are_those_of_its_table(root):
    table = pd.read_csv(root / 'docs/results/puppets.csv').set_index('method')
    lines = (root / 'docs/results/puppets.md').read_text().splitlines()
    for name, method in load_suite('puppets', root).methods.items():
        # the first table is the leaderboard
        row = next(line for line in lines if line.startswith(f'| {method.label} | 3 |'))
        for column in ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'hm'):
            mean, std = (table.at[name, f'{column}_{part}'] for part in ('mean', 'std'))
            assert pd.isna(mean) or f'{mean:.1f}' in row and f'± {std:.1f}' in row, (name, column)
        assert table.at[name, 'n_seeds'] == 3


def test_the_readme_of_a_method_says_how_its_row_is_run(root):
    for name, method in load_suite('puppets', root).methods.items():
        text = (root / method.config).with_name('README.md').read_text()
        command = re.search(r'benchmarks/puppets\.py --methods ([\w -]+)`', text)
        assert name in command[1].split(), name
        assert 'docs/results/puppets.md' in text, name


def test_readmes_name_rows_and_configs_that_exist(root):
    for path in (root / 'configs').rglob('README.md'):
        text = path.read_text()
        for file in re.findall(r'(?:benchmarks|configs)/[\w/-]+\.py', text):
            assert (root / file).is_file(), f'{path}: {file}'
        rows = re.findall(r'(benchmarks/\w+\.py):([\w-]+)', text)
        rows += re.findall(r'benchmark\.py config (benchmarks/\w+\.py) ([\w-]+)', text)
        for suite, name in rows:
            assert name in load_suite(root / suite).methods, f'{path}: {suite}:{name}'
