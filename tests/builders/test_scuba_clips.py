"""SCUBA: masks, validity, stripes and composites."""
from pathlib import Path

import numpy as np
import pytest

from devias_mm.builders.boxes import Box
from devias_mm.builders.media import read_frames, write_frames
from devias_mm.builders.output_folder import OutputFolder
from devias_mm.builders.scuba import (
    ScubaOptions,
    ScubaVideo,
    box_foreground,
    composite,
    draw_backgrounds,
    foreground,
    is_valid,
    list_lines,
    make_scuba,
    smooth_masks,
)
from devias_mm.builders.stripes import draw_stripes, stripe_image
from devias_mm.builders.videos import Video

GOLDEN = Path(__file__).resolve().parents[1] / 'golden' / 'scuba'


def load(name):
    with np.load(GOLDEN / name, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


@pytest.mark.parametrize('draw', [0, 1, 2])
def test_stripes_golden(draw):
    arrays = load('stripes.npz')
    uniforms = arrays[f'draw{draw}_uniforms']
    assert (draw_stripes(uniforms) == arrays[f'draw{draw}_before_rotation']).all()
    differs = (stripe_image(uniforms) != arrays[f'draw{draw}_image']).any(-1)
    assert differs.mean() <= .001


def test_composite_kinetics_rule_golden(tmp_path):
    arrays = load('composite_kinetics_rule.npz')
    names = sorted({key.split('__')[0] for key in arrays if '__' in key},
                   key=['val_ok', 'val_small', 'val_edge', 'val_onegap'].index)
    options = ScubaOptions(str(tmp_path / 'seg'), (60, 130), str(tmp_path / 'sal'))
    reports = []
    for name in names:
        frames = arrays[f'{name}__frames']
        write_frames(tmp_path / 'seg' / name, arrays[f'{name}__segmentation_png'], '{:06d}.png')
        write_frames(tmp_path / 'sal' / name, arrays[f'{name}__saliency_png'], '{:06d}.png')
        masks = foreground(frames, name, options)
        np.testing.assert_allclose(
            masks.mean(axis=(1, 2)), arrays[f'{name}__union_area_fraction'], atol=1e-12)
        assert is_valid(masks) == arrays[f'{name}__kept']
        made = composite(frames, masks, arrays['background_image'])
        error = np.abs(made.astype(int) - arrays[f'{name}__composited'])
        assert error.max() <= 1  # of another Pillow's resize; the foreground is exact
        assert (made[masks] == arrays[f'{name}__composited'][masks]).all()
        reports.append(dict(kept=is_valid(masks), frames=len(frames)))
    labels = dict(val_ok=5, val_small=0, val_edge=5, val_onegap=20)
    videos = [ScubaVideo(Video(name, '', labels[name]), name) for name in names]
    lines = list_lines(videos, reports, options)
    assert '\n'.join(lines) + '\n' == str(arrays['output_list_text'])


def test_composite_ucf_box_rule_golden():
    arrays = load('composite_ucf_box_rule.npz')
    boxes = [Box(int(row[0]) - 1, *map(float, row[1:])) for key in arrays
             if key.startswith('tube') for row in arrays[key]]
    frames, masks = box_foreground(arrays['frames'], boxes)
    made = composite(frames, masks, arrays['background_image'])
    assert made.shape == arrays['composited'].shape
    assert np.abs(made.astype(int) - arrays['composited']).max() <= 1
    assert (made[masks] == arrays['composited'][masks]).all()
    name = 'v_Archery_g01_c01'
    video = ScubaVideo(Video(name, '', int(arrays['label'])), name)
    lines = list_lines([video], [dict(kept=True, frames=len(made))], ScubaOptions())
    assert '\n'.join(lines) + '\n' == str(arrays['output_list_text'])


def test_masks_grow_by_their_neighbours_in_time_and_do_not_wrap_around():
    masks = np.zeros((5, 2, 5), bool)
    masks[[0, 1, 2, 3, 4], 0, [0, 1, 2, 3, 4]] = True
    smooth = smooth_masks(masks)
    assert [np.flatnonzero(mask[0]).tolist() for mask in smooth] == [
        [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4]]
    assert masks.sum() == 5  # the input is untouched
    assert (smooth_masks(masks, 0) == masks).all()
    assert [smooth_masks(masks, reach)[0, 0].sum() for reach in (2, 4, 9)] == [3, 5, 5]


@pytest.mark.parametrize('covered, pixels, valid', [
    (9, 10, True), (8, 10, False), (10, 9, False), (10, 10, True)])
def test_validity_has_its_bounds_inside(covered, pixels, valid):
    masks = np.zeros((10, 10, 10), bool)
    masks[:covered].reshape(covered, -1)[:, :pixels] = True
    assert is_valid(masks) == valid


def test_the_base_band_of_stripes_ends_at_row_255():
    # column 1 is the crest: y = 128 + 109.9, half width 19.85, so that the band wants row 256
    image = draw_stripes(np.array([.1, .1, .1, .99, .5, 0, .5, .999, 0]))
    column = image[:, 1, 0]
    assert (column[218:255] == int(.9 * 255)).all()
    assert (column[255:290] == int(.1 * 255)).all()


def test_stripes_need_nine_numbers_of_the_unit_interval():
    with pytest.raises(ValueError, match='9 numbers'):
        stripe_image(np.full(9, 1.))
    image = stripe_image(np.full(9, .3))
    assert image.shape == (256, 256, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) <= 3  # two colours, perhaps black corners


@pytest.fixture
def source(tmp_path):
    """Three videos; the person of the second is too small."""
    rng = np.random.default_rng(0)
    videos = []
    for number, side in enumerate((12, 4, 16)):
        name = f'class {number}/v{number}'
        frames = rng.integers(0, 256, (4, 24, 32, 3), np.uint8)
        masks = np.zeros((4, 24, 32), np.uint8)
        masks[:, 2:2 + side, 3:3 + side] = 255
        write_frames(tmp_path / 'videos' / name, frames, '{:06d}.png')
        write_frames(tmp_path / 'seg' / name, masks, '{:06d}.png')
        videos.append(Video(name, str(tmp_path / 'videos' / name), number))
    write_frames(tmp_path / 'pictures', rng.integers(0, 256, (3, 20, 20, 3), np.uint8),
                 '{:03d}.png')
    return tmp_path, videos


def test_backgrounds_differ_by_video_seed_and_number(source):
    root, _ = source
    pictures = tuple(str(file) for file in sorted((root / 'pictures').iterdir()))
    options = ScubaOptions(backgrounds=pictures, per_video=3)
    assert len({image.tobytes() for image in draw_backgrounds('v', options)}) == 3
    stripes = ScubaOptions(per_video=2)
    made = {image.tobytes() for name in 'ab' for seed in (0, 1)
            for image in draw_backgrounds(name, stripes._replace(seed=seed))}
    assert len(made) == 8
    assert (draw_backgrounds('a', stripes)[1] == draw_backgrounds('a', stripes)[1]).all()


def test_clips_and_list_agree_and_the_reader_reads_them(source, tmp_path):
    from devias_mm.datasets.frame_folders import FrameFolderDataset
    root, videos = source
    options = ScubaOptions(masks=str(root / 'seg'), per_video=2, scufo=True)
    build = OutputFolder(root / 'out', {})
    sources = [ScubaVideo(video, video.name) for video in videos]
    assert make_scuba(build, sources, options) == dict(
        videos=3, kept=2, clips=4, num_classes=3)
    lines = (root / 'out/annotations/test.csv').read_text().splitlines()
    assert lines == [f'class {number}/v{number}__{index} 4 {number}'
                     for number in (0, 2) for index in (0, 1)]
    assert not (root / 'out/scuba/class 1').exists()
    for kind in ('scuba', 'scufo'):
        dataset = FrameFolderDataset(
            ann_file=str(root / 'out/annotations/test.csv'), pipeline=[], num_classes=3,
            data_prefix=dict(video=str(root / 'out' / kind)))
        clip = np.stack(dataset[2]['source'].read(np.arange(4), 4)).astype(int)
        original = read_frames(videos[2].path)
        person = (slice(2, 18), slice(3, 19))
        still = np.abs(clip - clip[2]).max() == 0
        assert still == (kind == 'scufo')
        inner = np.abs(clip[2][person] - original[2][person])
        outer = np.abs(clip[2][20:, 20:] - original[2][20:, 20:])
        assert np.median(inner) < 20 < np.median(outer)  # JPEG of noise


def test_box_rule_keeps_the_annotated_span_only(source):
    root, videos = source
    boxes = [Box(1, 3, 2, 9, 8), Box(2, 3, 2, 9, 8)]
    build = OutputFolder(root / 'out', {})
    sources = [ScubaVideo(videos[0], 'a', boxes), ScubaVideo(videos[1], 'b'),
               ScubaVideo(videos[2], 'c', [])]
    summary = make_scuba(build, sources, ScubaOptions())
    assert summary == dict(videos=3, kept=1, clips=1, num_classes=3)
    assert (root / 'out/annotations/test.csv').read_text() == 'a__0 2 0\n'
    assert len(list((root / 'out/scuba/a__0').iterdir())) == 2


def test_no_valid_video_is_an_error(source):
    root, videos = source
    with pytest.raises(ValueError, match='none of the 1 videos'):
        make_scuba(OutputFolder(root / 'b', {}), [ScubaVideo(videos[1], 'a')],
                   ScubaOptions(masks=str(root / 'seg')))


def test_of_several_people_the_first_of_each_frame_is_kept():
    """Per frame, mask = the box of the lowest row in the table; not of the video's first person."""
    frames = np.zeros((4, 10, 12, 3), np.uint8)
    first = [Box(1, 0, 0, 3, 3), Box(2, 1, 1, 4.9, 4)]
    second = [Box(2, 6, 5, 9, 9), Box(3, 6, 5, 9, 9.5)]
    span, masks = box_foreground(frames, first + second)
    expected = np.zeros((3, 10, 12), bool)
    expected[0, 0:3, 0:3] = True
    expected[1, 1:4, 1:4] = True  # not the second person's 5:9, 6:9
    expected[2, 5:9, 6:9] = True
    assert len(span) == 3 and (masks == expected).all()
    _, everybody = box_foreground(frames, first + second, all_people=True)
    expected[1, 5:9, 6:9] = True
    assert (everybody == expected).all()
