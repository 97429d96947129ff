"""The picture of the augmentations shows what happens, in the right place."""
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from mmaction.structures import ActionDataSample

from devias_mm.augments import DebiasDataPreprocessor
from devias_mm.visualization import overlays
from devias_mm.visualization.overlays import (
    MASK_COLOUR,
    augment_batch,
    draw_augments,
    image_of,
    overlay,
)


def data(count: int = 4) -> dict:
    samples = []
    for label in range(count):
        sample = ActionDataSample(metainfo=dict(video_id=f'clip{label}'))
        samples.append(sample.set_gt_label(label))
        sample.set_field(label, 'scene_label')
    return dict(inputs=[torch.randint(256, (1, 3, 4, 20, 30), dtype=torch.uint8)
                        for _ in samples], data_samples=samples)


def preprocessor(*augments) -> DebiasDataPreprocessor:
    return DebiasDataPreprocessor(list(augments), mean=[123., 110., 90.], std=[50., 60., 70.])


def test_normalisation_is_undone():
    batch = data()
    shown = augment_batch(preprocessor(dict(type='FAMEMasks')), batch)
    torch.testing.assert_close(shown.augmented, torch.cat(batch['inputs']).float())
    assert torch.equal(shown.clips, torch.cat(batch['inputs']))
    assert shown.masks.shape == (4, 2, 20, 30)


def test_titles_tell_the_scene_after_mixing():
    batch = data()
    shown = augment_batch(
        preprocessor(dict(type='FAMEMasks'), dict(type='SceneMix', ratio=1.)), batch, seed=1)
    for row, title in enumerate(shown.titles):
        donor = int(title.split('scene ')[1])
        assert title.startswith(f'clip{row}\naction {row}, ')
        seen = image_of(shown.augmented[row], 0)
        expected = image_of(shown.clips[donor], 0)
        foreground = shown.clip_mask[row].numpy() > 0
        expected[foreground] = image_of(shown.clips[row], 0)[foreground]
        assert (seen == expected).all()


def test_overlay_tints_the_mask_alone():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    mask = np.zeros((4, 6))
    mask[0, 5] = 1
    tinted = overlay(image, mask, opacity=1.)
    assert (tinted[mask == 0] == image[mask == 0]).all()
    assert (tinted[0, 5] == np.round(255 * np.array(MASK_COLOUR))).all()


@pytest.mark.parametrize('augments', [[], [dict(type='FAMEMasks', colours='frame')]])
def test_draws_a_picture(tmp_path, augments):
    shown = augment_batch(preprocessor(*augments), data(2))
    plt.rcParams['figure.constrained_layout.use'] = False
    path = draw_augments(shown, tmp_path / 'deep' / 'picture.png', num_frames=2)
    assert path.read_bytes().startswith(b'\x89PNG')
    assert [file.name for file in path.parent.iterdir()] == ['picture.png']  # no leftovers
    assert not plt.rcParams['figure.constrained_layout.use']  # nor of the style
    again = draw_augments(shown, tmp_path / 'again.png', num_frames=2)
    assert again.read_bytes() == path.read_bytes()


def test_command_line(root, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(root / 'tests' / 'engine')
    monkeypatch.syspath_prepend(root / 'tests' / 'tools')
    from tiny_runs import make_data
    from tool_calls import call_tool
    tool = 'analysis/show_augments.py'
    data_root = make_data(tmp_path / 'data')
    config, = (root / 'configs' / 'fame').glob('*puppets*.py')
    options = ('--data-root', data_root, '--out')
    call_tool(monkeypatch, tool, config, *options, tmp_path / 'a.png', '--clips', 2)
    assert (tmp_path / 'a.png').stat().st_size > 2000
    with pytest.raises(SystemExit, match='--clips 99.*8 videos'):
        call_tool(monkeypatch, tool, config, *options, tmp_path / 'b.png', '--clips', 99)
    with pytest.raises(SystemExit, match='end with .png'):
        call_tool(monkeypatch, tool, config, *options, tmp_path / 'b.jpg')
    with pytest.raises(SystemExit, match='config not found: nowhere.py'):
        call_tool(monkeypatch, tool, 'nowhere.py', *options, tmp_path / 'b.png')


def test_slots_tint_their_tokens(monkeypatch, tmp_path):
    clips = torch.zeros(2, 3, 4, 8, 8, dtype=torch.uint8)
    maps = torch.zeros(2, 2, 2, 2)
    maps[1, 1, 0, 1] = 1.  # second clip, second half, upper right
    drawn = {}
    monkeypatch.setattr(overlays, 'draw_panels', lambda panels, *args: drawn.update(panels))
    overlays.draw_slots(clips, {'action slot': maps}, ['a', 'b'], tmp_path / 'slots.png')
    panel = drawn['action slot']
    for row, frame in ((0, 0), (0, 3), (1, 0), (1, 1)):
        assert not panel(row, frame).any()
    for frame in (2, 3):
        image = panel(1, frame)
        assert image[:4, 4:].any(axis=-1).all()
        image[:4, 4:] = 0
        assert not image.any()


def test_slots_are_drawn(tmp_path):
    path = overlays.draw_slots(
        torch.zeros(1, 3, 4, 8, 8, dtype=torch.uint8),
        {'action slot': torch.rand(1, 2, 2, 2), 'decoded mask': torch.rand(1, 1, 2, 2)},
        ['clip'], tmp_path / 'slots.png')
    assert path.stat().st_size > 1000
