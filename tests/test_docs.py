"""The code in the documentation runs; its pages are wrapped, and their numbers agree."""
import argparse
import re
import runpy

import numpy as np
import pandas as pd
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope

from devias_mm.builders.media import write_video
from devias_mm.datasets.check import Checker, split_configs
from devias_mm.engine.splits import split_dataset
from devias_mm.evaluation.metrics import Accuracy
from devias_mm.harness import Method, Suite, load_suite
from devias_mm.harness.leaderboard import leaderboard
from devias_mm.harness.render import markdown, ranked
from devias_mm.harness.results import MethodResults
from devias_mm.harness.rows import resolve

TINY = dict(type='ConvTokenEncoder', input_size=(4, 16, 16), widths=(4, 8, 8, 16), num_heads=2)
COMMAND = re.compile(r'(?:python |bash |\w+=\S+ )*'
                     r'(?P<tool>tools/[\w/]+\.(?:py|sh)|benchmarks/speed/\w+\.py)\b')
DEVIAS = 'configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'


@pytest.fixture
def page(root):
    """Read the one Python block of a page that contains some words."""
    def block(name, words):
        text = (root / 'docs' / f'{name}.md').read_text()
        blocks = re.findall(r'```python\n(.*?)```', text, flags=re.S)
        found = [code for code in blocks if words in code]
        assert len(found) == 1, words
        return found[0]
    return block


@pytest.fixture
def run_block():
    """Run blocks in one namespace; what they register is forgotten after the test."""
    known = dict(MODELS.module_dict)
    names = {}

    def run(code):
        exec(compile(code, 'block', 'exec'), names)
        return names
    yield run
    for name in set(MODELS.module_dict) - set(known):
        MODELS.module_dict.pop(name)


def batch(size=(4, 16, 16), count=4):
    samples = []
    for i in range(count):
        sample = ActionDataSample().set_gt_label(i % 2)
        sample.set_field(i % 2, 'scene_label')
        samples.append(sample)
    return dict(inputs=list(torch.randint(256, (count, 1, 3, *size), dtype=torch.uint8)),
                data_samples=samples)


def train_step(model, size=(4, 16, 16)):
    """Take the loss of a batch and its gradients."""
    init_default_scope('mmaction')
    model = MODELS.build(model)
    losses = model.loss(**model.data_preprocessor(batch(size), training=True))
    total = sum(value for key, value in losses.items() if 'loss' in key)
    total.backward()
    assert total.isfinite()
    return model, losses


def row_of(method):
    """Resolve a row that belongs to no suite."""
    return resolve(Suite('page', '', None, {}, None), method)


@pytest.mark.parametrize('words, config', [
    ('class StaticEntropy', "model = dict(type='StaticEntropy'"),
    ('class GreyScenes', "type='GreyScenes'")])
def test_a_method_and_an_augmentation_train(page, run_block, root, words, config):
    run_block(page('adding_a_method', words))
    folder = root / 'configs'
    text = page('adding_a_method', config).replace("'../", f"'{folder}/")
    model = Config.fromstring(text, '.py').model
    model.backbone.update(TINY)
    _, losses = train_step(model)
    if words == 'class StaticEntropy':
        assert 0 < losses['static_entropy'] <= torch.tensor(8.).log() + 1e-5


def test_the_row_of_a_method_is_its_config(page, run_block, root):
    row = run_block(page('adding_a_method', 'row = Method('))['row']
    text = page('adding_a_method', "model = dict(type='StaticEntropy'")
    config = Config.fromstring(text.replace("'../", f"'{root}/configs/"), '.py')
    assert row_of(row).to_dict() == config.to_dict()


def test_a_term_of_the_loss_is_added(page, run_block):
    change = run_block(page('adding_a_method', 'class SlotNorm'))['change']
    cfg = row_of(Method(DEVIAS, change=change))
    cfg.model.backbone.update(TINY)
    model, losses = train_step(cfg.model)
    assert 'loss_guidance' not in losses
    assert {'loss_norm', 'loss_action', 'loss_cosine'} <= set(losses)
    assert losses['loss_norm'] > 0 and model.losses['norm'].weight == 0.01


@pytest.fixture
def my_clips(tmp_path):
    """Write four videos and the lists of the page."""
    names = []
    for number in range(4):
        frames = np.full((20, 48, 64, 3), 40 * number, np.uint8)
        names.append(f'action {number % 3}/{number}.mp4')
        (tmp_path / 'videos' / names[-1]).parent.mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / 'videos' / names[-1], frames, 10)
    (tmp_path / 'annotations').mkdir()
    for split, chosen in dict(train=(0, 1, 2), seen=(3, ), unseen=(2, 1)).items():
        lines = [f'{names[number]} {number % 3}\n' for number in chosen]
        (tmp_path / 'annotations' / f'{split}.txt').write_text(''.join(lines))
    return tmp_path


def test_a_data_set_is_checked_and_read(page, run_block, root, my_clips):
    text = page('adding_a_dataset', '_base_ =')
    text = text.replace('./videos', f'{root}/configs/_base_/datasets/videos')
    text = text.replace('data/my_clips', str(my_clips))
    fragment = my_clips / 'my_clips.py'
    fragment.write_text(text)
    cfg = Config.fromfile(str(fragment))
    init_default_scope('mmaction')
    checker = Checker(sample=2)
    for name, config in split_configs(cfg).items():
        report = checker.check_split(name, config)
        assert not report.problems, (name, report.problems)

    suite = page('adding_a_dataset', 'suite = Suite(')
    suite = run_block(suite.replace('datasets/my_clips.py', str(fragment), 1))['suite']
    for method in suite.methods.values():
        cfg = resolve(suite, method)
        assert cfg.model.num_classes == 3
        data = DATASETS.build(cfg.train_dataloader.dataset)
        assert len(data) == 3
        sample = data[2]['data_samples']
        assert (sample.video_id, int(sample.gt_label)) == ('action 2/2', 2)
        dataset = split_dataset(cfg.test_dataloader.dataset, cfg.test_cfg.splits['unseen'])
        dataset = DATASETS.build(dataset)
        assert dataset[1]['data_samples'].video_id == 'action 1/1'
        assert dataset[0]['inputs'].shape == (6, 3, 16, 224, 224)


def test_the_suite_of_a_split_names_splits_that_its_rows_have(page, run_block, tmp_path):
    suite = run_block(page('adding_a_split', 'suite = replace('))['suite']
    frames = np.random.default_rng(0).integers(256, size=(16, 64, 64, 3), dtype=np.uint8)
    for folder in ('videos', 'annotations'):
        (tmp_path / folder).mkdir()
    write_video(tmp_path / 'videos' / 'a.mp4', frames, 8)
    for name in ('seen', 'unseen', 'unseen_1', 'unseen_2', 'unseen_3'):
        (tmp_path / 'annotations' / f'{name}.txt').write_text('a.mp4 0 1 2\n')
    init_default_scope('mmaction')
    for method in suite.methods.values():
        cfg = resolve(suite, method)
        clips = {}
        for split in suite.splits:
            dataset = split_dataset(cfg.test_dataloader.dataset, cfg.test_cfg.splits[split])
            clips[split] = DATASETS.build(dict(dataset, data_root=str(tmp_path)))[0]['inputs']
        still = clips['unseen-still'][0]
        assert torch.equal(still, still[:, :1].expand_as(still))
        assert not torch.equal(clips['seen'], clips['unseen-still'])
        assert torch.equal(clips['seen'], clips['unseen-draw/2'])


def test_a_split_of_draws_is_one_metric(page, run_block):
    suite = run_block(page('adding_a_split', 'suite = replace('))['suite']
    right = {'seen': 1.0, 'unseen-still': 0.5, 'unseen-draw/1': 0.0, 'unseen-draw/2': 0.5,
             'unseen-draw/3': 1.0}
    table = leaderboard(suite, [results('naive', right)], n_resamples=10)
    assert table.at[0, 'action_unseen_mean'] == table.at[0, 'unseen-draw_mean'] == 50
    assert table.at[0, 'still_mean'] == 50
    assert not suite.protocol.metric('still').higher_is_better


def results(method, right):
    """Results of one seed; ``right`` is the share of each split's four videos that is right."""
    hits = {}
    for split, share in right.items():
        hits[split] = np.full((1, 3, 4), np.nan)
        hits[split][0, 0] = np.arange(4) < 4 * share
    videos = {split: pd.Index(range(4)) for split in right}
    unreadable = {split: [] for split in right}
    return MethodResults(method, '', (0, ), (), videos, hits, unreadable)


def test_a_metric_is_a_column(page, run_block):
    names = run_block(page('adding_a_metric', 'def lost_points'))
    names = run_block(page('adding_a_metric', 'protocol = Protocol('))
    accuracies = {split: Accuracy(np.array(values), np.nan, np.nan)
                  for split, values in dict(seen=[90.0, 80.0], unseen=[60.0, 85.0]).items()}
    assert names['LOST'].value(accuracies).tolist() == [30, -5]
    assert names['WORST'].value(accuracies).tolist() == [60, 80]

    methods = {name: Method('x.py', name, predicts=('action', )) for name in ('biased', 'fair')}
    suite = Suite('page', 'Page', None, methods, names['protocol'])
    table = leaderboard(suite, [results('biased', dict(seen=1.0, unseen=0.5)),
                                results('fair', dict(seen=0.5, unseen=0.5))], n_resamples=10)
    assert table['lost_mean'].tolist() == [50, 0] and table['worst_mean'].tolist() == [50, 50]
    # equal in the worst split, so the fewest lost points come first
    assert ranked(suite, table)['method'].tolist() == ['fair', 'biased']
    text = markdown(suite, table)
    fair, = (line for line in text.splitlines() if line.startswith('| fair') and '**0.0**' in line)
    assert 'Lost points' in text and 'Worst split' in text and fair


def test_a_backbone_trains_under_naive_and_devias(page, run_block):
    names = run_block(page('adding_a_backbone', 'class PatchMixer'))
    methods = run_block(page('adding_a_backbone', 'PATCHES ='))['methods']
    for method in methods.values():
        cfg = row_of(method)
        cfg.model.backbone.input_size = (4, 16, 16)
        model, _ = train_step(cfg.model)
        assert model.backbone.embed.weight.grad.abs().sum() > 0

    # the tokens are in the order that the page promises: time, row, column
    backbone = names['PatchMixer']((4, 16, 24)).eval()
    clip = torch.zeros(1, 3, 4, 16, 24)
    before = backbone(clip).tokens
    clip[..., 2:4, 0:8, 16:24] = 1
    moved = (backbone(clip).tokens - before).norm(dim=-1).view(backbone.grid)
    assert moved.argmax() == np.ravel_multi_index((1, 0, 2), backbone.grid)


def test_a_backbone_of_mmaction2_trains(page, run_block):
    backbone = run_block(page('adding_a_backbone', "type='FeatureMapTokens'"))['backbone']
    cfg = row_of(Method(DEVIAS))
    cfg.model.backbone = backbone
    model, _ = train_step(cfg.model, size=(8, 32, 32))
    assert model.embed_dims == 512 and model.backbone.grid[0] == 8


def pages(root):
    """List the pages that people read."""
    return [root / 'README.md', root / 'CONTRIBUTING.md', *(root / 'docs').rglob('*.md'),
            *(root / 'configs').rglob('*.md'), *(root / 'benchmarks').rglob('*.md')]


def prose(path):
    """Yield the numbered lines of a page that are neither code, table, heading nor picture."""
    code = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith('```'):
            code = not code
        elif not code and not line.lstrip().startswith(('|', '#', '![')):
            yield number, line


def test_prose_is_wrapped(root):
    found = pages(root)
    assert len(found) > 25
    for path in found:
        for number, line in prose(path):
            assert len(line) <= 100, f'{path}:{number}: {len(line)} columns'


def test_paragraphs_are_short(root):
    for path in pages(root):
        words, begin, before = 0, 0, 0
        for number, line in prose(path):
            is_new = not line.strip() or number > before + 1 or re.match(r' *([-*]|\d+\.) ', line)
            if is_new:
                words, begin = 0, number
            words += len(line.split())
            before = number
            assert words <= 80, f'{path}:{begin}: a paragraph of more than 80 words'


def test_the_readme_is_short(root):
    assert len((root / 'README.md').read_text().splitlines()) <= 110


def test_links_lead_to_files(root):
    for path in pages(root):
        for target in re.findall(r'\]\(([^)#\s]+)', path.read_text()):
            if '://' not in target:
                assert (path.parent / target).exists(), f'{path}: {target}'


def commands(path):
    """Yield the command lines of a page, whole, and the tool that each calls."""
    text = path.read_text().replace('\\\n', ' ')
    blocks = re.findall(r'```(?:\w*)\n(.*?)```', text, flags=re.S)
    lines = [line for block in blocks for line in re.split(r'\n|;|&&|\|', block)]
    lines += re.findall(r'`([^`]+)`', re.sub(r'```.*?```', '', text, flags=re.S))
    for line in lines:
        line = ' '.join(line.split('  #')[0].split())
        tool = COMMAND.match(line)
        if tool:
            yield tool['tool'], line


def options_of(parser):
    """Return the options of a command line, those of its commands included."""
    found = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found |= options_of(command)
    return found


def test_commands_name_tools_and_options_that_exist(root, monkeypatch):
    for folder in ('tools', 'tools/data', 'tools/analysis', 'tools/dev'):
        monkeypatch.syspath_prepend(str(root / folder))
    known = {}
    count = 0
    for path in pages(root):
        for tool, line in commands(path):
            assert (root / tool).is_file(), f'{path}: {line}'
            script = re.sub(r'tools/(?:dist|slurm)_(train|test)\.sh', r'tools/\1.py', tool)
            if 'def add_arguments' not in (root / script).read_text():
                continue
            if script not in known:
                parser = argparse.ArgumentParser()
                runpy.run_path(str(root / script))['add_arguments'](parser)
                known[script] = options_of(parser)
            for option in re.findall(r'(?<= )--[a-z][\w-]*', line):
                assert option in known[script], f'{path}: {option} in {line}'
                count += 1
    assert count > 100


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
        commands = re.findall(r'benchmarks/puppets\.py\s+--methods\s+([\w\s-]+)`', text)
        assert name in ' '.join(commands).split(), name
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
