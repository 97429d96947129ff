"""The code in the documentation runs."""
import re

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config

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
