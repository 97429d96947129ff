"""StillMix: which frame goes into which clip, and the bank."""
import json

import numpy as np
import pytest
import torch

from devias_mm.augments import BackgroundErasing, StillMix, still_clips
from devias_mm.augments.still_mix import open_frame_bank, write_frame_bank
from devias_mm.structures import ClipTargets

B, T, S = 6, 5, 4


def coded_clips() -> torch.Tensor:
    """Frame t of clip i has value (10 i + t) / 100."""
    code = 10 * torch.arange(B).view(B, 1, 1, 1, 1) + torch.arange(T).view(1, 1, T, 1, 1)
    return (code / 100).expand(B, 3, T, S, S).clone()


@pytest.fixture
def bank(tmp_path):
    """Frame n of the bank has value 50 n; row 0 and 3 were not chosen."""
    frames = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(3, 1).repeat(S, 2).repeat(
        S, 3) * 50
    write_frame_bank(tmp_path / 'bank', frames, np.array([1, 2, 4]), dict(seed=7))
    return tmp_path / 'bank'


def stills_of(output: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
    """What was mixed into each clip, ``(B, T)``, from the contrast that is left."""
    lam = (output[:, 0, -1, 0, 0] - output[:, 0, 0, 0, 0]) / (
        clips[:, 0, -1, 0, 0] - clips[:, 0, 0, 0, 0])
    still = (output - lam.view(-1, 1, 1, 1, 1) * clips) / (1 - lam).view(-1, 1, 1, 1, 1)
    return still[:, 0, :, 0, 0], lam


@pytest.mark.parametrize('seed', range(5))
def test_frames_of_other_clips(seed):
    torch.manual_seed(seed)
    clips, targets = coded_clips(), ClipTargets(torch.arange(B))
    before = clips.clone()
    output, result = StillMix(ratio=1.)(clips, targets)
    assert torch.equal(clips, before)
    assert result is targets
    still, lam = stills_of(output, clips)
    assert ((lam - 0.5).abs() < 0.15).all()
    assert lam.unique().numel() == B  # a weight for each clip
    torch.testing.assert_close(still, still[:, :1].expand(-1, T), atol=1e-4, rtol=0.)  # one frame
    code = (100 * still[:, 0]).round().int()
    torch.testing.assert_close(code / 100., still[:, 0], atol=1e-4, rtol=0.)  # an existing one
    assert (code // 10 != torch.arange(B)).all()  # never the clip's own
    assert (code // 10 < B).all() and (code % 10 < T).all()


def test_all_frames_of_all_other_clips_occur():
    torch.manual_seed(0)
    clips = coded_clips()
    seen = {(100 * value).round().int().item() for _ in range(150) for value in
            StillMix.batch_frames(clips)[0, 0, 0, :1]}
    assert seen == {10 * i + t for i in range(1, B) for t in range(T)}


def test_bank(bank):
    torch.manual_seed(0)
    clips, mix, seen = coded_clips(), StillMix(bank=str(bank), ratio=1.), set()
    for _ in range(20):
        output, _ = mix(clips, ClipTargets(None))
        still, lam = stills_of(output, clips)
        assert ((lam - 0.5).abs() < 0.15).all()
        code = (255 * still[:, 0] / 50).round()
        torch.testing.assert_close(50 * code / 255, still[:, 0], atol=1e-4, rtol=0.)
        seen |= set(code.int().tolist())
    assert seen == {1, 2, 4}  # all chosen ones and no other
    manifest = json.loads((bank / 'manifest.json').read_text())
    assert manifest['frames'] == 3 and manifest['size'] == [S, S] and manifest['seed'] == 7
    assert mix.state_dict() == {}  # the frames are not part of checkpoints


def test_bad_banks(bank, tmp_path):
    with pytest.raises(FileNotFoundError, match='rank_still_frames.py.*--out'):
        StillMix(bank=str(tmp_path / 'none'))
    with pytest.raises(ValueError, match=r'\(3, 4, 4\).*clips \(3, 8, 8\)'):
        StillMix(bank=str(bank))(torch.zeros(2, 3, T, 8, 8), ClipTargets(None))
    np.save(bank / 'frames.npy', np.zeros((2, 3, S, S), np.uint8))
    open_frame_bank.cache_clear()
    with pytest.raises(ValueError, match='make the bank again'):
        StillMix(bank=str(bank))
    with pytest.raises(ValueError, match='batch_size must be at least 2'):
        StillMix(ratio=1.)(torch.zeros(1, 3, T, S, S), ClipTargets(None))
    with pytest.raises(ValueError, match=r'ratio must lie in \[0, 1\], got 1.5'):
        StillMix(ratio=1.5)
    with pytest.raises(ValueError, match='beta must be positive, got 0'):
        StillMix(beta=0)


@pytest.mark.parametrize('with_bank', [False, True])
def test_ratio_and_seed(bank, with_bank):
    clips, targets = coded_clips(), ClipTargets(None)
    folder = str(bank) if with_bank else None
    assert torch.equal(StillMix(folder, ratio=0.)(clips, targets)[0], clips)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(StillMix(folder)(clips, targets)[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    mixed = [(StillMix(folder, ratio=0.3)(clips, targets)[0] != clips).any(-1).any(-1).any(1)[:, -1]
             .float().mean() for _ in range(200)]
    assert abs(torch.stack(mixed).mean() - 0.3) < 0.06


def test_beta_is_the_spread():
    torch.manual_seed(0)
    clips = coded_clips().repeat(50, 1, 1, 1, 1)
    for beta in (1., 200.):
        _, lam = stills_of(StillMix(ratio=1., beta=beta)(clips, ClipTargets(None))[0], clips)
        deviation = (1 / (4 * (2 * beta + 1)))**0.5
        assert abs(lam.mean() - 0.5) < 0.06
        assert 0.8 < lam.std() / deviation < 1.2


def test_still_clips():
    clips = coded_clips()
    index = torch.tensor([0, 1, 2, 3, 4, 0])
    still = still_clips(clips, index)
    expected = (10 * torch.arange(B) + index) / 100
    torch.testing.assert_close(still, expected.view(B, 1, 1, 1, 1).expand_as(clips))
    still.zero_()
    assert clips.abs().sum() > 0


def test_background_erasing_of_the_stillmix_release_golden(golden, monkeypatch):
    """Its draws and its row order put into ours: pixels and labels agree."""
    arrays = np.load(golden / 'be' / 'background_erasing.npz', allow_pickle=False)
    clips = torch.from_numpy(arrays['clip'])
    draws = iter([torch.from_numpy(np.float32(arrays['uniform_draw'])[None]),
                  torch.from_numpy(arrays['stillmix_keep_draw'])])
    monkeypatch.setattr(torch, 'rand', lambda *shape, **_: next(draws))
    monkeypatch.setattr(torch, 'randint', lambda *_, **__: torch.from_numpy(arrays['frame_index']))
    labels = torch.from_numpy(arrays['stillmix_labels'])[:, 0]
    output, targets = BackgroundErasing(0.3, 0.5, weight_per_clip=False)(
        clips, ClipTargets(labels))
    order = arrays['rand_keep_order_prob50']
    np.testing.assert_allclose(output[order], arrays['stillmix_prob50'], atol=1e-6)
    one_hot = torch.nn.functional.one_hot(targets.action, 7)
    np.testing.assert_array_equal(one_hot, arrays['stillmix_prob100_soft_labels'])
    np.testing.assert_array_equal(one_hot[order], arrays['stillmix_prob50_soft_labels'])


def test_a_bank_of_many_frames_is_complete(tmp_path):
    frames = np.arange(700, dtype=np.uint16).view(np.uint8).reshape(700, 1, 1, 2)
    chosen = np.random.default_rng(0).permutation(700)[:600]
    write_frame_bank(tmp_path / 'bank', frames, chosen, {})
    np.testing.assert_array_equal(np.load(tmp_path / 'bank' / 'frames.npy'), frames[chosen])
