"""Masks of a segmentation network: a tiny random one, and one whose answer is known."""
import sys
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import get_state_dict

from devias_mm.augments import SegFormerMasks, segformer_masks
from devias_mm.structures import ClipTargets

LABELS = 20
TARGETS = ClipTargets(torch.zeros(2, dtype=torch.int64))


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    """Folder of a random SegFormer, and of one without its head."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation
    torch.manual_seed(0)
    network = SegformerForSemanticSegmentation(SegformerConfig(
        num_labels=LABELS, depths=[1] * 4, hidden_sizes=[8, 8, 16, 16], decoder_hidden_size=16,
        num_attention_heads=[1, 1, 2, 2]))
    torch.nn.init.normal_(network.decode_head.classifier.weight, std=2.)
    folder = tmp_path_factory.mktemp('hub')
    network.save_pretrained(folder / 'whole')
    network.segformer.save_pretrained(folder / 'headless')
    return folder


class RedIsClass3:
    """A network that sees class 3 where a pixel, not normalised, is more red than not."""
    config = SimpleNamespace(num_labels=5)

    def __init__(self):
        self.calls = []

    def __call__(self, pixel_values):
        self.calls.append(len(pixel_values))
        red = pixel_values[:, 0] * segformer_masks.IMAGENET_STD[0] \
            + segformer_masks.IMAGENET_MEAN[0]
        scores = torch.zeros(len(red), 5, *red.shape[1:])
        scores[:, 3] = red - 0.5
        return SimpleNamespace(logits=scores[..., ::2, ::2])


def known() -> SegFormerMasks:
    masks = SegFormerMasks('none', person_classes=(3, ), size=None)
    network = RedIsClass3()
    masks.network = lambda device: network
    return masks


@pytest.mark.parametrize('frames_per_pass', [1, 3, 16])
def test_masks_belong_to_their_frames(frames_per_pass, monkeypatch):
    monkeypatch.setattr(segformer_masks, 'FRAMES_PER_PASS', frames_per_pass)
    clips = torch.zeros(2, 3, 8, 16, 16)
    for b in range(2):
        for t in range(8):
            clips[b, 0, t, 4 * b:4 * b + 4, 2 * t:2 * t + 2] = 1.
    source = known()
    same, targets = source(clips, TARGETS)
    assert same is clips
    assert targets.masks.shape == (2, 4, 16, 16)
    for b in range(2):
        for t in range(4):
            mask = targets.masks[b, t]
            rows, columns = mask.nonzero().float().mean(0)
            assert abs(float(rows) - (4 * b + 1.5)) <= 1, (b, t)
            assert abs(float(columns) - (4 * t + 0.5)) <= 1, (b, t)
    assert torch.equal(targets.clip_mask, targets.masks.amax(1))
    assert max(source.network(None).calls) <= frames_per_pass


def test_agrees_with_the_most_likely_class(saved):
    from transformers import SegformerForSemanticSegmentation
    network = SegformerForSemanticSegmentation.from_pretrained(saved / 'whole').eval()
    clips = F.interpolate(torch.rand(2 * 3, 4, 4, 4), size=(64, 64)).view(2, 3, 4, 64, 64)
    frames = clips[:, :, ::2].transpose(1, 2).flatten(0, 1)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (
        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        scores = network(pixel_values=(frames - mean) / std).logits
    labels = F.interpolate(scores, size=(64, 64), mode='bilinear').argmax(1)
    common = labels.flatten().bincount(minlength=LABELS).topk(2).indices.tolist()
    expected = torch.isin(labels, torch.tensor(common))
    assert 0.1 < expected.float().mean() < 0.95
    found = SegFormerMasks(str(saved / 'whole'), common, size=None)(clips, TARGETS)[1].masks
    assert (found.flatten(0, 1).bool() == expected).float().mean() > 0.95
    other = SegFormerMasks(str(saved / 'whole'), common, size=96)(clips, TARGETS)[1].masks
    assert other.shape == found.shape


def test_is_no_part_of_the_recognizer(saved):
    augments = [dict(type='SegFormerMasks', checkpoint=str(saved / 'whole'), size=32),
                dict(type='SceneMix', mask='frame')]
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(dict(
            type='NaiveRecognizer', num_classes=3,
            backbone=dict(type='ConvTokenEncoder', input_size=(4, 16, 16), widths=(8, 12, 24),
                          num_heads=3),
            data_preprocessor=dict(type='DebiasDataPreprocessor', augments=augments)))
    names = set(dict(model.named_parameters())), set(get_state_dict(model))
    source = model.train().data_preprocessor.augments[0]
    with torch.enable_grad():
        _, targets = source(torch.rand(2, 3, 4, 16, 16, requires_grad=True), TARGETS)
    assert not targets.masks.requires_grad
    network = source.network.model
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert names == (set(dict(model.named_parameters())), set(get_state_dict(model)))
    assert not any('augments' in name for name in names[1])


def test_errors(saved, monkeypatch):
    clips = torch.rand(2, 3, 4, 32, 32)
    with pytest.raises(ValueError, match=r'\[150\].*0\.\.19'):
        SegFormerMasks(str(saved / 'whole'), (3, 150))(clips, TARGETS)
    with pytest.raises(ValueError, match='lacks .* weights, such as decode_head'):
        SegFormerMasks(str(saved / 'headless'))(clips, TARGETS)
    with pytest.raises(OSError, match='cannot load .*/nowhere.*give the folder'):
        SegFormerMasks(str(saved / 'nowhere'))(clips, TARGETS)
    with pytest.raises(ValueError, match='clips of 3 frames: choose an even clip_len'):
        known()(clips[:, :, :3], TARGETS)
    for options in (dict(person_classes=()), dict(size=0)):
        with pytest.raises(ValueError, match=next(iter(options))):
            SegFormerMasks('none', **options)
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(ImportError, match=r"pip install 'devias_mm\[segformer\]'"):
        SegFormerMasks(str(saved / 'whole'))(clips, TARGETS)
